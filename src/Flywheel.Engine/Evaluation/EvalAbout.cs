using System.Globalization;
using System.Text.Json;

namespace Flywheel.Engine.Evaluation;

/// <summary>What made the outputs of a run, as it is kept with the run; all null when they were in the file.</summary>
/// <param name="Name">What people call the run.</param>
/// <param name="Prompt">NAME@NUMBER, or a file's name with the beginning of its hash.</param>
public sealed record EvalAbout(
    string? Name, string? Dataset = null, int? DatasetVersion = null, string? Model = null, string? ModelId = null, string? Prompt = null,
    string? Demonstrations = null, int? K = null)
{
    static readonly JsonSerializerOptions JsonOptions = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public string Json() => JsonSerializer.Serialize(this, JsonOptions);

    public static EvalAbout Of(string? json) =>
        json is null ? new EvalAbout(Name: null) : JsonSerializer.Deserialize<EvalAbout>(json, JsonOptions)!;

    /// <summary>What tells runs apart, in few words.</summary>
    public string Title()
    {
        var parts = new[] { Name, Model, Prompt,
            Demonstrations is null ? null : string.Create(CultureInfo.InvariantCulture, $"{K} of {Demonstrations}") }
            .OfType<string>().ToArray();
        return parts.Length == 0 ? "outputs of the file" : string.Join(", ", parts);
    }
}
