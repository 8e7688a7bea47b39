using System.Text.Json;
using Flywheel.Core;
using Flywheel.Core.Archives;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Traces;
using Flywheel.Engine.Metrics;
using Flywheel.Engine.Traces;

namespace Flywheel.Engine.Archives;

/// <summary>One import of an archive: its rows in batches of one kind, and what became of them.</summary>
sealed class ArchiveImporter(IArchiveStore archives, SpanIntake intake, ProjectId project, MetricRules rules)
{
    const int RowsAtOnce = 500, MaxRejected = 1_000;

    readonly Dictionary<string, ArchiveKind> _kinds = archives.Kinds.ToDictionary(kind => kind.Name);
    readonly List<(int Line, ArchiveRow Row)> _batch = [];
    readonly SortedDictionary<string, long> _imported = [];
    readonly SortedDictionary<string, long> _read = [];
    readonly List<RowRejection> _rejected = [];

    /// <summary>Names that mean something else in this project: what belongs to them in the archive must not be taken for theirs.</summary>
    readonly HashSet<(string Kind, string Name)> _other = [];

    readonly Dictionary<(string Metric, long Number), ArchiveRow> _versions = [];

    /// <summary>Rows that were not there before, by kind.</summary>
    public IReadOnlyDictionary<string, long> Imported => _imported;

    /// <summary>Rows of the archive, by kind.</summary>
    public IReadOnlyDictionary<string, long> Read => _read;

    public IReadOnlyList<RowRejection> Rejected => _rejected;

    public long RejectedInAll { get; private set; }

    /// <summary>Entries of the archive's audit that stayed outside, because the project has one of its own.</summary>
    public long ForeignAudit { get; private set; }

    /// <param name="jsonAsText">JSON columns hold text, as in a Parquet file.</param>
    public async Task AddAsync(int line, string type, JsonElement json, bool jsonAsText, CancellationToken ct)
    {
        if (!_kinds.TryGetValue(type, out var kind))
        {
            Reject(line, $"The type `{type}` is unknown: use {string.Join(", ", _kinds.Keys)}.");
            return;
        }
        _read[type] = _read.GetValueOrDefault(type) + 1;
        try
        {
            if (_batch.Count > 0 && _batch[0].Row.Kind != kind)
                await FlushAsync(ct);
            _batch.Add((line, ArchiveJson.Read(kind, json, jsonAsText)));
        }
        catch (FlywheelException e)
        {
            Reject(line, e.Message);
        }
        if (_batch.Count >= RowsAtOnce)
            await FlushAsync(ct);
    }

    public async Task FlushAsync(CancellationToken ct)
    {
        if (_batch.Count == 0)
            return;
        var batch = _batch.ToArray();
        _batch.Clear();
        var type = batch[0].Row.Kind.Name;
        batch = [.. batch.Where(each => MayBelong(each.Line, each.Row))];
        if (type == "span")
            batch = await FilteredAsync(batch, ct);
        if (type == "metric")
            batch = [.. batch.Where(each => CanWork(each.Line, each.Row))];
        var written = await archives.WriteAsync(project, [.. batch.Select(each => each.Row)], ct);
        if (written.Added > 0)
            _imported[type] = _imported.GetValueOrDefault(type) + written.Added;
        foreach (var refusal in written.Refused)
        {
            var (line, row) = batch[refusal.Index];
            if (refusal.Why == IArchiveStore.OwnAudit)
            {
                ForeignAudit++;
                continue;
            }
            Reject(line, $"{type}: {refusal.Why}.");
            if (type == "metric_version")
                _other.Add(("metric", (string)Value(row, "metric")!));
            if (type == "dataset_version")
                _other.Add(("dataset", (string)Value(row, "dataset")!));
        }
        if (type == "metric_version")
            foreach (var (_, row) in batch)
                _versions[((string)Value(row, "metric")!, (long)Value(row, "number")!)] = row;
    }

    bool MayBelong(int line, ArchiveRow row)
    {
        foreach (var (kind, field) in new[] { ("metric", row.Kind.Name == "metric" ? "name" : "metric"), ("dataset", "dataset") })
            if (Value(row, field) is string name && _other.Contains((kind, name))
                && row.Kind.Name is not ("metric_version" or "dataset_version"))
            {
                Reject(line, $"{row.Kind.Name}: it belongs to the {kind} `{name}`, which is another one in this project.");
                return false;
            }
        return true;
    }

    /// <summary>Spans by the rules of every span, without what the project's guards take out of them.</summary>
    async Task<(int Line, ArchiveRow Row)[]> FilteredAsync((int Line, ArchiveRow Row)[] batch, CancellationToken ct)
    {
        var admitted = await intake.AdmitAsync(project, [.. batch.Select(each => Span(each.Row))], ct);
        if (admitted.Refusals is { } refusals)
        {
            for (var i = 0; i < batch.Length; i++)
                if (refusals[i] is { } refusal)
                    Reject(batch[i].Line, refusal.Message);
            batch = [.. batch.Where((_, i) => refusals[i] is null)];
        }
        return
        [
            .. batch.Zip(admitted.Spans, (each, span) => (each.Line, With(
                each.Row, ("input", span.Input), ("output", span.Output), ("error", span.Error), ("attributes", span.Attributes)))),
        ];
    }

    static NewSpan Span(ArchiveRow row) => new()
    {
        Key = new(Value(row, "trace_id") as string ?? "", Value(row, "span_id") as string ?? ""),
        ParentId = Value(row, "parent_id") as string, Node = Value(row, "node") as string ?? "",
        Kind = Wire.Parse<NodeKind>(Value(row, "kind") as string) ?? NodeKind.Other,
        StartedAt = Value(row, "started_at") is long micros
            ? DateTimeOffset.UnixEpoch.AddTicks(micros * TimeSpan.TicksPerMicrosecond) : default,
        DurationMs = Value(row, "duration_ms") as double? ?? 0, Session = Value(row, "session") as string,
        EndUser = Value(row, "end_user") as string,
        Model = Value(row, "model") as string, Error = Value(row, "error") as string, Input = Value(row, "input") as string,
        Output = Value(row, "output") as string, Attributes = Value(row, "attributes") as string,
    };

    /// <summary>Metrics run in this server, so each must be able to, as if it were added.</summary>
    bool CanWork(int line, ArchiveRow row)
    {
        var name = (string)Value(row, "name")!;
        if (!_versions.TryGetValue((name, Value(row, "version") as long? ?? 0), out var version))
        {
            Reject(line, $"metric: `{name}` comes without its version {Value(row, "version")}.");
            return false;
        }
        try
        {
            rules.Check(new NewMetric(
                name, (string)Value(version, "criterion")!, Choice<MetricSubject>(version, "subject"), Texts(version, "nodes"),
                Texts(version, "kinds")?.Select(
                    kind => Wire.Parse<NodeKind>(kind)
                        ?? throw new FlywheelException($"`kinds` holds `{kind}`: use {Wire.Choices<NodeKind>()}.")).ToArray(),
                Value(version, "sampling") as double? ?? 1, ValidatorJson.Read(JsonElement.Parse((string)Value(version, "validator")!)),
                Value(version, "author") as string ?? "import", Choice<MetricRole>(version, "role"), Choice<MetricState>(row, "state"),
                Value(version, "on_fail") is null ? null : Choice<GuardAction>(version, "on_fail"),
                Value(version, "on_error") is null ? null : Choice<GuardFault>(version, "on_error"), Texts(version, "segments")));
            return true;
        }
        catch (Exception e) when (e is FlywheelException or RequestException or JsonException)
        {
            Reject(line, $"metric: `{name}` cannot work here: {e.Message}");
            return false;
        }
    }

    static T Choice<T>(ArchiveRow row, string field) where T : struct, Enum => Value(row, field) is not string word
        ? default
        : Wire.Parse<T>(word) ?? throw new FlywheelException($"`{field}` is `{word}`: use {Wire.Choices<T>()}.");

    static string[]? Texts(ArchiveRow row, string field) =>
        Value(row, field) is string json ? JsonSerializer.Deserialize<string[]>(json) : null;

    static object? Value(ArchiveRow row, string field)
    {
        for (var i = 0; i < row.Values.Length; i++)
            if (row.Kind.Fields[i].Name == field)
                return row.Values[i];
        return null;
    }

    static ArchiveRow With(ArchiveRow row, params (string Field, string? Text)[] texts)
    {
        var values = (object?[])row.Values.Clone();
        for (var i = 0; i < values.Length; i++)
            foreach (var (field, text) in texts)
                if (row.Kind.Fields[i].Name == field)
                    values[i] = text;
        return row with { Values = values };
    }

    void Reject(int line, string message)
    {
        RejectedInAll++;
        if (_rejected.Count < MaxRejected)
            _rejected.Add(new(line, message));
    }
}
