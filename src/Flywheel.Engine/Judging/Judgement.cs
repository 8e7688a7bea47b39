using System.Text.Json;
using Flywheel.Core;
using Flywheel.Core.Metrics;

namespace Flywheel.Engine.Judging;

/// <summary>A judge's answer, read strictly: what does not follow the contract to the letter decides nothing.</summary>
/// <param name="Confidence">As the model said it, in [0, 1]; null when it said none.</param>
public sealed record Judgement(Outcome Verdict, string Critique, double? Confidence)
{
    const int MaxLength = 50_000;
    const int Quoted = 200;

    /// <summary>
    /// Reads <c>{"critique": "…", "verdict": "pass" | "fail" | "unsure", "confidence": 0..1}</c>, confidence optional, the whole reply
    /// being that one object, at most inside one Markdown code block.
    /// </summary>
    /// <param name="problem">Why the reply cannot be read, with its first 200 characters.</param>
    public static Judgement? Parse(string? reply, out string? problem) => Parse(reply, out problem, out _);

    /// <param name="form">Why the reply cannot be read, quoting nothing of it.</param>
    internal static Judgement? Parse(string? reply, out string? problem, out string? form)
    {
        problem = form = null;
        if (string.IsNullOrWhiteSpace(reply))
            return Unreadable("the reply is empty", "", out problem, out form);
        if (reply.Length > MaxLength)
            return Unreadable($"the reply has {reply.Length} characters", reply, out problem, out form);
        if (!reply.Any(char.IsLetterOrDigit))
            return Unreadable("the reply has no letter or digit", reply, out problem, out form);
        if (StrictJson.Parse(StrictJson.Unfence(reply) ?? reply, out var why) is not { } root)
            return Unreadable($"the reply is not one JSON object: {why}", reply, out problem, out form);
        if (root.ValueKind != JsonValueKind.Object)
            return Unreadable("the reply is JSON, but no object", reply, out problem, out form);

        string? critique = null;
        Outcome? verdict = null;
        double? confidence = null;
        foreach (var property in root.EnumerateObject())
        {
            why = property.Name switch
            {
                "critique" => property.Value.ValueKind == JsonValueKind.String
                    ? Take(ref critique, property.Value.GetString()!) : "`critique` is no text",
                "verdict" => Verdicts(property.Value) is { } known ? Take(ref verdict, known) : "`verdict` is not pass, fail or unsure",
                "confidence" => ReadConfidence(property.Value, ref confidence) ? null : "`confidence` is no number from 0 to 1",
                _ => "it has a property that was not asked for",
            };
            if (why is not null)
                return Unreadable(why, reply, out problem, out form);
        }
        if (verdict is not { } outcome)
            return Unreadable("`verdict` is missing", reply, out problem, out form);
        if (critique is null)
            return Unreadable("`critique` is missing", reply, out problem, out form);
        // A pass must say what earned it: a bare one is what master keys and injections bring about.
        if (outcome == Outcome.Pass && (DegenerateAnswers.IsSymbolsOnly(critique) || DegenerateAnswers.IsOpener(critique)))
            return Unreadable("`critique` says nothing, and a pass needs a reason", reply, out problem, out form);
        return new(outcome, critique.Trim(), confidence);
    }

    static Outcome? Verdicts(JsonElement value) => value.ValueKind != JsonValueKind.String ? null : value.GetString() switch
    {
        "pass" => Outcome.Pass,
        "fail" => Outcome.Fail,
        "unsure" => Outcome.Unsure,
        _ => null,
    };

    static bool ReadConfidence(JsonElement value, ref double? confidence)
    {
        if (value.ValueKind == JsonValueKind.Null)
            return true;
        if (value.ValueKind != JsonValueKind.Number || !value.TryGetDouble(out var number) || number is not (>= 0 and <= 1))
            return false;
        confidence = number;
        return true;
    }

    static string? Take<T>(ref T? field, T value)
    {
        field = value;
        return null;
    }

    static string? Take<T>(ref T? field, T value) where T : struct
    {
        field = value;
        return null;
    }

    static Judgement? Unreadable(string why, string reply, out string problem, out string form)
    {
        form = why;
        problem = reply.Length == 0
            ? $"unreadable judge: {why}" : $"unreadable judge: {why}; it begins {Quote.Short(reply.Trim(), Quoted)}";
        return null;
    }
}
