using System.Text.Json;
using Flywheel.Engine.Guarding;
using Flywheel.Engine.Jobs;
using Flywheel.Engine.Labeling;
using Flywheel.Engine.Proposals;
using Flywheel.Engine.Retrieval;
using Flywheel.Engine.Review;
using Flywheel.Engine.Traces;

namespace Flywheel.Server.Tests.SameAnswers;

/// <summary>Labels, review, demonstrations, traces, proposals, jobs and guards.</summary>
/// <remarks>The server holds the trace <c>t</c> with the span <c>s</c> of node <c>answer</c>, the active metric <c>short</c> and the
/// proposed <c>new</c>.</remarks>
static class PeopleMistakes
{
    const string NoId = "00000000-0000-0000-0000-0000000000ff";

    static readonly Guid UnknownId = Guid.Parse(NoId);

    /// <summary>Use cases that refuse nothing, by name, with the reason.</summary>
    public static IReadOnlyDictionary<string, string> Exempt { get; } = new Dictionary<string, string>
    {
        ["DemonstrationService.ApproveAsync"] = "ids that name no demonstration are left out, and the number says so",
        ["DemonstrationService.RecallAsync"] = "ids that name no demonstration are left out, and the number says so",
        ["JobService.RetryAsync"] = "ids that name no dead letter are left out, and the number says so",
        ["MetricReviewService.ListAsync"] = "it has no argument that could be wrong",
        ["NodePolicyService.GetAsync"] = "a node without a policy, or that nobody has seen, has the default one",
    };

    public static IReadOnlyList<Mistake> All { get; } =
    [
        Mistake.Of<LabelService>(
            nameof(LabelService.AddAsync), "unknown_metric", "metric", (it, caller, ct) =>
                it.AddAsync(caller, new("t", "s", "none", true), ct)) with
        {
            Rest = "POST /api/v1/labels", Body = """{"trace_id":"t","span_id":"s","metric":"none","passed":true}""",
        },
        Mistake.Of<LabelService>(
            nameof(LabelService.AddAsync), "mode_conflict", "mode", (it, caller, ct) =>
                it.AddAsync(caller, new("t", "served", "short", true, "blind"), ct)) with
        {
            Rest = "POST /api/v1/labels", Body = """{"trace_id":"t","span_id":"served","metric":"short","passed":true,"mode":"blind"}""",
            Command = """import label.jsonl""",
        },
        Mistake.Of<LabelService>(
            nameof(LabelService.ListAsync), "invalid_limit", "limit", (it, caller, ct) => it.ListAsync(caller, null, 0, ct)) with
        {
            Rest = "GET /api/v1/labels?limit=0",
        },
        Mistake.Of<LabelService>(
            nameof(LabelService.RemoveAsync), "unknown_label", null, (it, caller, ct) => it.RemoveAsync(caller, UnknownId, ct)) with
        {
            Rest = "DELETE /api/v1/labels/" + NoId,
        },
        Mistake.Of<CorrectionService>(
            nameof(CorrectionService.AddAsync), "unknown_span", "span_id", (it, caller, ct) =>
                it.AddAsync(caller, new("t", "none", "better"), ct)) with
        {
            Rest = "POST /api/v1/corrections", Body = """{"trace_id":"t","span_id":"none","corrected_output":"better"}""",
            Command = "import correction.jsonl",
        },
        Mistake.Of<FeedbackService>(
            nameof(FeedbackService.AddAsync), "invalid_trace_id", "trace_id",
            (it, caller, ct) => it.AddAsync(caller, new("thumbs", JsonElement.Parse("true")), ct)) with
        {
            Rest = "POST /api/v1/feedback", Body = """{"name":"thumbs","value":true}""",
        },
        Mistake.Of<FeedbackService>(
            nameof(FeedbackService.RestoreAsync), "invalid_value", "value",
            (it, caller, ct) => it.RestoreAsync(
                caller, new(UnknownId, caller.Project, "t", null, "thumbs", "[]", null, null, default), ct)) with
        {
            Command = "import feedback.jsonl",
        },
        Mistake.Of<FeedbackService>(
            nameof(FeedbackService.ListAsync), "invalid_limit", "limit", (it, caller, ct) => it.ListAsync(caller, new(Limit: 501), ct)) with
        {
            Rest = "GET /api/v1/feedback?limit=501",
        },
        Mistake.Of<ClassificationService>(
            nameof(ClassificationService.OfNodeAsync), "unknown_node", null, (it, caller, ct) =>
                it.OfNodeAsync(caller, "none", "class", null, ct)) with
        {
            Rest = "GET /api/v1/nodes/none/classification",
        },
        Mistake.Of<ProposedLabelService>(
            nameof(ProposedLabelService.ProposeAsync), "metric_not_active", "metric",
            (it, caller, ct) => it.ProposeAsync(caller, new("t", "s", "new", true, "It is."), ct)) with
        {
            Tool = "propose_label", Arguments = """{"trace_id":"t","span_id":"s","metric":"new","passed":true,"critique":"It is."}""",
        },
        Mistake.Of<ProposedCorrectionService>(
            nameof(ProposedCorrectionService.ProposeAsync), "unknown_span", "span_id",
            (it, caller, ct) => it.ProposeAsync(caller, new("t", "none", "better", "It is."), ct)) with
        {
            Tool = "propose_correction", Arguments = """{"trace_id":"t","span_id":"none","corrected_output":"better","reason":"It is."}""",
        },
        Mistake.Of<ReviewQueue>(
            nameof(ReviewQueue.ListAsync), "invalid_reason", "reason", (it, caller, ct) =>
                it.ListAsync(caller, new(Reason: "boredom"), ct)) with
        {
            Rest = "GET /api/v1/review?reason=boredom", Command = "review --reason boredom",
        },
        Mistake.Of<ReviewQueue>(
            nameof(ReviewQueue.ListAsync), "invalid_reason", "reason",
            (it, caller, ct) => it.ListAsync(caller, new(Reason: "low-score", Blind: true), ct)) with
        {
            Rest = "GET /api/v1/review?reason=low-score&blind=true", Command = "review --reason low-score --blind",
        },
        Mistake.Of<ReviewQueue>(
            nameof(ReviewQueue.ListAsync), "invalid_reserve", "reserve",
            (it, caller, ct) => it.ListAsync(caller, new(Author: "ann", Reserve: "a-while"), ct)) with
        {
            Rest = "GET /api/v1/review?author=ann&reserve=a-while", Command = "review --author ann --reserve a-while",
        },
        Mistake.Of<ReviewQueue>(
            nameof(ReviewQueue.ListForAgentAsync), "invalid_limit", "limit", (it, caller, ct) =>
                it.ListForAgentAsync(caller, new(Limit: 101), ct)) with
        {
            Tool = "read_review_queue", Arguments = """{"limit":101}""",
        },
        Mistake.Of<ReviewQueue>(
            nameof(ReviewQueue.ReserveAsync), "unknown_item", "item", (it, caller, ct) =>
                it.ReserveAsync(caller, "9-9", null, null, ct)) with
        {
            Rest = "POST /api/v1/review/9-9/reserve", Body = "{}",
        },
        Mistake.Of<ReviewQueue>(
            nameof(ReviewQueue.ReleaseAsync), "unknown_item", "item", (it, caller, ct) => it.ReleaseAsync(caller, "9-9", null, ct)) with
        {
            Rest = "DELETE /api/v1/review/9-9/reserve",
        },
        Mistake.Of<MetricReviewService>(
            nameof(MetricReviewService.GetAsync), "not_reviewed", "name", (it, caller, ct) => it.GetAsync(caller, "new", ct)) with
        {
            Rest = "GET /api/v1/metrics/new/reviews",
        },
        Mistake.Of<MetricReviewService>(
            nameof(MetricReviewService.AddAsync), "invalid_decision", "decision",
            (it, caller, ct) => it.AddAsync(caller, "short", "burn", null, null, ct)) with
        {
            Rest = "POST /api/v1/metrics/short/reviews", Body = """{"decision":"burn"}""",
        },
        Mistake.Of<MetricReviewService>(
            nameof(MetricReviewService.SetProjectDaysAsync), "invalid_every_days", "every_days",
            (it, caller, ct) => it.SetProjectDaysAsync(caller, -1, null, ct)) with
        {
            Rest = "PUT /api/v1/metric-reviews", Body = """{"every_days":-1}""",
        },
        Mistake.Of<MetricReviewService>(
            nameof(MetricReviewService.SetDaysAsync), "unknown_metric", "metric", (it, caller, ct) =>
                it.SetDaysAsync(caller, "none", 7, null, ct)) with
        {
            Rest = "PUT /api/v1/metrics/none/reviews", Body = """{"every_days":7}""",
        },
        Mistake.Of<DemonstrationService>(
            nameof(DemonstrationService.ListAsync), "invalid_state", "state", (it, caller, ct) =>
                it.ListAsync(caller, new(State: "good"), ct)) with
        {
            Rest = "GET /api/v1/demonstrations?state=good", Tool = "list_demonstrations", Arguments = """{"state":"good"}""",
        },
        Mistake.Of<DemonstrationService>(
            nameof(DemonstrationService.ListAsync), "invalid_node", "node", (it, caller, ct) =>
                it.ListAsync(caller, new("answer", "short"), ct)) with
        {
            Rest = "GET /api/v1/demonstrations?node=answer&metric=short", Tool = "list_demonstrations",
            Arguments = """{"node":"answer","metric":"short"}""",
        },
        Mistake.Of<DemonstrationService>(
            nameof(DemonstrationService.GetAsync), "unknown_demonstration", null, (it, caller, ct) =>
                it.GetAsync(caller, UnknownId, ct)) with
        {
            Rest = "GET /api/v1/demonstrations/" + NoId,
        },
        Mistake.Of<DemonstrationService>(
            nameof(DemonstrationService.ApproveOneAsync), "unknown_demonstration", null, (it, caller, ct) =>
                it.ApproveOneAsync(caller, UnknownId, ct)) with
        {
            Rest = $"POST /api/v1/demonstrations/{NoId}/approve",
        },
        Mistake.Of<DemonstrationService>(
            nameof(DemonstrationService.RecallOneAsync), "unknown_demonstration", null, (it, caller, ct) =>
                it.RecallOneAsync(caller, UnknownId, ct)) with
        {
            Rest = $"POST /api/v1/demonstrations/{NoId}/recall",
        },
        Mistake.Of<RetrievalService>(
            nameof(RetrievalService.SearchAsync), "invalid_k", "k", (it, caller, ct) =>
                it.SearchAsync(caller, new("hello", "answer", K: 9999), ct)) with
        {
            Rest = "POST /api/v1/demonstrations/search", Body = """{"input":"hello","node":"answer","k":9999}""",
        },
        Mistake.Of<NodePolicyService>(
            nameof(NodePolicyService.SetAsync), "invalid_retrieval", "retrieval",
            (it, caller, ct) => it.SetAsync(caller, "answer", new(Strategy: "guess"), ct)) with
        {
            Rest = "PUT /api/v1/nodes/answer/policy", Body = """{"retrieval":{"strategy":"guess"}}""",
        },
        Mistake.Of<TraceService>(
            nameof(TraceService.ListAsync), "invalid_limit", "limit", (it, caller, ct) => it.ListAsync(caller, new(Limit: 0), ct)) with
        {
            Rest = "GET /api/v1/traces?limit=0",
        },
        Mistake.Of<TraceService>(
            nameof(TraceService.ReadAsync), "unknown_trace", "trace_id", (it, caller, ct) => it.ReadAsync(caller, "none", false, ct)) with
        {
            Rest = "GET /api/v1/traces/none",
        },
        Mistake.Of<TraceService>(
            nameof(TraceService.ReadForAgentAsync), "unknown_trace", "trace_id", (it, caller, ct) =>
                it.ReadForAgentAsync(caller, "none", ct)) with
        {
            Rest = "GET /api/v1/traces/none", Tool = "read_trace", Arguments = """{"trace_id":"none"}""",
        },
        Mistake.Of<SpanSearchService>(
            nameof(SpanSearchService.SearchAsync), "unknown_metric", "metric",
            (it, caller, ct) => it.SearchAsync(caller, new(Outcome: "fail", Metric: "none"), ct)) with
        {
            Tool = "search_traces", Arguments = """{"outcome":"fail","metric":"none"}""",
        },
        Mistake.Of<ProposalService>(
            nameof(ProposalService.ListAsync), "invalid_state", "state", (it, caller, ct) =>
                it.ListAsync(caller, new(State: "good"), ct)) with
        {
            Rest = "GET /api/v1/proposals?state=good",
        },
        Mistake.Of<ProposalService>(
            nameof(ProposalService.GetAsync), "unknown_proposal", null, (it, caller, ct) => it.GetAsync(caller, 99, ct)) with
        {
            Rest = "GET /api/v1/proposals/99", Command = "proposals show 99",
        },
        Mistake.Of<ProposalService>(
            nameof(ProposalService.ApproveAsync), "unknown_proposal", null, (it, caller, ct) => it.ApproveAsync(caller, 99, null, ct)) with
        {
            Rest = "POST /api/v1/proposals/99/approve", Body = "{}", Command = "proposals approve 99",
        },
        Mistake.Of<ProposalService>(
            nameof(ProposalService.RejectAsync), "unknown_proposal", null, (it, caller, ct) => it.RejectAsync(caller, 99, null, ct)) with
        {
            Rest = "POST /api/v1/proposals/99/reject", Body = "{}", Command = "proposals reject 99",
        },
        Mistake.Of<JobService>(
            nameof(JobService.ListAsync), "invalid_state", "state", (it, caller, ct) => it.ListAsync(caller, "lost", null, 50, ct)) with
        {
            Rest = "GET /api/v1/jobs?state=lost",
        },
        Mistake.Of<JobService>(
            nameof(JobService.RetryOneAsync), "unknown_job", null, (it, caller, ct) => it.RetryOneAsync(caller, 99, ct)) with
        {
            Rest = "POST /api/v1/jobs/99/retry",
        },
        Mistake.Of<GuardService>(
            nameof(GuardService.CheckAsync), "invalid_kind", "kind", (it, caller, ct) =>
                it.CheckAsync(caller, new("answer", "hello", "poet"), ct)) with
        {
            Rest = "POST /api/v1/guard", Body = """{"node":"answer","input":"hello","kind":"poet"}""",
        },
    ];
}
