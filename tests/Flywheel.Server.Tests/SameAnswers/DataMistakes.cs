using System.Text.Json;
using Flywheel.Core.Projects;
using Flywheel.Engine.Archives;
using Flywheel.Engine.Datasets;
using Flywheel.Engine.Evaluation;
using Flywheel.Engine.Gateway;
using Flywheel.Engine.Projects;
using Flywheel.Engine.Prompts;
using Microsoft.Extensions.DependencyInjection;

namespace Flywheel.Server.Tests.SameAnswers;

/// <summary>Data sets, prompts, projects, keys, gateway policies, archives and evaluations.</summary>
/// <remarks>The server holds what <see cref="PeopleMistakes"/> says, no data set and no prompt.</remarks>
static class DataMistakes
{
    const string NoId = "00000000-0000-0000-0000-0000000000ff";
    const string Eval = "eval --data label.jsonl --metrics all";

    /// <summary>Use cases that refuse nothing, by name, with the reason.</summary>
    public static IReadOnlyDictionary<string, string> Exempt { get; } = new Dictionary<string, string>
    {
        ["DatasetService.ListAsync"] = "it has no argument that could be wrong",
        ["DatasetService.ItemsAsync"] = "it reads a version that was found before",
        ["PromptService.ListAsync"] = "it has no argument that could be wrong",
        ["PromptService.CountSpansAsync"] = "it counts for a version that was found before",
        ["PromptService.ProtectedLabelsAsync"] = "it has no argument that could be wrong",
        ["ProjectService.GetAsync"] = "it has no argument that could be wrong",
        ["KeyService.ListAsync"] = "it has no argument that could be wrong",
        ["GatewayPolicyService.FindAsync"] = "a node without a policy has the default one",
        ["ArchiveImportService.ImportAsync"] = "it names rows that cannot be taken in and continues",
        ["RecordImportService.ImportAsync"] = "it names rows that cannot be right and continues",
    };

    public static IReadOnlyList<Mistake> All { get; } =
    [
        Mistake.Of<DatasetService>(
            nameof(DatasetService.CreateAsync), "invalid_name", "name", (it, caller, ct) => it.CreateAsync(caller, "a/b", null, ct)) with
        {
            Rest = "POST /api/v1/datasets", Body = """{"name":"a/b"}""", Command = "datasets create a/b",
        },
        NoDataset(nameof(DatasetService.GetAsync), "GET /api/v1/datasets/none", (it, caller, ct) => it.GetAsync(caller, "none", ct)) with
        {
            Command = "datasets show none",
        },
        NoDataset(nameof(DatasetService.VersionsAsync), "GET /api/v1/datasets/none/versions", (it, caller, ct) =>
            it.VersionsAsync(caller, "none", ct)),
        NoDataset(nameof(DatasetService.VersionAsync), "GET /api/v1/datasets/none/versions/1", (it, caller, ct) =>
            it.VersionAsync(caller, "none", "1", ct)) with
        {
            Command = "datasets export none",
        },
        NoDataset(
            nameof(DatasetService.PageAsync), "GET /api/v1/datasets/none/versions/1/items",
            (it, caller, ct) => it.PageAsync(caller, "none", "1", null, 0, 10, ct)),
        NoDataset(nameof(DatasetService.DiffAsync), "GET /api/v1/datasets/none/diff", (it, caller, ct) =>
            it.DiffAsync(caller, "none", null, null, 0, 10, ct)) with
        {
            Command = "datasets diff none 1",
        },
        NoDataset(nameof(DatasetService.AddAsync), "POST /api/v1/datasets/none/items", (it, caller, ct) =>
            it.AddAsync(caller, "none", [new("a")], null, ct)) with
        {
            Body = """{"items":[{"input":"a"}]}""",
        },
        NoDataset(
            nameof(DatasetService.AddRowsAsync), "POST /api/v1/datasets/none/items/from-file",
            (it, caller, ct) => it.AddRowsAsync(caller, new("none", [], new()), null, ct)) with
        {
            Body = "{}",
        },
        NoDataset(
            nameof(DatasetService.SelectAsync), "POST /api/v1/datasets/none/items/from-traces",
            (it, caller, ct) => it.SelectAsync(caller, "none", new(), ct)) with
        {
            Body = """{"preview":true}""",
        },
        Mistake.Of<DatasetService>(
            nameof(DatasetService.SelectAsync), "invalid_kind", "kind", (it, caller, ct) =>
                it.SelectAsync(caller, null, new(Kind: "mood"), ct)) with
        {
            Command = "datasets add gold --from-traces --kind mood --preview",
        },
        NoDataset(
            nameof(DatasetService.AddSpansAsync), "POST /api/v1/datasets/none/items/from-traces",
            (it, caller, ct) => it.AddSpansAsync(caller, "none", new(), null, create: false, ct)) with
        {
            Body = "{}",
        },
        NoDataset(
            nameof(DatasetService.RemoveAsync), "POST /api/v1/datasets/none/items/remove", (it, caller, ct) =>
                it.RemoveAsync(caller, "none", [1], null, ct)) with
        {
            Body = """{"ordinals":[1]}""", Command = "datasets remove none 1",
        },
        NoDataset(nameof(DatasetService.DeleteAsync), "DELETE /api/v1/datasets/none", (it, caller, ct) =>
            it.DeleteAsync(caller, "none", ct)),
        NoPrompt(nameof(PromptService.HistoryAsync), (it, caller, ct) => it.HistoryAsync(caller, "none", ct))
        with { Rest = "GET /api/v1/prompts/none" },
        NoPrompt(nameof(PromptService.GetAsync), (it, caller, ct) => it.GetAsync(caller, "none", "1", ct))
        with { Command = Eval + " --prompt none@1" },
        NoPrompt(nameof(PromptService.GetLabelledAsync), (it, caller, ct) => it.GetLabelledAsync(caller, "none", "1", ct)) with
        {
            Rest = "GET /api/v1/prompts/none/versions/1", Command = "prompts show none 1",
        },
        NoPrompt(
            nameof(PromptService.RenderAsync), (it, caller, ct) =>
                it.RenderAsync(caller, "none", "1", new Dictionary<string, string>(), ct)) with
        {
            Rest = "POST /api/v1/prompts/none/versions/1/render", Body = """{"variables":{}}""",
        },
        NoPrompt(nameof(PromptService.SpansAsync), (it, caller, ct) => it.SpansAsync(caller, "none", "1", 10, ct)) with
        {
            Rest = "GET /api/v1/prompts/none/versions/1/spans",
        },
        NoPrompt(nameof(PromptService.DiffAsync), (it, caller, ct) => it.DiffAsync(caller, "none", null, null, ct)) with
        {
            Rest = "GET /api/v1/prompts/none/diff", Command = "prompts diff none 1",
        },
        Mistake.Of<PromptService>(
            nameof(PromptService.AddAsync), "invalid_template", "template", (it, caller, ct) =>
                it.AddAsync(caller, "p", new(JsonElement.Parse("7")), ct)) with
        {
            Rest = "POST /api/v1/prompts/p/versions", Body = """{"template":7}""",
        },
        Mistake.Of<PromptService>(
            nameof(PromptService.MoveLabelAsync), "invalid_label", "label", (it, caller, ct) =>
                it.MoveLabelAsync(caller, "none", "latest", 1, null, ct)) with
        {
            Rest = "PUT /api/v1/prompts/none/labels/latest", Body = """{"version":1}""", Command = "prompts label none latest 1",
        },
        Mistake.Of<PromptService>(
            nameof(PromptService.ProposalsAsync), "invalid_state", "state", (it, caller, ct) =>
                it.ProposalsAsync(caller, "asleep", 10, ct)) with
        {
            Rest = "GET /api/v1/prompt-proposals?state=asleep",
        },
        Mistake.Of<PromptService>(
            nameof(PromptService.DecideAsync), "unknown_proposal", null, (it, caller, ct) =>
                it.DecideAsync(caller, 99, approve: true, ct)) with
        {
            Rest = "POST /api/v1/prompt-proposals/99/approve", Body = "{}",
        },
        Mistake.Of<PromptService>(
            nameof(PromptService.ProtectLabelsAsync), "invalid_labels", "labels", (it, caller, ct) =>
                it.ProtectLabelsAsync(caller, ["latest"], ct)) with
        {
            Rest = "PUT /api/v1/project/protected-labels", Body = """{"labels":["latest"]}""",
        },
        Mistake.Of<SpanPromptService>(
            nameof(SpanPromptService.GetAsync), "unknown_span", "span_id", (it, caller, ct) => it.GetAsync(caller, "t", "none", ct)) with
        {
            Rest = "GET /api/v1/traces/t/spans/none/prompt",
        },
        Mistake.Of<ProjectService>(
            nameof(ProjectService.SetAsync), "invalid_audit_rate", "audit_rate", (it, caller, ct) =>
                it.SetAsync(caller, new(null, null, 2), ct)) with
        {
            Rest = "PUT /api/v1/project", Body = """{"judge_calls_per_day":null,"judge_usd_per_day":null,"audit_rate":2}""",
        },
        Mistake.Of<ProjectService>(
            nameof(ProjectService.AuditAsync), "invalid_limit", "limit", (it, caller, ct) => it.AuditAsync(caller, 0, ct)) with
        {
            Rest = "GET /api/v1/audit?limit=0",
        },
        Mistake.Of<KeyService>(
            nameof(KeyService.RevokeAsync), "unknown_key", "id", (it, caller, ct) => it.RevokeAsync(caller, Guid.Parse(NoId), ct)) with
        {
            Command = "keys revoke " + NoId,
        },
        Mistake.Of<ErasureService>(
            nameof(ErasureService.EraseAsync), "invalid_end_user", "end_user", (it, caller, ct) =>
                it.EraseAsync(caller, "", compact: false, ct)) with
        {
            Rest = "POST /api/v1/end-users/erase", Body = """{"end_user":""}""",
        },
        Mistake.Of<GatewayPolicyService>(
            nameof(GatewayPolicyService.SetAsync), "invalid_kind", "kind", (it, caller, ct) =>
                it.SetAsync(caller, "answer", new(Kind: "mood"), ct)) with
        {
            Rest = "PUT /api/v1/nodes/answer/gateway", Body = """{"settings":{"kind":"mood"}}""",
        },
        Mistake.Of<ArchiveExportService>(
            nameof(ArchiveExportService.ExportAsync), "invalid_what", "what", (it, caller, ct) =>
                it.ExportAsync(caller, ["mood"], null!, (_, _) => { }, ct)) with
        {
            Command = "export --what mood --out export.jsonl",
        },
        Mistake.Of<EvaluationService>(
            nameof(EvaluationService.ListAsync), "invalid_limit", "limit", (it, caller, ct) => it.ListAsync(caller, 0, ct)) with
        {
            Command = "eval runs --limit 0",
        },
        new Mistake("EvaluationService.RunAsync", "invalid_fail_under", "fail_under",
            EvaluateAsync) { Command = Eval + " --fail-under none=0.5" },
        Mistake.Of<EvalMetricSets>(
            nameof(EvalMetricSets.FindAsync), "invalid_metrics", "metrics", (it, caller, ct) => it.FindAsync(caller, "none", ct)) with
        {
            Command = "eval --data label.jsonl --metrics none",
        },
        Mistake.Of<AnswerMakers>(
            nameof(AnswerMakers.OpenAsync), "invalid_model", "model", (it, caller, ct) =>
                it.OpenAsync(caller, new("mood"), new HashSet<string>(), ct)) with
        {
            Command = Eval + " --model mood",
        },
    ];

    static async Task EvaluateAsync(IServiceProvider services, Caller caller, CancellationToken ct)
    {
        var source = new DatasetSource(new("none", 1, 0, "", 0, 0, 0, null, "ann", DateTimeOffset.UnixEpoch), () => []);
        var rows = new EvalRows(source, new("id", "input", null, null, "node", "kind", null, null, null), TimeProvider.System);
        var metrics = await services.GetRequiredService<EvalMetricSets>().FindAsync(caller, "all", ct);
        await services.GetRequiredService<EvaluationService>().RunAsync(
            caller, new(rows, metrics) { Thresholds = [new("none", 0.5)] }, (_, _) => { }, ct);
    }

    static Mistake NoDataset(string method, string rest, Func<DatasetService, Caller, CancellationToken, Task> ask) =>
        Mistake.Of(method, "unknown_dataset", "name", ask) with { Rest = rest };

    static Mistake NoPrompt(string method, Func<PromptService, Caller, CancellationToken, Task> ask) =>
        Mistake.Of(method, "unknown_prompt", "name", ask);
}
