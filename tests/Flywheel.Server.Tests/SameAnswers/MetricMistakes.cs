using System.Text.Json;
using Flywheel.Core.Projects;
using Flywheel.Engine.Evaluation;
using Flywheel.Engine.Jobs;
using Flywheel.Engine.Judging;
using Flywheel.Engine.Judging.Aligning;
using Flywheel.Engine.Judging.Anchoring;
using Flywheel.Engine.Metrics;
using Flywheel.Engine.Packs;

namespace Flywheel.Server.Tests.SameAnswers;

/// <summary>Metrics, judges, packs and prompts.</summary>
/// <remarks>The server holds what <see cref="PeopleMistakes"/> says.</remarks>
static class MetricMistakes
{
    const string NoId = "00000000-0000-0000-0000-0000000000ff";

    static readonly Guid UnknownId = Guid.Parse(NoId);

    /// <summary>Use cases that refuse nothing, by name, with the reason.</summary>
    public static IReadOnlyDictionary<string, string> Exempt { get; } = new Dictionary<string, string>
    {
        ["AlarmService.OpenAsync"] = "it has no argument that could be wrong",
    };

    public static IReadOnlyList<Mistake> All { get; } =
    [
        Mistake.Of<MetricService>(
            nameof(MetricService.CreateAsync), "metric_exists", "name",
            (it, caller, ct) => it.CreateAsync(caller, Definition("short"), ct)) with
        {
            Rest = "POST /api/v1/metrics", Body = """{"name":"short","criterion":"Is it?","validator":{"kind":"length","max":9}}""",
        },
        Mistake.Of<MetricService>(
            nameof(MetricService.AddVersionAsync), "invalid_name", "name",
            (it, caller, ct) => it.AddVersionAsync(caller, "short", Definition("long"), ct)) with
        {
            Rest = "POST /api/v1/metrics/short/versions",
                Body = """{"name":"long","criterion":"Is it?","validator":{"kind":"length","max":9}}""",
        },
        Mistake.Of<MetricService>(
            nameof(MetricService.SetStateAsync), "invalid_state", "state",
            (it, caller, ct) => it.SetStateAsync(caller, "short", "asleep", ct)) with
        {
            Rest = "POST /api/v1/metrics/short/state", Body = """{"state":"asleep"}""",
        },
        Mistake.Of<MetricService>(
            nameof(MetricService.ListAsync), "invalid_state", "state", (it, caller, ct) => it.ListAsync(caller, "asleep", ct)) with
        {
            Tool = "list_metrics", Arguments = """{"state":"asleep"}""",
        },
        NoMetric<MetricService>(
            nameof(MetricService.GetAsync), "GET /api/v1/metrics/none", (it, caller, ct) => it.GetAsync(caller, "none", ct)),
        NoMetric<MetricService>(
            nameof(MetricService.VersionsAsync), "GET /api/v1/metrics/none/versions",
            (it, caller, ct) => it.VersionsAsync(caller, "none", ct)),
        NoMetric<MetricService>(
            nameof(MetricService.ReadAsync), "GET /api/v1/metrics/none/summary",
            (it, caller, ct) => it.ReadAsync(caller, "none", new(), ct)) with
        {
            Tool = "read_metric", Arguments = """{"metric":"none"}""",
        },
        Mistake.Of<MetricService>(
            nameof(MetricService.ReadAsync), "invalid_by", "by",
            (it, caller, ct) => it.ReadAsync(caller, "short", new(By: "mood"), ct)) with
        {
            Rest = "GET /api/v1/metrics/short/summary?by=mood", Tool = "read_metric", Arguments = """{"metric":"short","by":"mood"}""",
        },
        Mistake.Of<ProposedMetricService>(
            nameof(ProposedMetricService.ProposeAsync), "metric_exists", "name",
            (it, caller, ct) => it.ProposeAsync(caller, Definition("short"), ct)) with
        {
            Tool = "propose_metric", Arguments = """{"name":"short","criterion":"Is it?","validator":{"kind":"length","max":9}}""",
        },
        Mistake.Of<PreviewService>(
            nameof(PreviewService.PreviewAsync), "invalid_last", "last",
            (it, caller, ct) => it.PreviewAsync(caller, Definition("short"), null, new(Last: 0), ct)) with
        {
            Rest = "POST /api/v1/metrics/preview",
                Body = """{"metric":{"name":"short","criterion":"Is it?","validator":{"kind":"length","max":9}},"last":0}""",
        },
        NoMetric<BackfillService>(
            nameof(BackfillService.BeginAsync), "POST /api/v1/metrics/none/backfill",
            (it, caller, ct) => it.BeginAsync(caller, "none", new(), ct), "{}"),
        NoMetric<BackfillService>(
            nameof(BackfillService.GetAsync), "GET /api/v1/metrics/none/backfill", (it, caller, ct) => it.GetAsync(caller, "none", ct)),
        Mistake.Of<ReferenceService>(
            nameof(ReferenceService.ProposeAsync), "invalid_metric", "name",
            (it, caller, ct) => it.ProposeAsync(caller, "short", null, null, ct)) with
        {
            Rest = "POST /api/v1/metrics/short/reference", Body = "{}",
        },
        NoMetric<ReferenceService>(
            nameof(ReferenceService.ListAsync), "GET /api/v1/metrics/none/reference", (it, caller, ct) => it.ListAsync(caller, "none", ct)),
        Mistake.Of<ReferenceService>(
            nameof(ReferenceService.DecideAsync), "unknown_reference", "number",
            (it, caller, ct) => it.DecideAsync(caller, "short", 9, approve: true, ct)) with
        {
            Rest = "POST /api/v1/metrics/short/reference/9/approve", Body = "{}",
        },
        NoMetric<GuidelineService>(
            nameof(GuidelineService.ListAsync), "GET /api/v1/metrics/none/guidelines",
            (it, caller, ct) => it.ListAsync(caller, "none", null, ct)) with
        {
            Tool = "list_guidelines", Arguments = """{"metric":"none"}""",
        },
        NoMetric<GuidelineService>(
            nameof(GuidelineService.ProposeAsync), "POST /api/v1/metrics/none/guidelines",
            (it, caller, ct) => it.ProposeAsync(caller, "none", "Be kind.", ct), """{"text":"Be kind."}"""),
        NoMetric<GuidelineService>(
            nameof(GuidelineService.DistilAsync), "POST /api/v1/metrics/none/guidelines",
            (it, caller, ct) => it.DistilAsync(caller, "none", null, ct), "{}"),
        Mistake.Of<GuidelineService>(
            nameof(GuidelineService.ApproveAsync), "unknown_guideline", null,
            (it, caller, ct) => it.ApproveAsync(caller, "short", UnknownId, ct)) with
        {
            Rest = $"POST /api/v1/metrics/short/guidelines/{NoId}/approve", Body = "{}",
        },
        Mistake.Of<GuidelineService>(
            nameof(GuidelineService.RemoveAsync), "unknown_guideline", null,
            (it, caller, ct) => it.RemoveAsync(caller, "short", UnknownId, ct)) with
        {
            Rest = $"POST /api/v1/metrics/short/guidelines/{NoId}/remove", Body = "{}",
        },
        Mistake.Of<ProposedGuidelineService>(
            nameof(ProposedGuidelineService.ProposeAsync), "unknown_metric", "metric",
            (it, caller, ct) => it.ProposeAsync(caller, "none", "Be kind.", ct)) with
        {
            Tool = "propose_guideline", Arguments = """{"metric":"none","text":"Be kind."}""",
        },
        NoMetric<CalibrationService>(
            nameof(CalibrationService.GetAsync), "GET /api/v1/metrics/none/calibration",
            (it, caller, ct) => it.GetAsync(caller, "none", ct)),
        NoMetric<JudgeAgreementService>(
            nameof(JudgeAgreementService.GetAsync), "GET /api/v1/metrics/none/alignment",
            (it, caller, ct) => it.GetAsync(caller, "none", new(), ct)),
        NoMetric<JudgeBudgetService>(
            nameof(JudgeBudgetService.GetAsync), "GET /api/v1/metrics/none/budget", (it, caller, ct) => it.GetAsync(caller, "none", ct)),
        Mistake.Of<JudgeBudgetService>(
            nameof(JudgeBudgetService.SetAsync), "invalid_usd_per_day", "usd_per_day",
            (it, caller, ct) => it.SetAsync(caller, "short", null, -1, ct)) with
        {
            Rest = "PUT /api/v1/metrics/short/budget", Body = """{"calls_per_day":null,"usd_per_day":-1}""",
        },
        NoMetric<AlarmService>(
            nameof(AlarmService.GetAsync), "GET /api/v1/metrics/none/alarms", (it, caller, ct) => it.GetAsync(caller, "none", ct)),
        Mistake.Of<AlarmService>(
            nameof(AlarmService.CloseAsync), "unknown_alarm", null, (it, caller, ct) => it.CloseAsync(caller, 99, ct)) with
        {
            Rest = "POST /api/v1/alarms/99/close", Body = "{}",
        },
        NoMetric<AnchorService>(
            nameof(AnchorService.GetAsync), "GET /api/v1/metrics/none/anchors", (it, caller, ct) => it.GetAsync(caller, "none", 10, ct)),
        NoMetric<AnchorService>(
            nameof(AnchorService.FreezeAsync), "POST /api/v1/metrics/none/anchors",
            (it, caller, ct) => it.FreezeAsync(caller, "none", 50, ct), "{}"),
        NoMetric<AnchorService>(
            nameof(AnchorService.ReplayAsync), "POST /api/v1/metrics/none/anchors/replay",
            (it, caller, ct) => it.ReplayAsync(caller, "none", ct), "{}"),
        NoMetric<AnchorService>(
            nameof(AnchorService.CloseAsync), "DELETE /api/v1/metrics/none/anchors", (it, caller, ct) => it.CloseAsync(caller, "none", ct)),
        NoMetric<AlignmentService>(
            nameof(AlignmentService.LookAsync), "POST /api/v1/metrics/none/align",
            (it, caller, ct) => it.LookAsync(caller, "none", new(), ct), """{"dry_run":true}""") with
        {
            Command = "align none --dry-run",
        },
        NoMetric<AlignmentService>(
            nameof(AlignmentService.BeginAsync), "POST /api/v1/metrics/none/align",
            (it, caller, ct) => it.BeginAsync(caller, "none", new(), ct), "{}") with
        {
            Command = "align none",
        },
        Mistake.Of<AlignmentService>(
            nameof(AlignmentService.BeginAsync), "not_a_judge", null, (it, caller, ct) => it.BeginAsync(caller, "short", new(), ct)) with
        {
            Rest = "POST /api/v1/metrics/short/align", Body = "{}", Command = "align short",
        },
        NoMetric<AlignmentService>(
            nameof(AlignmentService.ListAsync), "GET /api/v1/metrics/none/align", (it, caller, ct) => it.ListAsync(caller, "none", 10, ct)),
        Mistake.Of<PackService>(
            nameof(PackService.PreviewAsync), "invalid_last", "last",
            (it, caller, ct) => it.PreviewAsync(caller, "writer", new(new(Last: 0)), ct)) with
        {
            Rest = "POST /api/v1/packs/writer/preview", Body = """{"last":0}""", Command = "packs preview writer --last 0",
        },
        Mistake.Of<PackService>(
            nameof(PackService.ActivateAsync), "invalid_only", "only",
            (it, caller, ct) => it.ActivateAsync(caller, "writer", new(Only: ["writer.none"]), ct)) with
        {
            Rest = "POST /api/v1/packs/writer/activate", Body = """{"only":["writer.none"]}""",
                Command = "packs activate writer --only writer.none",
        },
        Mistake.Of<PackService>(
            nameof(PackService.PreviewAsync), "unknown_pack", null,
            (it, caller, ct) => it.PreviewAsync(caller, "none", new(new()), ct)) with
        {
            Rest = "POST /api/v1/packs/none/preview", Body = "{}", Command = "packs preview none",
        },
        Mistake.Of<PackService>(
            nameof(PackService.ActivateAsync), "unknown_pack", null, (it, caller, ct) => it.ActivateAsync(caller, "none", new(), ct)) with
        {
            Rest = "POST /api/v1/packs/none/activate", Body = "{}", Command = "packs activate none",
        },
    ];

    static MetricDefinition Definition(string name) => new(name, "Is it?", JsonElement.Parse("""{"kind":"length","max":9}"""));

    static Mistake NoMetric<T>(string method, string rest, Func<T, Caller, CancellationToken, Task> ask, string? body = null) where T
        : notnull =>
        Mistake.Of(method, "unknown_metric", "metric", ask) with { Rest = rest, Body = body };
}
