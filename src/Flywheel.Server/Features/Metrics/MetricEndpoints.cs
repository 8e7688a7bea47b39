using System.Text.Json;
using Flywheel.Core;
using Flywheel.Core.Guarding;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Traces;
using Flywheel.Engine.Judging;
using Flywheel.Engine.Metrics;
using Flywheel.Server.Api;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Flywheel.Server.Features.Metrics;

/// <param name="Subject"><c>output</c> or <c>input</c>; left out, what the validator can check, outputs first.</param>
/// <param name="Nodes">Names of nodes; left out means all.</param>
/// <param name="Kinds">Kinds of nodes; left out means all.</param>
/// <param name="Sampling">Share of applicable spans that are judged, 0 to 1; 1 when left out.</param>
/// <param name="Validator">The kind with its settings: <c>{"kind": "length", "max": 400, "unit": "characters"}</c>.</param>
/// <param name="Role"><c>monitor</c> (default) or <c>guard</c>.</param>
/// <param name="OnFail">For a guard: <c>block</c>, <c>flag</c> (default) or <c>redact</c>.</param>
/// <param name="OnError">For a guard that cannot check: <c>allow</c> (default) or <c>block</c>.</param>
/// <param name="Segments">Segments that it is about, such as <c>tenant:acme</c>, <c>group:beta</c>, <c>user:42</c>; left out means all.</param>
/// <param name="LabelsPerItem">How many people are asked about one item of the review queue, 1 to 9; 1 when left out.</param>
/// <param name="State"><c>active</c> (default), <c>proposed</c> or <c>retired</c>.</param>
public sealed record MetricBody(
    string? Name, string Criterion, JsonElement Validator, string? Subject = null, IReadOnlyList<string>? Nodes = null,
    IReadOnlyList<string>? Kinds = null, double? Sampling = null, string? Role = null, string? State = null, string? Author = null,
    string? OnFail = null, string? OnError = null, IReadOnlyList<string>? Segments = null, int? LabelsPerItem = null);

public sealed record MetricView(
    string Name, int Version, string State, string Role, string Criterion, string Subject, IReadOnlyList<string>? Nodes,
    IReadOnlyList<string>? Kinds, double Sampling, JsonElement Validator, string Author, DateTimeOffset CreatedAt,
    string? OnFail, string? OnError, IReadOnlyList<string>? Segments, int LabelsPerItem)
{
    public static MetricView Of(Metric metric) => new(
        metric.Name, metric.Number, Wire.Name(metric.State), Wire.Name(metric.Role), metric.Criterion, Wire.Name(metric.Subject),
        metric.Nodes, metric.Kinds?.Select(Wire.Name).ToArray(), metric.Sampling, ValidatorJson.Write(metric.Validator), metric.Author,
        metric.CreatedAt, metric.OnFail is { } onFail ? Wire.Name(onFail) : null, metric.OnError is { } onError ? Wire.Name(onError) : null, metric.Segments,
        metric.LabelsPerItem);
}

public sealed record MetricList(IReadOnlyList<MetricView> Metrics);

public sealed record StateBody(string State, string? Author = null);

static class MetricEndpoints
{
    public static void MapMetrics(this IEndpointRouteBuilder api)
    {
        var metrics = api.MapGroup("/metrics").WithTags("Metrics");
        metrics.MapPost("/", CreateAsync).Needs(KeyScope.Admin).WithSummary("Create a metric").ProducesProblem(400).ProducesProblem(409);
        metrics.MapGet("/", ListAsync).Needs(KeyScope.Read).WithSummary("Metrics in their current version");
        metrics.MapGet("/{name}", GetAsync).Needs(KeyScope.Read).WithSummary("One metric");
        metrics.MapGet("/{name}/versions", VersionsAsync).Needs(KeyScope.Read).WithSummary("All versions, newest first");
        metrics.MapPost("/{name}/versions", AddVersionAsync).Needs(KeyScope.Admin).WithSummary("Put a new version in force");
        metrics.MapPost("/{name}/state", SetStateAsync).Needs(KeyScope.Admin).WithSummary("Activate or retire a metric");
        metrics.MapGet("/{name}/summary", SummaryAsync).Needs(KeyScope.Read)
            .WithSummary("Rates with intervals, and the labels and verdicts behind them");
        api.MapGet("/validators", Kinds).Needs(KeyScope.Read).WithTags("Metrics").WithSummary("Validator kinds with their settings");
    }

    static async Task<Created<MetricView>> CreateAsync(
        Body<MetricBody> body, HttpCaller caller, IFlywheelStore store, MetricRules rules, TimeProvider clock, CancellationToken ct)
    {
        var metric = Read(body.Value, body.Value.Name, caller.Actor, rules);
        var stored = await store.Metrics.AddAsync(caller.Project, metric, expectNew: true, clock.GetUtcNow(), ct)
            ?? throw new RequestException(RequestErrorKind.Conflict, "metric_exists",
                $"There is a metric `{metric.Name}` already: post to /api/v1/metrics/{metric.Name}/versions to change it.", "name");
        return TypedResults.Created($"/api/v1/metrics/{stored.Name}", MetricView.Of(stored));
    }

    static async Task<Created<MetricView>> AddVersionAsync(
        string name, Body<MetricBody> body, HttpCaller caller, IFlywheelStore store, MetricRules rules, TimeProvider clock, CancellationToken ct)
    {
        await FindAsync(store, caller.Project, name, ct);
        if (body.Value.Name is { } other && other != name)
            throw RequestException.BadField("name", $"`name` is `{other}` while the path says `{name}`: a metric keeps its name.");
        var stored = await store.Metrics.AddAsync(caller.Project, Read(body.Value, name, caller.Actor, rules), expectNew: false, clock.GetUtcNow(), ct);
        return TypedResults.Created($"/api/v1/metrics/{name}", MetricView.Of(stored!));
    }

    internal static NewMetric Read(MetricBody body, string? name, string actor, MetricRules rules)
    {
        var validator = ValidatorJson.Read(body.Validator);
        var metric = new NewMetric(
            name ?? throw RequestException.BadField("name", "`name` is missing: name the metric, such as `answer.short`."),
            body.Criterion,
            Choice<MetricSubject>("subject", body.Subject) ?? rules.DefaultSubject(validator.Kind),
            body.Nodes,
            body.Kinds?.Select(kind => Choice<NodeKind>("kinds", kind)!.Value).ToArray(),
            body.Sampling ?? 1,
            validator,
            body.Author ?? actor,
            Choice<MetricRole>("role", body.Role) ?? MetricRole.Monitor,
            Choice<MetricState>("state", body.State) ?? MetricState.Active,
            Choice<GuardAction>("on_fail", body.OnFail),
            Choice<GuardFault>("on_error", body.OnError),
            body.Segments,
            body.LabelsPerItem ?? 1);
        rules.Check(metric);
        return metric;
    }

    static T? Choice<T>(string field, string? word) where T : struct, Enum => word is null
        ? null
        : Wire.Parse<T>(word) ?? throw RequestException.BadField(field, $"`{field}` is `{word}`: use {Wire.Choices<T>()}.");

    static async Task<Ok<MetricList>> ListAsync(HttpCaller caller, IFlywheelStore store, CancellationToken ct) =>
        TypedResults.Ok(new MetricList([.. (await store.Metrics.ListAsync(caller.Project, ct)).Select(MetricView.Of)]));

    static async Task<Ok<MetricView>> GetAsync(string name, HttpCaller caller, IFlywheelStore store, CancellationToken ct) =>
        TypedResults.Ok(MetricView.Of(await FindAsync(store, caller.Project, name, ct)));

    static async Task<Ok<MetricList>> VersionsAsync(string name, HttpCaller caller, IFlywheelStore store, CancellationToken ct)
    {
        await FindAsync(store, caller.Project, name, ct);
        return TypedResults.Ok(new MetricList([.. (await store.Metrics.VersionsAsync(caller.Project, name, ct)).Select(MetricView.Of)]));
    }

    static async Task<Ok<MetricView>> SetStateAsync(
        string name, Body<StateBody> body, HttpCaller caller, IFlywheelStore store, TimeProvider clock, CancellationToken ct)
    {
        var state = Choice<MetricState>("state", body.Value.State)!.Value;
        if (!await store.Metrics.SetStateAsync(caller.Project, name, state, body.Value.Author ?? caller.Actor, clock.GetUtcNow(), ct))
            throw Unknown(name);
        return TypedResults.Ok(MetricView.Of(await FindAsync(store, caller.Project, name, ct)));
    }

    static async Task<Ok<MetricSummary>> SummaryAsync(
        string name, HttpCaller caller, IFlywheelStore store, JudgeCalibrator calibrator, CancellationToken ct,
        string? by = null, string? bucket = null, string? node = null, string? from = null, string? to = null)
    {
        var slicing = SummarySlicing.Parse(by, bucket, node, from, to);
        var metric = await FindAsync(store, caller.Project, name, ct);
        var versions = await store.Metrics.VersionsAsync(caller.Project, name, ct);
        var cells = await store.Metrics.CellsAsync(caller.Project, metric.Id, ct);
        return TypedResults.Ok(MetricSummary.Of(metric, versions, cells, slicing) with
        {
            Calibration = await Judging.JudgingEndpoints.ViewAsync(store, metric, await calibrator.StandingAsync(metric, ct), false, ct),
        });
    }

    static Ok<IReadOnlyList<ValidatorKindView>> Kinds(HttpCaller caller, ValidatorRegistry registry) =>
        TypedResults.Ok<IReadOnlyList<ValidatorKindView>>([.. registry.Kinds.Select(ValidatorKindView.Of)]);

    public static async Task<Metric> FindAsync(IFlywheelStore store, ProjectId project, string name, CancellationToken ct) =>
        await store.Metrics.FindAsync(project, name, ct) ?? throw Unknown(name);

    static RequestException Unknown(string name) =>
        RequestException.NotFound("metric", $"There is no metric `{name}` in this project: GET /api/v1/metrics lists them.", "metric");
}

public sealed record ValidatorKindView(
    string Kind, string Summary, IReadOnlyList<string> NodeKinds, IReadOnlyList<string> Subjects, bool CallsModel,
    IReadOnlyList<SettingDescription> Settings)
{
    public static ValidatorKindView Of(IValidatorKind kind) => new(
        kind.Name, kind.Summary, [.. kind.NodeKinds.Select(Wire.Name).Order()], [.. kind.Subjects.Select(Wire.Name).Order()], kind.CallsModel,
        kind.Settings);
}
