using System.Net;
using System.Text.Json;
using Flywheel.Client.Outboxes;
using Flywheel.Client.Recording;
using Flywheel.Core.Labeling;
using Flywheel.Core.Prompts;
using Flywheel.Core.Traces;

namespace Flywheel.Client.Remote;

/// <summary>A feedback's value: a number, yes or no, or a word.</summary>
public readonly struct FeedbackValue
{
    readonly object? value;

    FeedbackValue(object value) => this.value = value;

    /// <summary>Yes or no.</summary>
    public static FeedbackValue Of(bool value) => new(value);

    /// <exception cref="ArgumentOutOfRangeException">Not finite.</exception>
    public static FeedbackValue Of(double value) => double.IsFinite(value)
        ? new(value)
        : throw new ArgumentOutOfRangeException(nameof(value), value, "A feedback's value must be a finite number.");

    /// <summary>A word, or a text.</summary>
    public static FeedbackValue Of(string value) => new(value ?? throw new ArgumentNullException(nameof(value)));

    /// <summary>Yes or no.</summary>
    public static implicit operator FeedbackValue(bool value) => Of(value);

    /// <summary>A finite number.</summary>
    public static implicit operator FeedbackValue(double value) => Of(value);

    /// <summary>A word, or a text.</summary>
    public static implicit operator FeedbackValue(string value) => Of(value);

    internal JsonElement Json() => value switch
    {
        bool flag => JsonElement.Parse(flag ? "true" : "false"),
        double number => JsonSerializer.SerializeToElement(number, Wire.Default.Double),
        string text => JsonSerializer.SerializeToElement(text, Wire.Default.String),
        _ => throw new ArgumentException("The feedback has no value."),
    };
}

/// <summary>What people and the application say of recorded calls: feedback, labels, corrections.</summary>
/// <remarks>
/// Unlike the middleware this throws, because what a person decided must not be lost unnoticed: <see cref="HttpRequestException"/>
/// when the server could not be reached or failed after three tries, <see cref="BatchRefusedException"/> when it refused, and
/// <see cref="OverloadedException"/> when it asks to come back later than within ten seconds. Each call carries an
/// Idempotency-Key that its repeats share, so that it counts once.
/// </remarks>
public sealed class FlywheelApi : IDisposable
{
    const int Tries = 3;
    static readonly TimeSpan SpansGoFirst = TimeSpan.FromSeconds(2);
    static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(10);

    readonly ApiTransport api;
    readonly FlywheelConnection? connection;
    readonly TimeProvider time;
    readonly BackOff backOff = new(TimeSpan.FromMilliseconds(200), TimeSpan.FromSeconds(2), Random.Shared);

    /// <inheritdoc cref="RemoteLoop(Uri, string?, string?, HttpClient?)"/>
    public FlywheelApi(Uri server, string? key = null, string? project = null, HttpClient? http = null, TimeProvider? time = null)
    {
        api = new(server, key, project, http);
        this.time = time ?? TimeProvider.System;
    }

    /// <summary>
    /// The server of a connection. When that has an outbox, a call that cannot reach the server waits there instead of throwing.
    /// </summary>
    /// <remarks>
    /// It has then reached the disk, is sent in its order, survives this process, and answers null here. What the server refuses then
    /// is told to <see cref="FlywheelOptions.OnFailure"/> and kept in <c>refused.jsonl</c> beside the outbox's files.
    /// </remarks>
    /// <exception cref="ArgumentException">The connection's loop is no server.</exception>
    public FlywheelApi(FlywheelConnection connection)
    {
        ArgumentNullException.ThrowIfNull(connection);
        if (connection.Loop is not RemoteLoop remote)
            throw new ArgumentException(
                "The connection's loop is no server, so it has no API: with the engine in your own process use its stores.",
                nameof(connection));
        api = remote.Transport;
        this.connection = connection;
        time = connection.Time;
    }

    /// <summary>What the application learned of an answer: thumbs, a click, a solved case.</summary>
    /// <param name="spanId">Null when it is about the whole trace.</param>
    /// <param name="idempotencyKey">The same key a second time has no second effect; null makes one.</param>
    /// <returns>The id under which it is stored; null when the server did not say.</returns>
    public Task<Guid?> FeedbackAsync(
        string traceId, string? spanId, string name, FeedbackValue value, string? comment = null, string? endUser = null,
        string? idempotencyKey = null, CancellationToken ct = default) =>
        SendAsync(
            "api/v1/feedback", new WireFeedback(traceId, spanId, name, value.Json(), comment, endUser), Wire.Default.WireFeedback,
            idempotencyKey, ct);

    /// <summary>The same of a whole conversation.</summary>
    public Task<Guid?> SessionFeedbackAsync(
        string session, string name, FeedbackValue value, string? comment = null, string? endUser = null, string? idempotencyKey = null,
        CancellationToken ct = default) =>
        SendAsync(
            "api/v1/feedback", new WireFeedback(null, null, name, value.Json(), comment, endUser, Session: session),
            Wire.Default.WireFeedback,
            idempotencyKey, ct);

    /// <summary>The same of an answer of which only the provider's or the gateway's id is known.</summary>
    public Task<Guid?> ResponseFeedbackAsync(
        string responseId, string name, FeedbackValue value, string? comment = null, string? endUser = null, string? idempotencyKey = null,
        CancellationToken ct = default) =>
        SendAsync(
            "api/v1/feedback", new WireFeedback(null, null, name, value.Json(), comment, endUser, ResponseId: responseId),
            Wire.Default.WireFeedback, idempotencyKey, ct);

    /// <summary>What somebody wrote about an answer.</summary>
    public Task<Guid?> CommentAsync(
        SpanKey span, string text, string? endUser = null, string? idempotencyKey = null, CancellationToken ct = default) =>
        FeedbackAsync(span.Trace, span.Span, "comment", text, null, endUser, idempotencyKey, ct);

    /// <summary>The answer as a user would have had it: a demonstration that waits for approval. A reviewer corrects instead.</summary>
    public Task<Guid?> DemonstrateAsync(
        SpanKey span, string answer, string? comment = null, string? endUser = null, string? idempotencyKey = null,
        CancellationToken ct = default) =>
        FeedbackAsync(span.Trace, span.Span, "demonstration", answer, comment, endUser, idempotencyKey, ct);

    /// <summary>A person's pass or fail for one metric on one span.</summary>
    public Task<Guid?> LabelAsync(
        SpanKey span, string metric, bool passed, LabelMode mode, string? critique = null, string? author = null,
        string? idempotencyKey = null, CancellationToken ct = default) =>
        SendAsync(
            "api/v1/labels",
            new WireLabel(span.Trace, span.Span, metric, passed, mode.ToString().ToLowerInvariant(), critique, author),
            Wire.Default.WireLabel, idempotencyKey, ct);

    /// <summary>What the node should have answered.</summary>
    /// <param name="wentWrong">Null when the output is confirmed as it is.</param>
    public Task<Guid?> CorrectAsync(
        SpanKey span, string correctedOutput, string? wentWrong = null, string? reasoning = null, string? author = null,
        string? idempotencyKey = null, CancellationToken ct = default) =>
        SendAsync(
            "api/v1/corrections", new WireCorrection(span.Trace, span.Span, wentWrong, correctedOutput, reasoning, author),
            Wire.Default.WireCorrection, idempotencyKey, ct);

    /// <summary>One version of a prompt, asked for once and not kept: see <see cref="FlywheelPrompts"/> for a cache.</summary>
    /// <param name="version">Its number or a label; <c>latest</c> is the newest.</param>
    public async Task<FlywheelPrompt> PromptAsync(string name, string version = "production", CancellationToken ct = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentException.ThrowIfNullOrEmpty(version);
        var found = await api.GetAsync(
            $"api/v1/prompts/{Uri.EscapeDataString(name)}/versions/{Uri.EscapeDataString(version)}", Wire.Default.WirePrompt, ct)
                .ConfigureAwait(false);
        var type = found.Template.ValueKind == JsonValueKind.String ? PromptType.Text : PromptType.Chat;
        return new(found.Name, found.Version, type, type == PromptType.Text ? found.Template.GetString()! : found.Template.GetRawText(),
            found.Config);
    }

    /// <summary>Closes its connections; the server of a <see cref="FlywheelConnection"/> stays that one's.</summary>
    public void Dispose()
    {
        if (connection is null)
            api.Dispose();
    }

    async Task<Guid?> SendAsync<T>(
        string path, T body, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type, string? idempotencyKey, CancellationToken ct)
    {
        idempotencyKey ??= Guid.CreateVersion7().ToString();
        // Behind those that wait already: of two decisions about the same thing the newer one counts.
        if (connection?.Outbox is { HasWaitingCalls: true } && await QueuedAsync(path, body, type, idempotencyKey).ConfigureAwait(false))
            return null;
        if (connection is { Outbox: null })
            await SpansFirstAsync(ct).ConfigureAwait(false);
        for (var attempt = 0; ; attempt++)
        {
            TimeSpan pause;
            var mayOvertake = connection?.Statistics.Pending > 0;
            try
            {
                return (await api.PostAsync(path, body, type, Wire.Default.WireStored, idempotencyKey, ct).ConfigureAwait(false)).Id;
            }
            catch (Exception failure) when (MayWait(failure, mayOvertake) && !ct.IsCancellationRequested)
            {
                if (await QueuedAsync(path, body, type, idempotencyKey).ConfigureAwait(false))
                    return null;
                if (attempt + 1 >= Tries)
                    throw;
                pause = backOff.Next(attempt);
            }
            catch (HttpRequestException failure) when (attempt + 1 < Tries && MayPass(failure.StatusCode))
            {
                pause = backOff.Next(attempt);
            }
            catch (OverloadedException full) when (attempt + 1 < Tries && full.RetryAfter <= LongestWait)
            {
                pause = BackOff.Told(full.RetryAfter);
            }
            await Task.Delay(pause, time, ct).ConfigureAwait(false);
        }
    }

    /// <summary>There is an outbox, and the server is away, or does not know a span that may still be on its way.</summary>
    bool MayWait(Exception failure, bool mayOvertake) => connection?.Outbox is not null && failure switch
    {
        OverloadedException or InvalidDataException => true,
        HttpRequestException { StatusCode: HttpStatusCode.NotFound } => mayOvertake,
        HttpRequestException { StatusCode: var status } => MayPass(status),
        _ => false,
    };

    /// <summary>Lets the connection's spans go first, for a moment: what is said of a span is of no use before it.</summary>
    async Task SpansFirstAsync(CancellationToken ct)
    {
        try
        {
            await connection!.FlushAsync(ct).WaitAsync(SpansGoFirst, time, ct).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // Then the server says whether it knows the span.
        }
    }

    Task<bool> QueuedAsync<T>(string path, T body, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type, string key) =>
        Task.Run(() => connection!.Outbox!.TryStore(new QueuedCall(path, key, JsonSerializer.SerializeToElement(body, type))));

    /// <summary>Trouble on the way or in the server; a 401, 404 or 409 stays what it is.</summary>
    static bool MayPass(HttpStatusCode? status) =>
        status is null or HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests || (int)status >= 500;
}
