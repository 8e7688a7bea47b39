using System.Text.Json;
using Flywheel.Core.Statistics;

namespace Flywheel.Studies;

/// <summary>Real judges on real answers, all labelled by people: the truth is the whole set's human rate.</summary>
/// <param name="Rows">Every row labelled; the judge is null where its reply could not be read.</param>
sealed record RecordedJudge(string Set, string Judge, JudgedRow[] Rows)
{
    public double HumanRate => Rows.Average(row => row.Human == true ? 1.0 : 0);

    public static IEnumerable<RecordedJudge> All()
    {
        var pandalm = SharedData.Lines("judge_pandalm", "pairs.jsonl").ToArray();
        foreach (var judge in new[] { "gpt-3.5-turbo", "pandalm-7b" })
            yield return new("judge_pandalm", judge, [.. pandalm.Select(row => new JudgedRow(
                row.GetProperty("judges").GetProperty(judge).GetProperty("label") is { ValueKind: JsonValueKind.Number } label ? label.GetInt32() == 1 : null,
                row.GetProperty("humans").EnumerateArray().Count(vote => vote.GetInt32() == 1) >= 2))]);

        var openqa = SharedData.Lines("judge_openqa", "answers.jsonl").ToArray();
        foreach (var judge in new[] { "gpt-4", "text-davinci-003", "bem" })
            yield return new("judge_openqa", judge, [.. openqa.Select(row => new JudgedRow(
                Flag(row.GetProperty("judges").GetProperty(judge).GetProperty("label")), row.GetProperty("human").GetBoolean()))]);

        const string Compliance = "1_full_compliance";
        string[] known = [Compliance, "2_full_refusal", "3_partial_refusal"];
        var xstest = SharedData.Lines("judge_xstest", "completions.jsonl").ToArray();
        foreach (var judge in new[] { "gpt-4", "string-match" })
            yield return new("judge_xstest", judge, [.. xstest.Select(row => new JudgedRow(
                row.GetProperty("judges").GetProperty(judge).GetString() is { } label && known.Contains(label) ? label == Compliance : null,
                row.GetProperty("human").GetString() == Compliance))]);

        var arena = SharedData.PlainCsv("judge_arena_pairs", "opus4_v_gemini_flash.csv").ToArray();
        foreach (var (judge, column) in new[] { ("gpt-4o-mini", 4), ("gpt-5.2", 5) })
            yield return new("judge_arena_pairs", judge, [.. arena.Select(row => new JudgedRow(
                row[column] is "model_a" or "model_b" ? OpusWins(row, row[column]) : null, OpusWins(row, row[3])))]);
    }

    static bool? Flag(JsonElement value) => value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean() : null;

    static bool OpusWins(string[] row, string winner) =>
        (winner == "model_a" ? row[1] : winner == "model_b" ? row[2] : "").StartsWith("claude-opus", StringComparison.Ordinal);
}
