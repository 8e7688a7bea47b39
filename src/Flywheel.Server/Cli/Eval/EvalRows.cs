using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using Flywheel.Core;
using Flywheel.Core.Datasets;
using Flywheel.Core.Metrics;
using Flywheel.Core.Traces;
using Flywheel.Engine.Evaluation;
using Flywheel.Server.Files;

namespace Flywheel.Server.Cli.Eval;

/// <summary>Which fields of a row are what.</summary>
/// <param name="Output">Null: <c>output</c>, else <c>text</c>.</param>
/// <param name="Expected">Field with the right class; null compares nothing.</param>
/// <param name="Attributes">Field with the span's attributes; null takes the whole row.</param>
/// <param name="AllNode">Node of every row that names none; null leaves it open.</param>
/// <param name="AllKind">Kind of every row that names none; null leaves it open.</param>
sealed record EvalFields(
    string Id, string Input, string? Output, string? Expected, string Node, string Kind, string? Attributes, string? AllNode, NodeKind? AllKind);

/// <summary>A row not read yet: a line of JSON, or what a reader of another format made of it.</summary>
readonly record struct RawRow(int Line, string Json);

/// <summary>The rows to evaluate: of a file (JSONL, CSV or Parquet), or items of a data set. A row that cannot be read is a case with its problem.</summary>
sealed class EvalRows(string path, EvalFields fields, TimeProvider clock)
{
    static readonly JsonSerializerOptions _plain = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    readonly DateTimeOffset _now = clock.GetUtcNow();
    readonly (DatasetVersion Version, Func<IEnumerable<DatasetItem>> Items)? _dataset;

    /// <param name="items">Reads the version from its beginning.</param>
    public EvalRows(DatasetVersion version, Func<IEnumerable<DatasetItem>> items, EvalFields fields, TimeProvider clock)
        : this($"{version.Dataset}@{version.Number}", fields, clock) => _dataset = (version, items);

    /// <summary>The file, or NAME@VERSION of a data set.</summary>
    public string Name => path;

    /// <summary>SHA-256 of the content, and how many rows there are, or a few more.</summary>
    public async Task<(string Hash, long Lines)> FingerprintAsync(CancellationToken ct)
    {
        if (_dataset is { } dataset)
            return (dataset.Version.ContentHash, dataset.Version.Items);
        if (!File.Exists(path))
            throw new UsageException($"There is no file {path}: name JSONL or CSV rows with --data.");
        await using var file = File.OpenRead(path);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[1 << 16];
        var (lines, last) = (0L, (byte)'\n');
        for (int read; (read = await file.ReadAsync(buffer, ct)) > 0; last = buffer[read - 1])
        {
            hash.AppendData(buffer, 0, read);
            lines += buffer.AsSpan(0, read).Count((byte)'\n');
        }
        return (Convert.ToHexStringLower(hash.GetHashAndReset()), lines + (last == '\n' ? 0 : 1));
    }

    /// <summary>Rows that are not <paramref name="done"/>, in the file's order.</summary>
    public IEnumerable<RawRow> Raw(IReadOnlySet<int> done)
    {
        if (_dataset is { } dataset)
        {
            foreach (var item in dataset.Items())
                if (!done.Contains((int)item.Ordinal))
                    yield return new((int)item.Ordinal, Json(item));
            yield break;
        }
        if (!RowFile.IsJsonl(path))
        {
            foreach (var (line, row) in RowFile.Read(path))
                if (!done.Contains(line))
                    yield return new(line, row.GetRawText());
            yield break;
        }
        var number = 0;
        foreach (var line in File.ReadLines(path))
            if (!done.Contains(++number) && !string.IsNullOrWhiteSpace(line))
                yield return new(number, line);
    }

    /// <summary>An item as a row: its attributes are fields beside what is its own.</summary>
    static string Json(DatasetItem item)
    {
        var row = item.Content.Attributes is { } attributes ? JsonNode.Parse(attributes)!.AsObject() : [];
        row["input"] = item.Content.Input;
        row["expected"] = item.Content.Expected;
        if (item.Content.Split is not null)
            row["split"] = item.Content.Split;
        if (item.Content.EndUser is not null)
            row["end_user"] = item.Content.EndUser;
        return row.ToJsonString(_plain);
    }

    /// <summary>The first row that can be read; null when there is none.</summary>
    public EvalCase? First() => Raw(new HashSet<int>()).Select(Read).FirstOrDefault(one => one.Span is not null);

    /// <summary>Refuses a mapping that the first row contradicts, which is a slip of the command line and not a fault of the row.</summary>
    public void CheckMapping()
    {
        if (Raw(new HashSet<int>()).Select(raw => StrictJson.Parse(raw.Json, out _)).FirstOrDefault(row => row is { ValueKind: JsonValueKind.Object }) is not { } first)
            return;
        foreach (var (option, field) in new[] { ("--output-field", Generates ? null : fields.Output), ("--expected-field", fields.Expected), ("--attributes-field", fields.Attributes) })
            if (field is not null && !first.TryGetProperty(field, out _))
                throw new UsageException($"{option} `{field}` is no field of {path}: its first row has {Names(first)}.");
    }

    /// <summary>Null for a file.</summary>
    public DatasetVersion? Dataset { get; init; }

    /// <summary>A model makes the outputs: those of the rows are left aside.</summary>
    public bool Generates { get; init; }

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
            return new(raw.Line, id, null, $"`{fields.Kind}` is `{word}`: use {Wire.Choices<NodeKind>()}", Compares: fields.Expected is not null);

        var output = fields.Output ?? (row.TryGetProperty("output", out _) ? "output" : "text");
        var span = new NewSpan
        {
            Key = new SpanKey("file", line), Node = node ?? "file", Kind = kind ?? NodeKind.Other, Input = JsonFields.Text(row, fields.Input),
            Output = JsonFields.Text(row, output), Error = JsonFields.Text(row, "error"), StartedAt = _now, Model = JsonFields.Text(row, "model"), Session = JsonFields.Text(row, "session"),
            EndUser = JsonFields.Text(row, "end_user"), DurationMs = Number(row, "duration_ms") ?? 0, InputTokens = (int?)Number(row, "input_tokens"),
            OutputTokens = (int?)Number(row, "output_tokens"), CostUsd = Number(row, "cost_usd"),
            Attributes = fields.Attributes is { } inner ? JsonFields.Text(row, inner) : raw.Json,
        };
        return new(
            raw.Line, id, new Span(default, default, span, _now), null,
            row.TryGetProperty(output, out _) ? null : $"the row has no field `{fields.Output ?? "output"}`: it has {Names(row)}", node, kind,
            fields.Expected is { } right ? JsonFields.Text(row, right)?.Trim() : null, fields.Expected is not null) { Fields = row };
    }

    static double? Number(JsonElement row, string field) =>
        double.TryParse(JsonFields.Text(row, field), NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && number is >= 0 and <= int.MaxValue
            ? number
            : null;

    static string Names(JsonElement row) =>
        row.EnumerateObject().Any() ? string.Join(", ", row.EnumerateObject().Take(20).Select(property => $"`{property.Name}`")) : "no fields";
}
