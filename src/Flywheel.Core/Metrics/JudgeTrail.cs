using System.Text.Json;

namespace Flywheel.Core.Metrics;

/// <summary>What one judge answered, before anything was done about it.</summary>
/// <param name="Model">By its configured name, else the provider's; null for the default one.</param>
/// <param name="Confidence">As it came: the share of the vote or the judge's own word, not calibrated; null when it named none.</param>
/// <param name="Second">Confidence of the second judge, above 0 when it agreed and below when it did not; 0 when it could not tell, null
/// when nobody asked it.</param>
public sealed record JudgeWord(string? Model, Outcome Outcome, double? Confidence, double? Second = null);

/// <summary>The answers behind a judge's verdict, first judge first.</summary>
/// <param name="Judge">Whoever answers by the same rules has the same one: criterion, guidelines, model and parameters, whatever examples
/// are shown
/// and whatever is done about doubts. Labels of one judge calibrate it, not another.</param>
/// <param name="Length">How much longer or shorter the output is than the input: |ln((1 + output) / (1 + input))| in characters; 0 where
/// only one was shown.</param>
public sealed record JudgeTrail(string Judge, double Length, IReadOnlyList<JudgeWord> Words)
{
    static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull,
    };

    /// <summary>What the judge itself said, where a line or a stronger judge may have made something else of it.</summary>
    /// <param name="trail">Null for what kept none: then the outcome is its word.</param>
    public static Outcome OwnWord(Outcome outcome, JudgeTrail? trail) => trail?.Words[0].Outcome ?? outcome;

    /// <summary>As stored, without <see cref="Judge"/>.</summary>
    public string ToJson() => JsonSerializer.Serialize(
        new Kept(Math.Round(Length, 6),
            [.. Words.Select(word => new KeptWord(word.Model, Wire.Name(word.Outcome), word.Confidence, word.Second))]), Json);

    /// <returns>Null for what an outside writer put there that is none.</returns>
    public static JudgeTrail? Read(string judge, string? json)
    {
        try
        {
            if (json is null || JsonSerializer.Deserialize<Kept>(json, Json) is not { Words: { } words } kept)
                return null;
            var read = words.Select(
                word => Wire.Parse<Outcome>(word.Outcome) is { } outcome
                    ? new JudgeWord(word.Model, outcome, word.Confidence, word.Second) : null).ToArray();
            return read.Length > 0
                && read.All(word => word is not null && word.Confidence is not (< 0 or > 1) && word.Second is not (< -1 or > 1))
                && double.IsFinite(kept.Length)
                ? new(judge, kept.Length, read!)
                : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    sealed record Kept(double Length, IReadOnlyList<KeptWord>? Words);

    sealed record KeptWord(string? Model, string? Outcome, double? Confidence, double? Second);
}
