using System.Globalization;
using System.Text.Json;
using Flywheel.Core;
using Flywheel.Core.Labeling;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Retrieval;
using Flywheel.Core.Traces;
using Flywheel.Engine.Labeling;
using Flywheel.Engine.Metrics;
using Flywheel.Engine.Traces;

namespace Flywheel.Engine.Archives;

/// <summary>One import of typed rows; a row without a type is a span.</summary>
/// <param name="caller">Author of rows that name none.</param>
sealed class RecordImporter(
    Caller caller, IMetricStore metrics, IDemonstrationStore demonstrations, SpanIntake intake, MetricRules rules, LabelService labels,
    CorrectionService corrections, FeedbackService feedback, TimeProvider clock)
{
    const int SpansAtOnce = 500;

    readonly List<(int Line, NewSpan Span)> _spans = [];
    readonly SortedDictionary<string, long> _imported = [];
    readonly List<RowRejection> _rejected = [];

    public IReadOnlyDictionary<string, long> Imported => _imported;
    public IReadOnlyList<RowRejection> Rejected => _rejected;

    public async Task AddAsync(int line, JsonElement row, CancellationToken ct)
    {
        var type = JsonFields.Text(row, "type") ?? "span";
        try
        {
            switch (type)
            {
                case "span":
                    AddSpan(line, Without(row, "type"));
                    if (_spans.Count >= SpansAtOnce)
                        await FlushAsync(ct);
                    break;
                case "metric":
                    await AddMetricAsync(row, ct);
                    break;
                case "label":
                    await FlushAsync(ct);
                    await AddLabelAsync(row, ct);
                    break;
                case "correction":
                    await FlushAsync(ct);
                    await AddCorrectionAsync(row, ct);
                    break;
                case "feedback":
                    await FlushAsync(ct);
                    await AddFeedbackAsync(row, ct);
                    break;
                case "demonstration":
                    await AddDemonstrationAsync(row, ct);
                    break;
                default:
                    throw new FlywheelException(
                        $"The type `{type}` is unknown: use span, metric, label, correction, feedback or demonstration.");
            }
        }
        catch (Exception e) when (e is FlywheelException or RequestException or FormatException or JsonException)
        {
            _rejected.Add(new RowRejection(line, e.Message));
        }
    }

    public async Task FlushAsync(CancellationToken ct)
    {
        if (_spans.Count == 0)
            return;
        var results = await intake.AddAsync(caller.Project, [.. _spans.Select(each => each.Span)], ct);
        for (var i = 0; i < results.Count; i++)
            if (results[i].Refusal is { } refusal)
                _rejected.Add(new RowRejection(_spans[i].Line, refusal.Message));
            else
                Count("spans");
        _spans.Clear();
    }

    void AddSpan(int line, JsonElement row)
    {
        if (SpanReader.Read(row, clock.GetUtcNow(), out var problem) is { } span)
            _spans.Add((line, span));
        else
            _rejected.Add(new RowRejection(line, problem!.Message));
    }

    async Task AddMetricAsync(JsonElement row, CancellationToken ct)
    {
        var name = Need(row, "name");
        var metric = new NewMetric(
            name, Need(row, "criterion"), Choice<MetricSubject>(row, "subject"), Texts(row, "nodes"),
            Texts(row, "kinds")?.Select(
                kind => Wire.Parse<NodeKind>(kind)
                    ?? throw new FlywheelException($"`kinds` holds `{kind}`: use {Wire.Choices<NodeKind>()}.")).ToArray(),
            Share(row, "sampling") ?? 1,
            ValidatorJson.Read(NeedJson(row, "validator")), JsonFields.Text(row, "author") ?? "import",
            Choice<MetricRole>(row, "role"), JsonFields.Text(row, "state") is null ? MetricState.Active : Choice<MetricState>(row, "state"),
            JsonFields.Text(row, "on_fail") is null ? null : Choice<GuardAction>(row, "on_fail"),
            JsonFields.Text(row, "on_error") is null ? null : Choice<GuardFault>(row, "on_error"));
        rules.Check(metric);
        if (await metrics.FindAsync(caller.Project, name, ct) is null)
        {
            await metrics.AddAsync(caller.Project, metric, expectNew: true, clock.GetUtcNow(), ct);
            Count("metrics");
        }
    }

    async Task AddLabelAsync(JsonElement row, CancellationToken ct)
    {
        await labels.AddAsync(
            caller,
            new(Need(row, "trace_id"), Need(row, "span_id"), Need(row, "metric"),
                bool.TryParse(Need(row, "passed"), out var passed)
                    ? passed : throw new FlywheelException("`passed` must be true or false."),
                JsonFields.Text(row, "mode"), JsonFields.Text(row, "critique"), JsonFields.Text(row, "author"), Share(row, "propensity"),
                JsonFields.Text(row, "adjudicates") == "true", Id(row), Time(row)),
            ct);
        Count("labels");
    }

    async Task AddCorrectionAsync(JsonElement row, CancellationToken ct)
    {
        await corrections.AddAsync(
            caller,
            new(Need(row, "trace_id"), Need(row, "span_id"), JsonFields.Text(row, "corrected_output"), JsonFields.Text(row, "went_wrong"),
                JsonFields.Text(row, "reasoning"),
                JsonFields.Text(row, "author"), Id(row), Time(row)),
            ct);
        Count("corrections");
    }

    /// <summary>A number from 0 to 1; null when it is not given.</summary>
    static double? Share(JsonElement row, string field) => JsonFields.Text(row, field) is not { } text ? null
        : double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var share) && share is >= 0 and <= 1 ? share
        : throw new FlywheelException($"`{field}` is `{text}`: give a number from 0 to 1.");

    async Task AddFeedbackAsync(JsonElement row, CancellationToken ct)
    {
        await feedback.RestoreAsync(
            caller,
            new Feedback(
                Id(row) ?? Guid.CreateVersion7(), caller.Project, Need(row, "trace_id"), JsonFields.Text(row, "span_id"), Need(row, "name"),
                NeedJson(row, "value").GetRawText(), JsonFields.Text(row, "comment"), JsonFields.Text(row, "end_user"), Time(row))
            {
                Session = JsonFields.Text(row, "session"),
            },
            ct);
        Count("feedback");
    }

    /// <summary>
    /// One that came from a correction or label is there already, made with its source: it only takes over the decision. Others are added.
    /// </summary>
    async Task AddDemonstrationAsync(JsonElement row, CancellationToken ct)
    {
        await FlushAsync(ct);
        var state = JsonFields.Text(row, "state") is null ? DemonstrationState.Pending : Choice<DemonstrationState>(row, "state");
        var at = JsonFields.Text(row, "approved_at") is { } approved ? When(approved) : clock.GetUtcNow();
        var by = JsonFields.Text(row, "approved_by") ?? "import";
        Guid id;
        if (JsonFields.Text(row, "source") is { } source && Guid.TryParse(source, out var cause)
            && await demonstrations.OfSourceAsync(caller.Project, cause, ct) is { } made)
        {
            id = made.Id;
            if (Share(row, "disagreement") is { } disagreement)
                await demonstrations.SetDisagreementAsync(caller.Project, id, disagreement, ct);
        }
        else
        {
            id = Id(row) ?? Guid.CreateVersion7();
            if (await demonstrations.GetAsync(caller.Project, id, ct) is null)
                await demonstrations.AddAsync([new Demonstration(
                    id, caller.Project, Choice<DemonstrationPurpose>(row, "purpose"), Need(row, "target"), Need(row, "input"),
                    Need(row, "output"),
                    JsonFields.Text(row, "rejected_output"), JsonFields.Text(row, "reason"),
                    Share(row, "disagreement") ?? 0, JsonFields.Text(row, "end_user"), null,
                    DemonstrationState.Pending, JsonFields.Text(row, "author") ?? "import", Time(row), null, null, null, null)], ct);
        }
        if (state != DemonstrationState.Pending)
            await demonstrations.ApproveAsync(caller.Project, [id], by, at, ct);
        if (state == DemonstrationState.Recalled)
            await demonstrations.RecallAsync(
                caller.Project, [id], JsonFields.Text(row, "recalled_by") ?? "import",
                JsonFields.Text(row, "recalled_at") is { } recalled ? When(recalled) : clock.GetUtcNow(), ct);
        Count("demonstrations");
    }

    void Count(string what) => _imported[what] = _imported.GetValueOrDefault(what) + 1;

    static string Need(JsonElement row, string field) =>
        JsonFields.Text(row, field) ?? throw new FlywheelException($"The field `{field}` is missing.");

    static JsonElement NeedJson(JsonElement row, string field) =>
        row.TryGetProperty(field, out var value) ? value : throw new FlywheelException($"The field `{field}` is missing.");

    static T Choice<T>(JsonElement row, string field) where T : struct, Enum => JsonFields.Text(row, field) is not { } word
        ? default
        : Wire.Parse<T>(word) ?? throw new FlywheelException($"`{field}` is `{word}`: use {Wire.Choices<T>()}.");

    static string[]? Texts(JsonElement row, string field) =>
        row.TryGetProperty(field, out var list)
            && list.ValueKind == JsonValueKind.Array ? [.. list.EnumerateArray().Select(item => item.ToString())] : null;

    static Guid? Id(JsonElement row) => JsonFields.Text(row, "id") is not { } text ? null
        : Guid.TryParse(text, out var id) ? id : throw new FlywheelException($"`id` is `{text}`: it must be a UUID.");

    DateTimeOffset Time(JsonElement row) => JsonFields.Text(row, "created_at") is { } text ? When(text) : clock.GetUtcNow();

    static DateTimeOffset When(string text) =>
        DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at)
            ? at.ToUniversalTime()
            : throw new FlywheelException($"`{text}` is no ISO-8601 time.");

    static JsonElement Without(JsonElement row, string field)
    {
        if (!row.TryGetProperty(field, out _))
            return row;
        return JsonSerializer.SerializeToElement(row.EnumerateObject().Where(property => property.Name != field)
            .ToDictionary(property => property.Name, property => property.Value));
    }
}
