using System.Text.Json;
using Flywheel.Core.Metrics;

namespace Flywheel.Engine.Judging;

/// <summary>What is done about a verdict below the line.</summary>
public enum BelowLine
{
    /// <summary>It counts, and says that it is below.</summary>
    Nothing,

    /// <summary>The next judge of the cascade is asked, and after the last one a person.</summary>
    Escalate,

    /// <summary>It is unsure, for a person.</summary>
    Person,
}

/// <summary>Verdicts above the line agree with people at least 1 - alpha of the time, with confidence 1 - delta.</summary>
public sealed record GuaranteeSetting(double Alpha, double Delta, BelowLine Below)
{
    /// <summary>What is shown where nobody asked for a promise.</summary>
    public static GuaranteeSetting Unasked { get; } = new(0.1, 0.1, BelowLine.Nothing);

    const string Remedy = "must be an object such as {\"alpha\": 0.1, \"delta\": 0.1, \"below\": \"person\"}";

    internal static GuaranteeSetting? Read(ValidatorSettings read, bool cascade)
    {
        if (read.Json("guarantee") is not { } json)
            return null;
        if (json.ValueKind != JsonValueKind.Object)
            throw read.Wrong("guarantee", Remedy + ".");
        foreach (var property in json.EnumerateObject())
            if (property.Name is not ("alpha" or "delta" or "below"))
                throw read.Wrong("guarantee", $"has `{property.Name}`, which it does not know: it {Remedy}.");
        var below = cascade ? BelowLine.Escalate : BelowLine.Person;
        if (json.TryGetProperty("below", out var word))
            below = word.ValueKind == JsonValueKind.String && Wire.Parse<BelowLine>(word.GetString()) is { } known
                ? known
                : throw read.Wrong("guarantee", $"{Remedy}: `below` is one of {Wire.Choices<BelowLine>()}.");
        return new(Share(read, json, "alpha"), Share(read, json, "delta"), below);
    }

    static double Share(ValidatorSettings read, JsonElement json, string name) => !json.TryGetProperty(name, out var value)
        ? 0.1
        : value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var share) && share is >= 0.001 and <= 0.5
            ? share
            : throw read.Wrong("guarantee", $"{Remedy}: `{name}` is a number from 0.001 to 0.5.");
}
