using System.Globalization;
using System.Text.Json;
using Flywheel.Core;
using Flywheel.Core.Metrics;
using Flywheel.Core.Traces;

namespace Flywheel.Engine.Evaluation;

/// <summary>The rows to evaluate, as cases. A row that cannot be read is a case with its problem.</summary>
public sealed class EvalRows(IEvalSource source, EvalFields fields, TimeProvider clock)
{
    readonly DateTimeOffset _now = clock.GetUtcNow();

    public IEvalSource Source => source;

    public EvalFields Fields => fields;

    /// <summary>A model makes the outputs; those of the rows are ignored.</summary>
    public bool Generates { get; init; }

    /// <inheritdoc cref="IEvalSource.Read"/>
    public IEnumerable<RawRow> Raw(IReadOnlySet<int> done) => source.Read(done);

    /// <summary>The first row that can be read; null when there is none.</summary>
    public EvalCase? First() => Raw(new HashSet<int>()).Select(Read).FirstOrDefault(one => one.Span is not null);

    /// <summary>Refuses a mapping that the first row contradicts: the request is wrong, not the row.</summary>
    /// <exception cref="RequestException"><c>invalid_output_field</c>, <c>invalid_expected_field</c>,
    /// <c>invalid_attributes_field</c>.</exception>
    public void CheckMapping()
    {
        if (Raw(new HashSet<int>()).Select(raw => StrictJson.Parse(raw.Json, out _))
            .FirstOrDefault(row => row is { ValueKind: JsonValueKind.Object }) is not { } first)
            return;
        foreach (var (option, field) in new[]
        {
            ("output_field", Generates ? null : fields.Output), ("expected_field", fields.Expected),
            ("attributes_field", fields.Attributes),
        })
            if (field is not null && !first.TryGetProperty(field, out _))
                throw RequestException.BadField(
                    option, $"`{option}` is `{field}`, which is no field of {source.Name}: its first row has {Names(first)}.");
    }

    public EvalCase Read(RawRow raw)
    {
        var line = raw.Line.ToString(CultureInfo.InvariantCulture);
        if (StrictJson.Parse(raw.Json, out var problem) is not { } row)
            return new(raw.Line, line, null, $"line {line} is no JSON: {problem}", Compares: fields.Expected is not null);
        if (row.ValueKind != JsonValueKind.Object)
            return new(raw.Line, line, null, $"line {line} is no JSON object", Compares: fields.Expected is not null);

        var id = JsonFields.Text(row, fields.Id) ?? line;
        var (node, word) = (JsonFields.Text(row, fields.Node) ?? fields.AllNode, JsonFields.Text(row, fields.Kind));
        var kind = Wire.Parse<NodeKind>(word) ?? fields.AllKind;
        if (word is not null && Wire.Parse<NodeKind>(word) is null)
            return new(raw.Line, id, null, $"`{fields.Kind}` is `{word}`: use {Wire.Choices<NodeKind>()}",
                Compares: fields.Expected is not null);

        var output = fields.Output ?? (row.TryGetProperty("output", out _) ? "output" : "text");
        var span = new NewSpan
        {
            Key = new SpanKey("file", line), Node = node ?? "file", Kind = kind ?? NodeKind.Other,
            Input = JsonFields.Text(row, fields.Input),
            Output = JsonFields.Text(row, output), Error = JsonFields.Text(row, "error"), StartedAt = _now,
            Model = JsonFields.Text(row, "model"), Session = JsonFields.Text(row, "session"),
            EndUser = JsonFields.Text(row, "end_user"), DurationMs = Number(row, "duration_ms") ?? 0,
            InputTokens = (int?)Number(row, "input_tokens"),
            OutputTokens = (int?)Number(row, "output_tokens"), CostUsd = Number(row, "cost_usd"),
            Attributes = fields.Attributes is { } inner ? JsonFields.Text(row, inner) : raw.Json,
        };
        return new(
            raw.Line, id, new Span(default, default, span, _now), null,
            row.TryGetProperty(output, out _) ? null : $"the row has no field `{fields.Output ?? "output"}`: it has {Names(row)}", node,
            kind,
            fields.Expected is { } right ? JsonFields.Text(row, right)?.Trim() : null, fields.Expected is not null) { Fields = row };
    }

    static double? Number(JsonElement row, string field) =>
        double.TryParse(JsonFields.Text(row, field), NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
            && number is >= 0 and <= int.MaxValue
            ? number
            : null;

    static string Names(JsonElement row) =>
        row.EnumerateObject().Any()
            ? string.Join(", ", row.EnumerateObject().Take(20).Select(property => $"`{property.Name}`")) : "no fields";
}
