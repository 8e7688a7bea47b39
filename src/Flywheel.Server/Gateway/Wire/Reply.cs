using System.Text.Json;

namespace Flywheel.Server.Gateway.Wire;

/// <summary>What one event of a stream is for the gateway.</summary>
enum EventMeaning
{
    /// <summary>A piece of the answer, or anything that the client may want.</summary>
    Piece,

    /// <summary>Usage only, which the client sees if it asked for it.</summary>
    Usage,

    /// <summary>The last event: the answer is whole.</summary>
    End,

    /// <summary>The provider says that it failed.</summary>
    Failure,

    /// <summary>No event of this protocol.</summary>
    Malformed,
}

/// <summary>What the gateway reads of an answer while its bytes pass by.</summary>
abstract class Reply
{
    public string? Id { get; protected set; }
    public string? Model { get; protected set; }
    public int? InputTokens { get; protected set; }
    public int? OutputTokens { get; protected set; }
    public int? CachedTokens { get; protected set; }
    public int? ReasoningTokens { get; protected set; }

    /// <summary>The provider's own words of failure; null when it reported none.</summary>
    public string? Failure { get; protected set; }

    /// <summary>True as soon as something of an answer came.</summary>
    public abstract bool HasContent { get; }

    /// <summary>The model said that it has finished, even if the closing event is missing.</summary>
    public abstract bool HasFinished { get; }

    public abstract IEnumerable<string> FinishReasons { get; }

    /// <summary>Reads a whole answer.</summary>
    /// <returns>Why it is none; null when it is one.</returns>
    /// <exception cref="JsonException">It is no JSON.</exception>
    public abstract string? ReadWhole(ReadOnlySpan<byte> body);

    /// <summary>Reads the data of one event.</summary>
    /// <param name="emptyUsage">Where an empty usage member stands, its comma included: only there because we asked for usage.</param>
    /// <exception cref="JsonException">It is no JSON.</exception>
    public abstract EventMeaning ReadEvent(ReadOnlySpan<byte> data, out JsonSlice emptyUsage);

    /// <summary>The answer as one text: what it says, else its tool calls as JSON, else null.</summary>
    public abstract string? OutputText();

    /// <summary>The answer in the normal form of spans; nothing when the protocol has no messages.</summary>
    public abstract void WriteMessages(Utf8JsonWriter json, string fallbackFinish);

    public virtual bool HasToolCalls => false;

    /// <summary>
    /// Tool calls as <c>[{name, arguments}]</c>, without ids: those differ each time and would hide that two answers are equal.
    /// </summary>
    public virtual void WriteToolCalls(Utf8JsonWriter json)
    {
    }

    /// <summary>All texts that the model wrote, for counting tokens where the provider did not.</summary>
    public abstract string WrittenText();

    /// <summary>Usage under the names of either protocol, from the object that the reader stands on.</summary>
    protected void ReadUsage(ref Utf8JsonReader json)
    {
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            if (json.ValueTextEquals("prompt_tokens"u8) || json.ValueTextEquals("input_tokens"u8)) InputTokens = Number(ref json);
            else if (json.ValueTextEquals("completion_tokens"u8) || json.ValueTextEquals("output_tokens"u8)) OutputTokens = Number(
                ref json);
            else if (json.ValueTextEquals("prompt_tokens_details"u8) || json.ValueTextEquals("input_tokens_details"u8))
                CachedTokens = Detail(ref json, "cached_tokens"u8);
            else if (json.ValueTextEquals("completion_tokens_details"u8) || json.ValueTextEquals("output_tokens_details"u8))
                ReasoningTokens = Detail(ref json, "reasoning_tokens"u8);
            else json.Skip();
        }
    }

    static int? Number(ref Utf8JsonReader json)
    {
        json.Read();
        return JsonText.Count(ref json);
    }

    static int? Detail(ref Utf8JsonReader json, ReadOnlySpan<byte> name)
    {
        json.Read();
        if (json.TokenType != JsonTokenType.StartObject)
        {
            json.Skip();
            return null;
        }
        int? found = null;
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
            if (json.ValueTextEquals(name))
                found = Number(ref json);
            else
                json.Skip();
        return found;
    }

    /// <summary>The message of an error member: an object with `message`, or a text.</summary>
    protected static string? ReadFailure(ref Utf8JsonReader json)
    {
        if (json.TokenType == JsonTokenType.Null)
            return null;
        if (json.TokenType != JsonTokenType.StartObject)
            return JsonText.Text(ref json) ?? "the provider reported an error";
        string? message = null;
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            var isMessage = json.ValueTextEquals("message"u8);
            json.Read();
            if (isMessage)
                message = JsonText.Text(ref json);
            else
                json.Skip();
        }
        return message ?? "the provider reported an error";
    }

    /// <summary>The message of an error body; null when it is no such body.</summary>
    public static string? FailureIn(ReadOnlySpan<byte> body)
    {
        try
        {
            var json = new Utf8JsonReader(body, JsonText.Strict);
            if (!json.Read() || json.TokenType != JsonTokenType.StartObject)
                return null;
            string? failure = null;
            while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
            {
                var isError = json.ValueTextEquals("error"u8);
                json.Read();
                if (isError)
                    failure = ReadFailure(ref json);
                else
                    json.Skip();
            }
            return failure;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    protected static string Word(ReadOnlySpan<byte> word) => word switch
    {
        _ when word.SequenceEqual("stop"u8) => "stop",
        _ when word.SequenceEqual("tool_calls"u8) => "tool_calls",
        _ when word.SequenceEqual("length"u8) => "length",
        _ => JsonText.Decode(word),
    };
}
