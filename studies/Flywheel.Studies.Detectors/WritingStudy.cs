using System.Text.Json;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Statistics;
using Flywheel.Core.Traces;
using Flywheel.Validators.Writing;

namespace Flywheel.Studies.Detectors;

/// <summary>AUROC of groundedness and refusal beside trivial baselines, on answers that people labelled.</summary>
static class WritingStudy
{
    public static async Task RunAsync()
    {
        var documents = Lines("labels_summedits/sales_call_documents.jsonl").ToDictionary(row => Text(row, "doc_id"), row => Text(row, "text"));
        await GroundedAsync("labels_summedits", Lines("labels_summedits/sales_call_summaries.jsonl")
            .Select(row => (Text(row, "summary"), documents[Text(row, "doc_id")], Bad: !row.GetProperty("consistent").GetBoolean())));
        await GroundedAsync("labels_halueval, the question as context", Lines("labels_halueval/responses.jsonl")
            .Select(row => (Text(row, "response"), Text(row, "query"), Bad: row.GetProperty("hallucinated").GetBoolean())));

        var rows = Lines("judge_xstest/completions.jsonl").Where(row => row.GetProperty("human").ValueKind == JsonValueKind.String)
            .Select(row => (Answer: Text(row, "completion"), Human: Text(row, "human")[0], Judges: row.GetProperty("judges"))).ToArray();
        foreach (var (name, wanted, left) in new[] { ("full refusal against full compliance", "2", "3"), ("full or partial refusal against compliance", "23", "") })
        {
            var some = rows.Where(row => !left.Contains(row.Human)).ToArray();
            var bad = some.Select(row => wanted.Contains(row.Human)).ToArray();
            var scores = some.Select(row => RefusalKind.Score(row.Answer).Score).ToArray();
            Console.WriteLine($"judge_xstest, {name}: {bad.Count(each => each)} of {bad.Length}");
            Say("  writer.refusal", scores, bad);
            Say("  short answers", [.. some.Select(row => -(double)row.Answer.Length)], bad);
            foreach (var judge in new[] { "string-match", "gpt-4" })
                Say($"  recorded {judge}", [.. some.Select(row => row.Judges.GetProperty(judge).ToString().StartsWith('1') ? 0.0 : 1)], bad);
            Decisions(scores.Select(score => score >= 0.5), bad);
        }
    }

    static async Task GroundedAsync(string set, IEnumerable<(string Text, string Context, bool Bad)> rows)
    {
        var all = rows.ToArray();
        var bad = all.Select(row => row.Bad).ToArray();
        var validator = new GroundedKind().Create(new("grounded", "", MetricSubject.Output), JsonSerializer.SerializeToElement(new { }));
        var findings = new List<Finding>();
        foreach (var (text, context, _) in all)
            findings.Add(await validator.CheckAsync(new(text, new Span(default, ProjectId.Default, new NewSpan
            {
                Key = new("t", "s"), Node = "writer", StartedAt = DateTimeOffset.UnixEpoch, Output = text, Attributes = JsonSerializer.Serialize(new { context }),
            }, DateTimeOffset.UnixEpoch)), default));
        Console.WriteLine($"{set}: {bad.Count(each => each)} of {bad.Length} inconsistent");
        Say("  writer.grounded", [.. findings.Select(finding => finding.Score!.Value)], bad);
        Say("  new words (overlap)", [.. all.Select(row => Claims.Of(row.Context).NewWords(row.Text))], bad);
        Say("  long answers", [.. all.Select(row => (double)row.Text.Length)], bad);
        Decisions(findings.Select(finding => finding.Outcome == Outcome.Fail), bad);
    }

    static void Say(string what, double[] scores, bool[] bad) => Console.WriteLine(
        $"{what,-30} AUROC {ConformalSeparation.Auroc(scores.Where((_, i) => bad[i]), scores.Where((_, i) => !bad[i])):0.000}");

    static void Decisions(IEnumerable<bool> said, bool[] bad)
    {
        var pairs = said.Zip(bad).ToArray();
        var hits = pairs.Count(pair => pair is (true, true));
        Console.WriteLine($"  at the default threshold: precision {hits} of {pairs.Count(pair => pair.First)}, recall {hits} of {bad.Count(each => each)}");
    }

    static IEnumerable<JsonElement> Lines(string file) =>
        File.ReadLines(Path.Combine(StudyData.Folder, file)).Select(line => JsonSerializer.Deserialize<JsonElement>(line));

    static string Text(JsonElement row, string name) => row.GetProperty(name).GetString() ?? "";
}
