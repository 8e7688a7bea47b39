using System.Text.Json;

namespace Flywheel.Server.Gateway.Wire;

/// <summary>What the gateway needs to know of a request's body: a few members, and where they stand.</summary>
/// <remarks>The body is read once from end to end, so it is well-formed JSON when this exists; nothing of it is copied but names.</remarks>
sealed class RequestOutline
{
    /// <summary>Members that become attributes of the span as they are.</summary>
    public static readonly (string Member, string Attribute)[] Parameters =
    [
        ("temperature", "gen_ai.request.temperature"), ("top_p", "gen_ai.request.top_p"), ("max_tokens", "gen_ai.request.max_tokens"),
        ("max_completion_tokens", "gen_ai.request.max_tokens"), ("max_output_tokens", "gen_ai.request.max_tokens"),
        ("seed", "gen_ai.request.seed"),
        ("frequency_penalty", "gen_ai.request.frequency_penalty"), ("presence_penalty", "gen_ai.request.presence_penalty"),
        ("stop", "gen_ai.request.stop_sequences"), ("n", "gen_ai.request.choice.count"), ("tools", "gen_ai.tool.definitions"),
        ("response_format", "flywheel.request.response_format"), ("text", "flywheel.request.response_format"),
        ("tool_choice", "flywheel.request.tool_choice"), ("metadata", "flywheel.request.metadata"),
        ("previous_response_id", "flywheel.request.previous_response_id"), ("reasoning_effort", "flywheel.request.reasoning_effort"),
        ("dimensions", "gen_ai.embeddings.dimension.count"),
    ];

    static readonly byte[][] ParameterNames = [.. Parameters.Select(each => System.Text.Encoding.UTF8.GetBytes(each.Member))];

    readonly List<(int Parameter, JsonSlice Value)> _parameters = [];

    public string Model { get; private set; } = "";

    /// <summary>With its quotes.</summary>
    public JsonSlice ModelValue { get; private set; }

    public bool Stream { get; private set; }

    public JsonSlice StreamOptions { get; private set; }

    /// <summary>The caller asked for usage at the end of the stream.</summary>
    public bool IncludesUsage { get; private set; }

    /// <summary>`messages`, or `input` of the newer protocols.</summary>
    public JsonSlice Prompt { get; private set; }

    /// <summary>`instructions` of a response.</summary>
    public JsonSlice Instructions { get; private set; }

    /// <summary>Values for the node's prompt, for the gateway only.</summary>
    public JsonSlice PromptVariables { get; private set; }

    /// <summary>The whole member, its name included.</summary>
    public JsonSlice PromptVariablesMember { get; private set; }

    /// <summary>`safety_identifier` or `user`.</summary>
    public string? EndUser { get; private set; }

    /// <summary>Where the first member may be written: just behind the opening brace.</summary>
    public int FirstMember { get; private set; }

    public bool HasMembers { get; private set; }

    public IReadOnlyList<(int Parameter, JsonSlice Value)> ParameterValues => _parameters;

    /// <exception cref="JsonException">The body is no JSON, or nested deeper than <see cref="JsonText.MaxDepth"/>.</exception>
    /// <exception cref="Core.RequestException">It is JSON, but no request.</exception>
    public static RequestOutline Read(ReadOnlySpan<byte> body, ReadOnlySpan<byte> prompt)
    {
        var outline = new RequestOutline();
        var json = new Utf8JsonReader(body, JsonText.Strict);
        if (!json.Read() || json.TokenType != JsonTokenType.StartObject)
            throw GatewayError.Invalid(null, "The body must be a JSON object.");
        outline.FirstMember = (int)json.BytesConsumed;
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            outline.HasMembers = true;
            if (json.ValueTextEquals("model"u8)) outline.ReadModel(ref json);
            else if (json.ValueTextEquals("stream"u8)) outline.ReadStream(ref json);
            else if (json.ValueTextEquals("stream_options"u8)) outline.ReadStreamOptions(ref json);
            else if (json.ValueTextEquals(prompt)) outline.Prompt = Once(outline.Prompt, Value(ref json), prompt);
            else if (json.ValueTextEquals("instructions"u8)) outline.Instructions = Value(ref json);
            else if (json.ValueTextEquals("prompt_variables"u8)) outline.ReadPromptVariables(ref json);
            else if (json.ValueTextEquals("user"u8)) outline.EndUser ??= Text(ref json);
            else if (json.ValueTextEquals("safety_identifier"u8)) outline.EndUser = Text(ref json) ?? outline.EndUser;
            else outline.ReadParameter(ref json);
        }
        while (json.Read())
        {
        }
        return outline;
    }

    void ReadModel(ref Utf8JsonReader json)
    {
        var value = Value(ref json, out var text);
        ModelValue = Once(ModelValue, value, "model"u8);
        Model = text ?? throw GatewayError.Invalid("model", "`model` must be a string.");
    }

    void ReadStream(ref Utf8JsonReader json)
    {
        json.Read();
        Stream = json.TokenType switch
        {
            JsonTokenType.True => true,
            JsonTokenType.False or JsonTokenType.Null => false,
            _ => throw GatewayError.Invalid("stream", "`stream` must be true or false."),
        };
    }

    void ReadStreamOptions(ref Utf8JsonReader json)
    {
        json.Read();
        var start = (int)json.TokenStartIndex;
        if (json.TokenType == JsonTokenType.StartObject)
            while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
            {
                var isUsage = json.ValueTextEquals("include_usage"u8);
                json.Read();
                IncludesUsage |= isUsage && json.TokenType == JsonTokenType.True;
                json.Skip();
            }
        else if (json.TokenType != JsonTokenType.Null)
            throw GatewayError.Invalid("stream_options", "`stream_options` must be an object.");
        StreamOptions = Once(StreamOptions, new JsonSlice(start, (int)json.BytesConsumed - start), "stream_options"u8);
    }

    void ReadPromptVariables(ref Utf8JsonReader json)
    {
        var start = (int)json.TokenStartIndex;
        PromptVariables = Once(PromptVariables, Value(ref json), "prompt_variables"u8);
        PromptVariablesMember = new JsonSlice(start, PromptVariables.End - start);
    }

    void ReadParameter(ref Utf8JsonReader json)
    {
        for (var i = 0; i < ParameterNames.Length; i++)
            if (json.ValueTextEquals(ParameterNames[i]))
            {
                var value = Value(ref json);
                _parameters.Add((i, value));
                return;
            }
        json.Skip();
    }

    static JsonSlice Once(JsonSlice before, JsonSlice now, ReadOnlySpan<byte> name) => before.IsPresent
        ? throw GatewayError.Invalid(System.Text.Encoding.UTF8.GetString(name), "The body has this member twice.")
        : now;

    static string? Text(ref Utf8JsonReader json)
    {
        json.Read();
        return JsonText.Text(ref json);
    }

    static JsonSlice Value(ref Utf8JsonReader json)
    {
        json.Read();
        return JsonSlice.Take(ref json);
    }

    static JsonSlice Value(ref Utf8JsonReader json, out string? text)
    {
        json.Read();
        text = json.TokenType == JsonTokenType.String ? JsonText.Decode(json.ValueSpan) : null;
        return JsonSlice.Take(ref json);
    }
}
