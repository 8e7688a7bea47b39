using System.CommandLine;
using System.Diagnostics;
using System.Text.Json;
using Flywheel.Core;
using Flywheel.Core.Evaluation;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Engine.Datasets;
using Flywheel.Engine.Evaluation;
using Flywheel.Engine.Models;
using Flywheel.Engine.Prompts;
using Flywheel.Engine.Retrieval;
using Flywheel.Engine.Telemetry;
using Flywheel.Server.Files;
using Flywheel.Server.Hosting;

namespace Flywheel.Server.Cli.Eval;

/// <summary>A set of metrics over rows, for CI: durable row by row, exit code 100 below a threshold.</summary>
static class EvalCommand
{
    sealed record Line(int Row, string Id, string Metric, string Outcome, double? Score, string? Reason);

    public static Command Create()
    {
        var arguments = new EvalArguments();
        var command = new Command(
            "eval", "Check the rows of a file or data set with a set of metrics; a model can make the outputs first; exit code 100 if a "
                + "threshold is not met")
        {
            EvalRunsCommand.Create(), EvalCompareCommand.Create(),
        };
        arguments.AddTo(command);
        command.SetAction((parsed, ct) => RunAsync(arguments, parsed, ct));
        return command;
    }

    static async Task<int> RunAsync(EvalArguments arguments, ParseResult parsed, CancellationToken ct)
    {
        arguments.Check(parsed);
        var (common, json) = (arguments.Common, parsed.GetValue(arguments.Common.Json));
        // Results are kept row by row in this database; the same command goes on where it was cut short.
        await using var store = arguments.NeedsProject(parsed)
            ? await CommonOptions.OpenExistingAsync(parsed.GetValue(common.Db), ct)
            : await CommonOptions.OpenAsync(parsed.GetValue(common.Db), ct);
        var caller = CommandCaller.Of(await CommonOptions.ProjectAsync(store, parsed.GetValue(common.Project)!, ct));
        await using var data = CommandEngine.OverData(store);
        await using var validation = CommandEngine.ForFiles(store);

        var evaluations = data.Get<EvaluationService>();
        var plan = await PlanAsync(arguments, parsed, caller, store, data, validation, ct);
        var started = Stopwatch.GetTimestamp();
        var run = await Output.ProgressAsync(
            plan.Answers is null ? "Checking" : "Answering and checking", json, report => evaluations.RunAsync(caller, plan, report, ct));
        var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        var report = await evaluations.ReportAsync(run, plan, store.Description, seconds, arguments.Worst(parsed), ct);

        if (arguments.Lines(parsed) is { } lines)
            await WriteLinesAsync(lines, evaluations.FindingsAsync(run, plan, ct), ct);
        if (arguments.JUnit(parsed) is { } junit)
            await JUnitFile.WriteAsync(junit, report, store.EvalRuns, run, ct);
        if (json)
            Output.Json(report);
        else
            EvalText.Show(report);
        return await ExitCodeAsync(report, arguments.MaxErrors(parsed));
    }

    static async Task<EvalPlan> PlanAsync(
        EvalArguments arguments, ParseResult parsed, Caller caller, IFlywheelStore store, CommandEngine data, CommandEngine validation,
        CancellationToken ct)
    {
        var (fields, request) = (arguments.Fields(parsed), await arguments.AnswersAsync(parsed, ct));
        var sets = new EvalMetricSets(store.Metrics, validation.Validators);
        var named = arguments.Metrics(parsed);
        var metrics = File.Exists(named) ? sets.Of(MetricFile.Read(named), named) : await sets.FindAsync(caller, named, ct);
        var rows = new EvalRows(
            await SourceAsync(arguments, parsed, caller, data, ct), fields, TimeProvider.System) { Generates = request.Generates };
        var answers = !request.Generates ? null : await new AnswerMakers(
            validation.Get<ModelRegistry>(), PriceTable.Read(Settings.Load().GetSection("Prices").AsEnumerable(makePathsRelative: true)),
            data.Get<PromptService>(), validation.Get<NodePolicies>(), validation.Get<DemonstrationEmbedding>(),
            validation.Get<DemonstrationRetriever>())
            .OpenAsync(caller, request, fields.Hidden, ct);
        return arguments.Plan(parsed, rows, metrics, answers);
    }

    static async Task<IEvalSource> SourceAsync(
        EvalArguments arguments, ParseResult parsed, Caller caller, CommandEngine data, CancellationToken ct)
    {
        if (arguments.Data(parsed) is { } file)
            return new EvalFile(file);
        var (name, which) = DatasetReference.Parse(arguments.Dataset(parsed)!);
        var datasets = data.Get<DatasetService>();
        var version = await datasets.VersionAsync(caller, name, which, ct);
        return new DatasetSource(version, () => datasets.ItemsAsync(caller, version, arguments.Split(parsed), ct).ToBlockingEnumerable(ct));
    }

    static async Task WriteLinesAsync(string path, IAsyncEnumerable<(EvalMetric Metric, EvalFault Finding)> findings, CancellationToken ct)
    {
        await using var writer = new StreamWriter(path);
        await foreach (var (metric, finding) in findings.WithCancellation(ct))
            await writer.WriteLineAsync(JsonSerializer.Serialize(
                new Line(finding.Row, finding.Id, metric.Metric.Name, Wire.Name(finding.Outcome), finding.Score, finding.Reason),
                FileJson.Lines));
    }

    static async Task<int> ExitCodeAsync(EvalReport report, long? maxErrors)
    {
        var errors = report.Metrics.Sum(metric => metric.Outcomes["error"]);
        if (errors > maxErrors)
            await Console.Error.WriteLineAsync($"flywheel: {errors:N0} outcomes are errors, more than --max-errors allows.");
        return report.Passed && !(errors > maxErrors) ? ExitCodes.Ok : ExitCodes.ThresholdNotMet;
    }
}
