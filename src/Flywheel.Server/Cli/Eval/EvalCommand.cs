using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Flywheel.Core;
using Flywheel.Core.Evaluation;
using Flywheel.Core.Metrics;
using Flywheel.Core.Traces;
using Flywheel.Engine.Evaluation;
using Flywheel.Engine.Models;
using Flywheel.Server.Hosting;
using Flywheel.Storage.Evaluation;

namespace Flywheel.Server.Cli.Eval;

/// <summary>A set of metrics over the rows of a file, for CI: durable row by row, exit code 100 below a threshold.</summary>
static class EvalCommand
{
    const int JudgesAtOnce = 8;

    sealed record Line(int Row, string Id, string Metric, string Outcome, double? Score, string? Reason);

    public static Command Create()
    {
        var data = new Option<string>("--data") { Description = "JSONL or CSV rows", Required = true };
        var metrics = new Option<string>("--metrics") { Description = "A JSON file of metrics as POST /api/v1/metrics takes them; the name of a pack (its code metrics that need no settings); or, with --db, names of a project's metrics or `all`", Required = true };
        var minimum = new Option<string[]>("--fail-under") { Description = "NAME=SHARE: exit code 100 when the pass rate of that metric is lower; also accuracy=… and macro_f1=…. May be repeated" };
        var maxErrors = new Option<long?>("--max-errors") { Description = "Exit code 100 when more outcomes than this are `error`" };
        var id = new Option<string>("--id-field") { Description = "Field with a row's id", DefaultValueFactory = _ => "id" };
        var input = new Option<string>("--input-field") { Description = "Field with what was asked", DefaultValueFactory = _ => "input" };
        var output = new Option<string?>("--output-field") { Description = "Field with the answer (default: output, else text)" };
        var expected = new Option<string?>("--expected-field") { Description = "Field with the right class: reports accuracy, precision, recall, F1 and the confusion matrix" };
        var nodeField = new Option<string>("--node-field") { Description = "Field with the node's name", DefaultValueFactory = _ => "node" };
        var kindField = new Option<string>("--kind-field") { Description = "Field with the node's kind", DefaultValueFactory = _ => "kind" };
        var attributes = new Option<string?>("--attributes-field") { Description = "Field with the span's attributes (default: the whole row)" };
        var node = new Option<string?>("--node") { Description = "Node of rows that name none (default: every metric checks them)" };
        var kind = new Option<string?>("--kind") { Description = "Kind of rows that name none: " + Wire.Choices<NodeKind>() };
        var results = new Option<string>("--results") { Description = "SQLite file that keeps results row by row; the same command goes on where it was cut short", DefaultValueFactory = _ => "flywheel-eval.db" };
        var fresh = new Option<bool>("--fresh") { Description = "Begin a new run even if one was cut short" };
        var concurrency = new Option<int?>("--concurrency") { Description = $"Rows at once, 1 to 256 (default: the processors; {JudgesAtOnce} when a metric calls a model)" };
        var worst = new Option<int>("--worst") { Description = "How many of the worst rows to show", DefaultValueFactory = _ => 10 };
        var junit = new Option<string?>("--junit") { Description = "Write a JUnit file for CI" };
        var lines = new Option<string?>("--out") { Description = "Write a JSON line for every row and metric" };
        var (db, project, json) = (CommonOptions.Db(), CommonOptions.Project(), CommonOptions.Json());
        var command = new Command("eval", "Check the rows of a file with a set of metrics; exit code 100 when a threshold is not met")
        {
            data, metrics, minimum, maxErrors, id, input, output, expected, nodeField, kindField, attributes, node, kind, results, fresh, concurrency,
            worst, junit, lines, db, project, json,
        };
        command.SetAction(async (parsed, ct) =>
        {
            var allKind = parsed.GetValue(kind) is { } word
                ? Wire.Parse<NodeKind>(word) ?? throw new UsageException($"--kind `{word}`: use {Wire.Choices<NodeKind>()}.")
                : (NodeKind?)null;
            var fields = new EvalFields(
                parsed.GetValue(id)!, parsed.GetValue(input)!, parsed.GetValue(output), parsed.GetValue(expected), parsed.GetValue(nodeField)!,
                parsed.GetValue(kindField)!, parsed.GetValue(attributes), parsed.GetValue(node), allKind);
            if (parsed.GetValue(concurrency) is < 1 or > 256)
                throw new UsageException("--concurrency must be from 1 to 256.");

            var clock = TimeProvider.System;
            using var models = EngineServices.OpenModels(Settings.Load());
            await using var scratch = await ScratchSpans.OpenAsync(ct);
            await using var store = parsed.GetValue(db) is { } url ? await CommonOptions.OpenAsync(url, ct) : null;
            await using var sandbox = CodeServices.OpenSandbox(Settings.Load());
            var registry = EngineServices.FileRegistry(models, scratch, sandbox, CodeServices.OfCommandLine(Settings.Load()), store, clock);
            var set = await ResolveAsync(parsed.GetValue(metrics)!, store, parsed.GetValue(project)!, registry, ct);
            var minima = Minima(parsed.GetValue(minimum) ?? [], set, fields.Expected is not null);
            var calls = set.Any(metric => metric.Kind.CallsModel);
            var options = new EvalOptions(parsed.GetValue(concurrency) ?? (calls ? JudgesAtOnce : Environment.ProcessorCount));

            var rows = new EvalRows(parsed.GetValue(data)!, fields, clock);
            var (hash, count) = await rows.FingerprintAsync(ct);
            rows.CheckMapping();
            using var file = EvalFile.Open(parsed.GetValue(results)!);
            var run = file.Begin(
                new(parsed.GetValue(data)!, hash, MetricSet.Fingerprint(set, fields), [.. set.Select(metric => metric.Metric.Name)], MetricSet.Json(set)),
                parsed.GetValue(fresh), clock.GetUtcNow());
            var started = Stopwatch.GetTimestamp();
            await Output.ProgressAsync("Checking", parsed.GetValue(json), async report =>
            {
                var done = (long)run.Resumed;
                await new Evaluation(set, new ModelFaults(clock), options, clock, new Random()).RunAsync(
                    rows.Raw(file.Done(run)), rows.Read,
                    cases =>
                    {
                        file.Add(run, cases);
                        report(done += cases.Count, count);
                    },
                    ct);
            });
            file.Finish(run, clock.GetUtcNow());

            var report = EvalReport.Of(
                file, run, parsed.GetValue(results)!, Stopwatch.GetElapsedTime(started).TotalSeconds, set, fields.Expected is not null, minima, parsed.GetValue(worst));
            if (parsed.GetValue(lines) is { } linesPath)
                WriteLines(linesPath, file, run, set);
            if (parsed.GetValue(junit) is { } junitPath)
                JUnitFile.Write(junitPath, report, file, run);
            if (parsed.GetValue(json))
                Output.Json(report);
            else
                report.Show();

            var errors = report.Metrics.Sum(metric => metric.Outcomes["error"]);
            if (errors > parsed.GetValue(maxErrors))
                await Console.Error.WriteLineAsync($"flywheel: {errors:N0} outcomes are errors, more than --max-errors allows.");
            return report.Passed && !(errors > parsed.GetValue(maxErrors)) ? Cli.Ok : Cli.ThresholdNotMet;
        });
        return command;
    }

    static async Task<IReadOnlyList<EvalMetric>> ResolveAsync(
        string set, IFlywheelStore? store, string project, Engine.Metrics.ValidatorRegistry registry, CancellationToken ct)
    {
        if (File.Exists(set))
            return MetricSet.OfFile(set, registry);
        if (store is not null)
            return await MetricSet.OfProjectAsync(store, await CommonOptions.ProjectAsync(store, project, ct), set, registry, ct);
        if (Features.Packs.MetricPack.Find(set) is { } pack)
            return MetricSet.OfPack(pack, registry);
        throw new UsageException(
            $"--metrics `{set}` is no file and no pack ({Features.Packs.MetricPack.Names}): name a JSON file of metrics, a pack, or metrics of a project together with --db.");
    }

    static List<(string Name, double Minimum)> Minima(string[] given, IReadOnlyList<EvalMetric> set, bool compares)
    {
        var minima = new List<(string Name, double Minimum)>();
        foreach (var each in given)
        {
            var at = each.LastIndexOf('=');
            if (at <= 0 || !double.TryParse(each.AsSpan(at + 1), NumberStyles.Float, CultureInfo.InvariantCulture, out var share) || share is not (>= 0 and <= 1))
                throw new UsageException($"--fail-under `{each}`: write NAME=SHARE with a share from 0 to 1, such as answer.short=0.95.");
            var name = each[..at];
            if (set.All(metric => metric.Metric.Name != name) && !(compares && name is EvalReport.Accuracy or EvalReport.MacroF1))
                throw new UsageException(name is EvalReport.Accuracy or EvalReport.MacroF1
                    ? $"--fail-under `{each}` needs --expected-field."
                    : $"--fail-under `{each}`: the set has no metric `{name}`, only {string.Join(", ", set.Select(metric => metric.Metric.Name))}.");
            minima.Add((name, share));
        }
        return minima;
    }

    static void WriteLines(string path, EvalFile file, EvalRun run, IReadOnlyList<EvalMetric> set)
    {
        using var writer = new StreamWriter(path);
        for (var i = 0; i < set.Count; i++)
            foreach (var finding in file.Of(run, i))
                writer.WriteLine(JsonSerializer.Serialize(
                    new Line(finding.Row, finding.Id, set[i].Metric.Name, Wire.Name(finding.Outcome), finding.Score, finding.Reason), Output.Lines));
    }
}
