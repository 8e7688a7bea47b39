using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Text;
using Flywheel.Core.Observability;

namespace Flywheel.Server.Features.Observability;

/// <summary>Listens to Flywheel's meter from the start of the server, and writes what it heard in the text format of Prometheus.</summary>
/// <remarks>Of our own, because the exporter of OpenTelemetry for Prometheus has no release yet.</remarks>
sealed class PrometheusMetrics : IDisposable
{
    readonly MeterListener _listener = new();
    readonly ConcurrentDictionary<string, InstrumentSeries> _instruments = new();

    public PrometheusMetrics()
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (ReferenceEquals(instrument.Meter, FlywheelMeter.Meter))
                listener.EnableMeasurementEvents(instrument, _instruments.GetOrAdd(instrument.Name, _ => new InstrumentSeries(instrument)));
        };
        _listener.SetMeasurementEventCallback<long>(
            static (_, value, attributes, series) => ((InstrumentSeries)series!).Add(value, attributes));
        _listener.SetMeasurementEventCallback<double>(
            static (_, value, attributes, series) => ((InstrumentSeries)series!).Add(value, attributes));
        _listener.Start();
    }

    public string Write()
    {
        var text = new StringBuilder(8 * 1024);
        foreach (var (_, instrument) in _instruments.OrderBy(each => each.Key, StringComparer.Ordinal))
            instrument.Write(text);
        return text.ToString();
    }

    public void Dispose() => _listener.Dispose();
}
