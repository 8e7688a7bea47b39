using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;

namespace Flywheel.Server.Features.Observability;

/// <summary>The values of one instrument, one series per combination of attributes, in the text format of Prometheus 0.0.4.</summary>
/// <remarks>An instrument has at most three attributes, always the same, with few values.</remarks>
sealed class InstrumentSeries(Instrument instrument)
{
    readonly ConcurrentDictionary<Values, Series> _series = new();
    readonly string _name = NameOf(instrument);
    readonly bool _isSum = instrument is Counter<long> or Counter<double>;
    readonly IReadOnlyList<double>? _bounds = (instrument as Histogram<double>)?.Advice?.HistogramBucketBoundaries;

    public void Add(double value, ReadOnlySpan<KeyValuePair<string, object?>> attributes)
    {
        var key = new Values(At(attributes, 0), At(attributes, 1), At(attributes, 2));
        if (!_series.TryGetValue(key, out var series))
            series = _series.GetOrAdd(key, new Series(Labels(attributes), _bounds?.Count ?? 0));
        lock (series)
        {
            series.Sum = _isSum || _bounds is not null ? series.Sum + value : value;
            if (_bounds is not null)
                series.Counts[Bucket(value)]++;
        }
    }

    public void Write(StringBuilder text)
    {
        text.Append("# HELP ").Append(_name).Append(' ').Append(instrument.Description).Append('\n');
        text.Append("# TYPE ").Append(_name).Append(_bounds is not null ? " histogram\n" : _isSum ? " counter\n" : " gauge\n");
        foreach (var series in _series.Values.OrderBy(series => series.Labels, StringComparer.Ordinal))
            lock (series)
                Write(text, series);
    }

    void Write(StringBuilder text, Series series)
    {
        if (_bounds is null)
        {
            Line(text, "", series.Labels, series.Sum);
            return;
        }
        long count = 0;
        for (var i = 0; i < series.Counts.Length; i++)
        {
            count += series.Counts[i];
            var bound = i == _bounds.Count ? "+Inf" : _bounds[i].ToString(CultureInfo.InvariantCulture);
            Line(text, "_bucket", series.Labels + (series.Labels.Length == 0 ? "" : ",") + $"le=\"{bound}\"", count);
        }
        Line(text, "_sum", series.Labels, series.Sum);
        Line(text, "_count", series.Labels, count);
    }

    void Line(StringBuilder text, string suffix, string labels, double value)
    {
        text.Append(_name).Append(suffix);
        if (labels.Length > 0)
            text.Append('{').Append(labels).Append('}');
        text.Append(CultureInfo.InvariantCulture, $" {value}\n");
    }

    int Bucket(double value)
    {
        var i = 0;
        while (i < _bounds!.Count && value > _bounds[i])
            i++;
        return i;
    }

    static string? At(ReadOnlySpan<KeyValuePair<string, object?>> attributes, int i) =>
        i < attributes.Length ? attributes[i].Value as string : null;

    static string Labels(ReadOnlySpan<KeyValuePair<string, object?>> attributes)
    {
        var labels = new string[attributes.Length];
        for (var i = 0; i < labels.Length; i++)
            labels[i] = $"{Underscored(attributes[i].Key)}=\"{Escaped(attributes[i].Value as string ?? "")}\"";
        return string.Join(',', labels);
    }

    /// <summary>As OpenTelemetry maps names: underscores, the unit unless it is in braces, <c>_total</c> for counters.</summary>
    static string NameOf(Instrument instrument)
    {
        var unit = instrument.Unit switch
        {
            null => "",
            "s" => "_seconds",
            ['{', ..] => "",
            var other => "_" + other,
        };
        return Underscored(instrument.Name) + unit + (instrument is Counter<long> or Counter<double> ? "_total" : "");
    }

    static string Underscored(string name) => name.Replace('.', '_');

    static string Escaped(string value) => value.Replace("\\", "\\\\").Replace("\"", "\\\"").Replace("\n", "\\n");

    readonly record struct Values(string? First, string? Second, string? Third);

    /// <param name="labels">As they stand between braces.</param>
    sealed class Series(string labels, int bounds)
    {
        public string Labels => labels;

        /// <summary>Of a gauge: its newest value.</summary>
        public double Sum { get; set; }

        /// <summary>Per bucket, not cumulative; the last one is above all bounds.</summary>
        public long[] Counts { get; } = new long[bounds + 1];
    }
}
