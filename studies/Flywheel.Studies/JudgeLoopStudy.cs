using System.Text.Json;
using System.Text.Json.Nodes;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Retrieval;
using Flywheel.Engine.Composition;
using Flywheel.Engine.Judging;
using Flywheel.Engine.Models.Offline;

namespace Flywheel.Studies;

/// <summary>Does a judge agree with people more, the more labels they gave? The product's judge with the offline model, by how its examples
/// are chosen.</summary>
static class JudgeLoopStudy
{
    const int Asked = 200;
    static readonly int[] At = [0, 10, 25, 50, 100, 200, 400, 1_000];

    public static async Task<JsonArray> RunAsync(string set, int runs)
    {
        var rows = LabelledTexts.Of(set);
        Console.Error.WriteLine(FormattableString.Invariant(
            $"{set}: {rows.Length:N0} answers, people pass {rows.Average(row => row.Passed ? 1.0 : 0):0.000}; agreement / balanced accuracy on {Asked} answers about other things, mean of {runs} runs ± half a 95 % interval"));
        var table = new JsonArray();
        foreach (var choice in Enum.GetValues<ExampleChoice>())
        {
            var agreed = At.Select(_ => new List<double>()).ToArray();
            var balanced = At.Select(_ => new List<double>()).ToArray();
            for (var run = 0; run < runs; run++)
                await RunAsync(rows, choice, run + 1, agreed, balanced);
            var cells = new JsonArray();
            var line = $"{choice,-12}";
            for (var at = 0; at < At.Length && agreed[at].Count > 0; at++)
            {
                line += FormattableString.Invariant($" {At[at]}: {agreed[at].Average():.000}±{Margin(agreed[at]):.000}/{balanced[at].Average():.000}±{Margin(balanced[at]):.000}");
                cells.Add(new JsonObject
                {
                    ["labels"] = At[at], ["agreement"] = agreed[at].Average(), ["agreement_margin"] = Margin(agreed[at]),
                    ["balanced"] = balanced[at].Average(), ["balanced_margin"] = Margin(balanced[at]),
                });
            }
            Console.Error.WriteLine(line);
            table.Add(new JsonObject { ["set"] = set, ["choice"] = choice.ToString(), ["by_labels"] = cells });
        }
        return table;
    }

    static async Task RunAsync(LabelledText[] rows, ExampleChoice choice, int seed, List<double>[] agreed, List<double>[] balanced)
    {
        // Whole groups to one side: nobody is asked about what was labelled.
        var groups = rows.GroupBy(row => row.Group, StringComparer.Ordinal).ToArray();
        new Random(seed).Shuffle(groups);
        var taken = 0;
        var split = Array.FindIndex(groups, group => (taken += group.Count()) >= Asked) + 1;
        var asked = groups[..split].SelectMany(group => group).Take(Asked).ToArray();
        var pool = groups[split..].SelectMany(group => group).ToArray();
        new Random(seed).Shuffle(pool);

        var embedder = new LexicalEmbedder();
        var examples = new StudyExamples(choice, embedder, seed);
        using var model = new OfflineChatClient(embedder);
        var fences = 0;
        var judge = EngineValidators.Registry(judges: new JudgeServices(_ => model, examples) { NewFence = () => $"fence{seed}x{fences++}" }).Get("judge")
            .Create(new ValidatorContext("study", "Is the answer right?", MetricSubject.Output, ProjectId.Default), JsonSerializer.SerializeToElement(new { }));
        var given = 0;
        for (var at = 0; at < At.Length && At[at] <= pool.Length; at++)
        {
            // What the judge said of an item before its label came is how far it was from the person.
            var fresh = new List<(LabelledText, double)>();
            for (; given < At[at]; given++)
                fresh.Add((pool[given], choice == ExampleChoice.Ours ? Distance(await AskAsync(judge, pool[given]), pool[given].Passed) : 0));
            foreach (var (label, distance) in fresh)
                examples.Add(label, distance);

            var right = new List<(bool Passed, bool Right)>();
            foreach (var row in asked)
                right.Add((row.Passed, (await AskAsync(judge, row)).Outcome == (row.Passed ? Outcome.Pass : Outcome.Fail)));
            agreed[at].Add(right.Average(it => it.Right ? 1.0 : 0));
            balanced[at].Add(right.GroupBy(it => it.Passed).Average(of => of.Average(it => it.Right ? 1.0 : 0)));
        }
    }

    static async Task<Finding> AskAsync(IValidator judge, LabelledText row) =>
        await judge.CheckAsync(new Examinee(row.Output, null, row.Input), CancellationToken.None);

    static double Distance(Finding finding, bool passed) => finding.Outcome switch
    {
        Outcome.Pass => passed ? 1 - (finding.Confidence ?? 1) : finding.Confidence ?? 1,
        Outcome.Fail => passed ? finding.Confidence ?? 1 : 1 - (finding.Confidence ?? 1),
        _ => 0.5,
    };

    static double Margin(List<double> values)
    {
        var mean = values.Average();
        return 1.96 * Math.Sqrt(values.Sum(x => (x - mean) * (x - mean)) / Math.Max(1, values.Count - 1) / values.Count);
    }
}
