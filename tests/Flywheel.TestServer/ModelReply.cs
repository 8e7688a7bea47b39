namespace Flywheel.TestServer;

/// <summary>What the server does with one request: answers, or fails in one of the ways that real providers do.</summary>
public abstract record ModelReply
{
    private ModelReply()
    {
    }

    /// <summary>An answer of the model, in the protocol of the path asked, streamed if the request wants that.</summary>
    public static ModelReply Says(string text, int inputTokens = 7, int outputTokens = 3) => new Answer(text, inputTokens, outputTokens);

    /// <summary>The model calls a function.</summary>
    public static ModelReply Calls(string function, string argumentsJson) => new ToolCall(function, argumentsJson);

    /// <summary>Vectors, one a text of an embeddings request.</summary>
    public static ModelReply Embeds(params float[][] vectors) => new Vectors(vectors);

    /// <summary>An error status with an error body.</summary>
    /// <param name="retryAfter">The header's text: seconds or a date; null for none.</param>
    public static ModelReply Fails(int status, string? retryAfter = null, string message = "scripted failure") =>
        new Failure(status, retryAfter, message);

    /// <summary>Any text with status 200: malformed JSON, another schema, nothing at all.</summary>
    public static ModelReply Sends(string body, string contentType = "application/json") => new Raw(body, contentType);

    /// <summary>Any bytes with status 200: what is no text at all.</summary>
    public static ModelReply SendsBytes(byte[] body, string contentType = "application/json") => new RawBytes(body, contentType);

    /// <summary>Any status with any body: a proxy's page, a redirect.</summary>
    public static ModelReply Answers(int status, string body, string contentType, string? location = null) =>
        new Page(status, body, contentType, location);

    /// <summary>Status 200 at once, then one byte of the body at each pause, for ever.</summary>
    public static ModelReply Trickles(TimeSpan pause, string contentType = "application/json") => new Trickle(pause, contentType);

    public static ModelReply MalformedJson { get; } = Sends("""{"id":"x","choices":[{"message":{"role":"assistant","content":"all go""");

    public static ModelReply WrongSchema { get; } = Sends("""{"status":"ok","result":{"answer":42}}""");

    public static ModelReply EmptyBody { get; } = Sends("");

    /// <summary>A well-formed answer whose text has this many bytes.</summary>
    public static ModelReply Huge(long bytes) => new HugeAnswer(bytes);

    /// <summary>The connection is reset before anything is sent.</summary>
    public static ModelReply Reset { get; } = new Broken("", 0);

    /// <summary>A stream that breaks off after some pieces; a plain answer, in the middle of its body.</summary>
    public static ModelReply CutAfter(string text, int pieces) => new Broken(text, pieces);

    /// <summary>A stream of words that never ends, until the client hangs up.</summary>
    public static ModelReply Endless { get; } = new EndlessStream();

    /// <summary>Waits, then does something else.</summary>
    public ModelReply After(TimeSpan wait) => new Slow(wait, this);

    internal sealed record Answer(string Text, int InputTokens, int OutputTokens) : ModelReply;

    internal sealed record ToolCall(string Function, string ArgumentsJson) : ModelReply;

    internal sealed record Vectors(float[][] Values) : ModelReply;

    internal sealed record Failure(int Status, string? RetryAfter, string Message) : ModelReply;

    internal sealed record Raw(string Body, string ContentType) : ModelReply;

    internal sealed record RawBytes(byte[] Body, string ContentType) : ModelReply;

    internal sealed record Page(int Status, string Body, string ContentType, string? Location) : ModelReply;

    internal sealed record Trickle(TimeSpan Pause, string ContentType) : ModelReply;

    internal sealed record HugeAnswer(long Bytes) : ModelReply;

    internal sealed record Broken(string Text, int Pieces) : ModelReply;

    internal sealed record EndlessStream : ModelReply;

    internal sealed record Slow(TimeSpan Wait, ModelReply Then) : ModelReply;
}
