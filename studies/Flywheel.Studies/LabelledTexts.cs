using System.Text.Json;

namespace Flywheel.Studies;

/// <summary>An answer that people labelled.</summary>
/// <param name="Group">Rows of one group are about the same thing: they never stand on both sides of a split.</param>
sealed record LabelledText(string Group, string Input, string Output, bool Passed);

/// <summary>Sets of answers with people's labels.</summary>
static class LabelledTexts
{
    public static readonly string[] Names = ["halueval", "evouna", "openqa", "mrben", "xstest"];

    public static LabelledText[] Of(string set) => set switch
    {
        "halueval" => [.. SharedData.Lines("labels_halueval", "responses.jsonl").Select(row => new LabelledText(
            Text(row, "query"), Text(row, "query"), Text(row, "response"), !row.GetProperty("hallucinated").GetBoolean()))],
        "evouna" => [.. SharedData.Lines("answers_evouna", "nq.jsonl").Select(row => (row, Answer: row.GetProperty("answers").GetProperty("gpt35")))
            .Select(each => new LabelledText(
                Text(each.row, "question"), Text(each.row, "question"), Text(each.Answer, "text"), each.Answer.GetProperty("human_correct").GetBoolean()))],
        "openqa" => [.. SharedData.Lines("judge_openqa", "answers.jsonl").Select(row => new LabelledText(
            Text(row, "question"), Text(row, "question"), Text(row, "answer"), row.GetProperty("human").GetBoolean()))],
        "mrben" => [.. SharedData.Lines("steps_mrben", "solutions.jsonl").Select(row => new LabelledText(
            Text(row, "question"), Text(row, "question"), string.Join('\n', row.GetProperty("steps").EnumerateArray().Select(step => step.GetString())),
            row.GetProperty("correct").GetBoolean()))],
        "xstest" => [.. SharedData.Lines("judge_xstest", "completions.jsonl").Select(row => new LabelledText(
            Text(row, "type"), Text(row, "prompt"), Text(row, "completion"), Text(row, "human") == "1_full_compliance"))],
        _ => throw new ArgumentException($"There is no set `{set}`: use {string.Join(", ", Names)}.", nameof(set)),
    };

    static string Text(JsonElement row, string field) => row.GetProperty(field) is { ValueKind: JsonValueKind.String } text ? text.GetString()! : "";
}
