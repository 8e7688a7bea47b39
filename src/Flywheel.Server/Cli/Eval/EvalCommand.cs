using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Flywheel.Core;
using Flywheel.Core.Evaluation;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Traces;
using Flywheel.Engine.Evaluation;
using Flywheel.Engine.Packs;
using Flywheel.Engine.Models;
using Flywheel.Engine.Datasets;
using Flywheel.Server.Files;

namespace Flywheel.Server.Cli.Eval;

/// <summary>A set of metrics over the rows of a file, for CI: durable row by row, exit code 100 below a threshold.</summary>
static class EvalCommand
{
    const int JudgesAtOnce = 8;

    sealed record Line(int Row, string Id, string Metric, string Outcome, double? Score, string? Reason);

    public static Command Create()
    {
        var data = new Option<string?>("--data") { Description = "JSONL, CSV or Parquet rows" };
        var dataset = new Option<string?>("--dataset") { Description = "NAME or NAME@VERSION of a data set of the project, instead of --data" };
        var split = new Option<string?>("--split") { Description = "Items of this split only" };
        var model = new Option<string?>("--model") { Description = "A configured chat model, or PROVIDER/MODEL: makes the outputs first" };
        var prompt = new Option<string?>("--prompt") { Description = "NAME, NAME@NUMBER or NAME@LABEL of the registry: makes the outputs with it" };
        var promptFile = new Option<string?>("--prompt-file") { Description = "The same from a file: a text, or JSON with messages" };
        var demonstrations = new Option<string?>("--demonstrations") { Description = "A node whose approved demonstrations go into the prompt" };
        var k = new Option<int?>("--k") { Description = "How many of them (default: the node's policy)" };
        var maxUsd = new Option<double?>("--max-usd") { Description = "Begin no row that would make the run cost more; the same command goes on with a higher limit" };
        var name = new Option<string?>("--name") { Description = "What to call this run in lists" };
        var metrics = new Option<string?>("--metrics") { Description = "A JSON file of metrics as POST /api/v1/metrics takes them; the name of a pack (its code metrics that need no settings); or, with --db or --dataset, names of a project's metrics or `all`" };
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
        var fresh = new Option<bool>("--fresh") { Description = "Begin a new run even if one was cut short" };
        var concurrency = new Option<int?>("--concurrency") { Description = $"Rows at once, 1 to 256 (default: the processors; {JudgesAtOnce} when a metric calls a model)" };
        var worst = new Option<int>("--worst") { Description = "How many of the worst rows to show", DefaultValueFactory = _ => 10 };
        var junit = new Option<string?>("--junit") { Description = "Write a JUnit file for CI" };
        var lines = new Option<string?>("--out") { Description = "Write a JSON line for every row and metric" };
        var (db, project, json) = (CommonOptions.Db(), CommonOptions.Project(), CommonOptions.Json());
        var command = new Command("eval", "Check the rows of a file or data set with a set of metrics, their outputs made by a model first where one is named; exit code 100 when a threshold is not met")
        {
            data, dataset, split, metrics, model, prompt, promptFile, demonstrations, k, maxUsd, name, minimum, maxErrors, id, input, output, expected, nodeField, kindField, attributes, node, kind, fresh, concurrency,
            worst, junit, lines, db, project, json, EvalRunsCommand.Create(), EvalCompareCommand.Create(),
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
            if (parsed.GetValue(data) is null == parsed.GetValue(dataset) is null)
                throw new UsageException("Give either --data FILE or --dataset NAME. `flywheel eval --help` lists the rest.");
            if (parsed.GetValue(metrics) is null)
                throw new UsageException("--metrics is missing: name a JSON file of metrics, a pack, or metrics of a project.");
            if (parsed.GetValue(split) is not null && parsed.GetValue(dataset) is null)
                throw new UsageException("--split is for --dataset.");
            if (parsed.GetValue(k) is not null && parsed.GetValue(demonstrations) is null)
                throw new UsageException("--k is for --demonstrations.");
            if (parsed.GetValue(maxUsd) is { } limit && !(double.IsFinite(limit) && limit > 0))
                throw new UsageException("--max-usd must be more than 0.");
            var generates = new[] { parsed.GetValue(model), parsed.GetValue(prompt), parsed.GetValue(promptFile), parsed.GetValue(demonstrations) }.Any(each => each is not null);
            var needsProject = parsed.GetValue(dataset) is not null || parsed.GetValue(prompt) is not null || parsed.GetValue(demonstrations) is not null;

            var clock = TimeProvider.System;
            // Results are kept row by row in this database; the same command goes on where it was cut short.
            await using var store = needsProject
                ? await CommonOptions.OpenExistingAsync(parsed.GetValue(db), ct)
                : await CommonOptions.OpenAsync(parsed.GetValue(db), ct);
            var owner = await CommonOptions.ProjectAsync(store, parsed.GetValue(project)!, ct);
            await using var engine = CommandEngine.ForFiles(store);
            var registry = engine.Validators;
            var set = await ResolveAsync(parsed.GetValue(metrics)!, store, owner, registry, ct);
            var minima = Minima(parsed.GetValue(minimum) ?? [], set, fields.Expected is not null);
            var calls = set.Any(metric => metric.Kind.CallsModel);
            var options = new EvalOptions(parsed.GetValue(concurrency) ?? (calls || generates ? JudgesAtOnce : Environment.ProcessorCount));

            var rows = await RowsAsync(store, owner, parsed.GetValue(data), parsed.GetValue(dataset), parsed.GetValue(split), fields, generates, clock, ct);
            var (hash, count) = await rows.FingerprintAsync(ct);
            rows.CheckMapping();
            // The answer must not be in the question.
            var hidden = new HashSet<string>(new[] { "expected", "reference", "output", "label", fields.Expected, fields.Output }.OfType<string>());
            var maker = generates
                ? await EvalModel.OpenAsync(
                    engine, store, owner, parsed.GetValue(model), parsed.GetValue(prompt), parsed.GetValue(promptFile), parsed.GetValue(demonstrations),
                    parsed.GetValue(k), hidden, ct)
                : null;
            if (parsed.GetValue(maxUsd) is not null && maker is { HasPrice: false })
                throw new UsageException($"--max-usd cannot hold: the price of `{maker.About.Model}` is unknown. Set Models:Chat:{maker.About.Model}:input_usd_per_million and output_usd_per_million, or Prices:{maker.About.ModelId}.");
            var generation = maker is null ? null : new Generation(maker.Plan, new ModelFaults(clock), options, clock, new Random());
            if (generation is not null && rows.First() is { } first && generation.Missing(first) is { Count: > 0 } missing)
                throw new UsageException($"The first row has no {string.Join(" and no ", missing.Select(each => $"`{each}`"))}, which the prompt needs.{(missing.Any(hidden.Contains) ? " Fields that hold the answer are not shown to the model." : "")}");
            var about = (maker?.About ?? new EvalAbout(Name: null)) with { Name = parsed.GetValue(name), Dataset = rows.Dataset?.Dataset, DatasetVersion = rows.Dataset?.Number };

            var runs = store.EvalRuns;
            var setHash = MetricSet.Fingerprint(set, fields) + (maker is null ? "" : "+" + maker.Fingerprint) + (parsed.GetValue(split) is { } part ? "/" + part : "");
            var run = await runs.BeginAsync(
                owner.Id, new(rows.Name, hash, setHash, [.. set.Select(metric => metric.Metric.Name)], MetricSet.Json(set), about == new EvalAbout(Name: null) ? null : about.Json()),
                parsed.GetValue(fresh), clock.GetUtcNow(), ct);
            var started = Stopwatch.GetTimestamp();
            var paid = generation is null ? null : await runs.UncheckedAsync(run, ct);
            var budget = parsed.GetValue(maxUsd) is { } dollars ? new EvalBudget(dollars, await runs.SpentAsync(run, ct), clock) : null;
            await Output.ProgressAsync(generation is null ? "Checking" : "Answering and checking", parsed.GetValue(json), async report =>
            {
                var done = (long)run.Resumed;
                var evaluation = new Evaluation(set, new ModelFaults(clock), options, clock, new Random())
                {
                    Budget = budget,
                    Answer = generation is null ? null : async (one, stop) =>
                    {
                        if (one.Span is null)
                            return one;
                        if (paid!.TryGetValue(one.Row, out var kept))
                            return Generation.With(one, kept, paidNow: false);
                        var made = await generation.AskAsync(one, stop);
                        await runs.AddAsync(run, made, CancellationToken.None);
                        return Generation.With(one, made, paidNow: true);
                    },
                };
                await evaluation.RunAsync(
                    rows.Raw(await runs.DoneAsync(run, ct)), rows.Read,
                    async cases =>
                    {
                        await runs.AddAsync(run, cases, CancellationToken.None);
                        report(done += cases.Count, count);
                    },
                    ct);
            });
            if (budget is { IsUsedUp: true })
            {
                var (rowsDone, spent) = ((await runs.DoneAsync(run, ct)).Count, await runs.SpentAsync(run, ct));
                throw new FlywheelException(string.Create(CultureInfo.InvariantCulture, $"--max-usd is used up: run {run.Id} has {rowsDone:N0} of about {count:N0} rows and cost {spent:0.####} USD. Nothing of it is lost: the same command with a higher --max-usd goes on."));
            }
            await runs.FinishAsync(run, clock.GetUtcNow(), ct);

            var report = await EvalReport.OfAsync(
                runs, run, store.Description, Stopwatch.GetElapsedTime(started).TotalSeconds, set, fields.Expected is not null, minima,
                parsed.GetValue(worst), ct);
            if (parsed.GetValue(lines) is { } linesPath)
                await WriteLinesAsync(linesPath, runs, run, set, ct);
            if (parsed.GetValue(junit) is { } junitPath)
                await JUnitFile.WriteAsync(junitPath, report, runs, run, ct);
            if (parsed.GetValue(json))
                Output.Json(report);
            else
                report.Show();

            var errors = report.Metrics.Sum(metric => metric.Outcomes["error"]);
            if (errors > parsed.GetValue(maxErrors))
                await Console.Error.WriteLineAsync($"flywheel: {errors:N0} outcomes are errors, more than --max-errors allows.");
            return report.Passed && !(errors > parsed.GetValue(maxErrors)) ? ExitCodes.Ok : ExitCodes.ThresholdNotMet;
        });
        return command;
    }

    static async Task<EvalRows> RowsAsync(
        IFlywheelStore? store, Project? owner, string? data, string? dataset, string? split, EvalFields fields, bool generates, TimeProvider clock,
        CancellationToken ct)
    {
        if (data is not null)
            return new EvalRows(data, fields, clock) { Generates = generates };
        var (name, which) = DatasetReference.Parse(dataset!);
        var (datasets, caller) = (new DatasetService(store!.Datasets, store.Metrics, clock), CommandCaller.Of(owner!));
        var version = await datasets.VersionAsync(caller, name, which, ct);
        return new EvalRows(version, () => datasets.ItemsAsync(caller, version, split, ct).ToBlockingEnumerable(ct), fields, clock)
        {
            Generates = generates, Dataset = version,
        };
    }

    static async Task<IReadOnlyList<EvalMetric>> ResolveAsync(
        string set, IFlywheelStore store, Project owner, ValidatorRegistry registry, CancellationToken ct)
    {
        if (File.Exists(set))
            return MetricSet.OfFile(set, registry);
        var pack = MetricPack.Find(set);
        // A pack's name is meant as a pack, unless the project has a metric of that name.
        return pack is null || await store.Metrics.FindAsync(owner.Id, set, ct) is not null
            ? await MetricSet.OfProjectAsync(store, owner, set, registry, ct)
            : MetricSet.OfPack(pack, registry);
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

    static async Task WriteLinesAsync(
        string path, IEvalRunStore runs, EvalRun run, IReadOnlyList<EvalMetric> set, CancellationToken ct)
    {
        await using var writer = new StreamWriter(path);
        for (var i = 0; i < set.Count; i++)
            await foreach (var finding in runs.FindingsAsync(run, i, ct))
                await writer.WriteLineAsync(JsonSerializer.Serialize(
                    new Line(finding.Row, finding.Id, set[i].Metric.Name, Wire.Name(finding.Outcome), finding.Score, finding.Reason), FileJson.Lines));
    }
}
