using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Flywheel.Core.Traces;

/// <summary>
/// What a span's attributes say that is looked for later: its answer's id, which prompt it ran, and its turn in the session.
/// </summary>
/// <param name="ResponseId">The provider's id of the answer: the key of feedback from clients that know nothing else.</param>
/// <param name="Prompt">Name of a prompt of the registry; null without a version.</param>
/// <param name="Turn">From 1.</param>
public readonly record struct SpanMarks(string? ResponseId, string? Prompt, int? PromptVersion, int? Turn)
{
    public const string ResponseIdKey = "gen_ai.response.id";
    public const string PromptKey = "flywheel.prompt.name";
    public const string PromptVersionKey = "flywheel.prompt.version";
    public const string TurnKey = "flywheel.session.turn";
    public const string PromptLabelKey = "flywheel.prompt.label";

    /// <summary>A name longer than that is no name, and would fill the indexes.</summary>
    const int MaxLength = 200;

    /// <summary>Reads the attributes' top level; attributes that are no JSON object have no marks.</summary>
    /// <remarks>Langfuse's and the GenAI conventions' names of a prompt count too. Attributes that hold none of the words are not
    /// parsed.</remarks>
    public static SpanMarks Of(string? attributes)
    {
        if (attributes is null
            || (!attributes.Contains(ResponseIdKey, StringComparison.Ordinal)
            && !attributes.Contains("prompt.version", StringComparison.Ordinal)
                && !attributes.Contains(TurnKey, StringComparison.Ordinal)))
            return default;
        var bytes = ArrayPool<byte>.Shared.Rent(Encoding.UTF8.GetMaxByteCount(attributes.Length));
        try
        {
            return Read(bytes.AsSpan(0, Encoding.UTF8.GetBytes(attributes, bytes)));
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException)
        {
            return default;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }

    static SpanMarks Read(ReadOnlySpan<byte> attributes)
    {
        var json = new Utf8JsonReader(attributes);
        if (!json.Read() || json.TokenType != JsonTokenType.StartObject)
            return default;
        string? response = null, prompt = null;
        int? version = null, turn = null;
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            if (!json.ValueIsEscaped && !MayBeMark(json.ValueSpan))
            {
                json.Skip();
                continue;
            }
            var isResponse = json.ValueTextEquals(ResponseIdKey);
            var isPrompt = json.ValueTextEquals(PromptKey) || json.ValueTextEquals("gen_ai.prompt.name")
                || json.ValueTextEquals("langfuse.observation.prompt.name");
            var isVersion = json.ValueTextEquals(PromptVersionKey) || json.ValueTextEquals("gen_ai.prompt.version")
                || json.ValueTextEquals("langfuse.observation.prompt.version");
            var isTurn = json.ValueTextEquals(TurnKey);
            json.Read();
            if (isResponse)
                response = Short(ref json) ?? response;
            else if (isPrompt)
                prompt = Short(ref json) ?? prompt;
            else if (isVersion)
                version = Number(ref json) ?? version;
            else if (isTurn)
                turn = Number(ref json) ?? turn;
            json.Skip();
        }
        return prompt is null || version is null ? new(response, null, null, turn) : new(response, prompt, version, turn);
    }

    static bool MayBeMark(ReadOnlySpan<byte> name) =>
        name.EndsWith(".id"u8) || name.EndsWith("prompt.name"u8) || name.EndsWith("prompt.version"u8)
        || name.EndsWith(".turn"u8);

    static string? Short(ref Utf8JsonReader json) =>
        json.TokenType == JsonTokenType.String && json.GetString() is { Length: > 0 and <= MaxLength } text
            && !text.Contains('\0') ? text : null;

    static int? Number(ref Utf8JsonReader json) => json.TokenType switch
    {
        JsonTokenType.Number when json.TryGetInt32(out var number) && number > 0 => number,
        JsonTokenType.String when int.TryParse(json.GetString(), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && number > 0 => number,
        _ => null,
    };
}
