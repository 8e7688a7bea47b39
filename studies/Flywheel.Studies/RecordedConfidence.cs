using System.Text.Json;
using Flywheel.Core.Statistics;

namespace Flywheel.Studies;

/// <summary>Recorded verdicts with a confidence, all labelled.</summary>
/// <param name="Groups">Rows of one group (question, item) go to the same side of a split.</param>
sealed record RecordedConfidence(string Name, CalibrationRow[] Rows, string[] Groups)
{
    public static IEnumerable<RecordedConfidence> All()
    {
        var openqa = SharedData.Lines("judge_openqa", "answers.jsonl").ToArray();
        var questions = openqa.Select(row => row.GetProperty("question").GetString()!).ToArray();
        var bem = openqa.Select(row => row.GetProperty("judges").GetProperty("bem").GetProperty("score").GetDouble()).ToArray();
        foreach (var judge in new[] { "gpt-4", "text-davinci-003" })
            yield return Keep($"openqa {judge}, conf = BEM", openqa.Select((row, i) =>
                Verdict(row, judge) is { } verdict ? new CalibrationRow(verdict ? bem[i] : 1 - bem[i], verdict, row.GetProperty("human").GetBoolean(), []) : null), questions);
        yield return Keep("openqa BEM, own score", openqa.Select((row, i) =>
            new CalibrationRow(Math.Max(bem[i], 1 - bem[i]), bem[i] >= 0.5, row.GetProperty("human").GetBoolean(), [])), questions);
        yield return Keep("openqa vote of 3", openqa.Select(row =>
        {
            bool?[] votes = [Verdict(row, "gpt-4"), Verdict(row, "text-davinci-003"), Verdict(row, "bem")];
            var passes = votes.Count(vote => vote == true);
            return new CalibrationRow(Math.Max(passes, 3 - passes) / 3.0, passes >= 2, row.GetProperty("human").GetBoolean(), []);
        }), questions);
        yield return Keep("openqa gpt-4, BEM and davinci", openqa.Select((row, i) =>
        {
            if (Verdict(row, "gpt-4") is not { } verdict)
                return null;
            var other = Verdict(row, "text-davinci-003");
            return new CalibrationRow(verdict ? bem[i] : 1 - bem[i], verdict, row.GetProperty("human").GetBoolean(),
                [other is null ? 0 : other == verdict ? 1 : -1, row.GetProperty("answer").GetString()!.Length]);
        }), questions);

        var human = SharedData.Lines("judge_llmbar", "items.jsonl").ToDictionary(row => row.GetProperty("id").GetString()!, row => row.GetProperty("human_label").ToString());
        var verdicts = SharedData.PlainCsv("judge_llmbar", "verdicts.csv").Where(row => row[4] is "1" or "2").ToArray();
        foreach (var judge in verdicts.Select(row => row[1]).Distinct().ToArray())
        {
            var votes = verdicts.Where(row => row[1] == judge).GroupBy(row => row[0])
                .Select(item => (Id: item.Key, First: item.Count(row => row[4] == "1"), All: item.Count())).Where(item => item.All >= 3).ToArray();
            if (votes.Length < 200)
                continue;
            yield return Keep($"llmbar {judge}, votes", votes.Select(item => new CalibrationRow(
                Math.Max(item.First, item.All - item.First) / (double)item.All, item.First * 2 >= item.All, human[item.Id] == "1", [])), votes.Select(item => item.Id));
        }
    }

    static RecordedConfidence Keep(string name, IEnumerable<CalibrationRow?> rows, IEnumerable<string> groups)
    {
        var kept = rows.Zip(groups).Where(pair => pair.First is not null).ToArray();
        return new(name, [.. kept.Select(pair => pair.First!)], [.. kept.Select(pair => pair.Second)]);
    }

    static bool? Verdict(JsonElement row, string judge) =>
        row.GetProperty("judges").GetProperty(judge).GetProperty("label") is { ValueKind: JsonValueKind.True or JsonValueKind.False } label ? label.GetBoolean() : null;
}
