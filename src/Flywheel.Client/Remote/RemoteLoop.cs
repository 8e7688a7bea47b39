using Flywheel.Client.Outboxes;
using Flywheel.Core;
using Flywheel.Core.Guarding;
using Flywheel.Core.Traces;

namespace Flywheel.Client.Remote;

/// <summary>The loop of a Flywheel server, over its REST API.</summary>
/// <remarks>Throws as it finds; <see cref="FlywheelConnection"/> in front of it swallows, repeats and counts.</remarks>
public sealed class RemoteLoop : ILoop, IDisposable
{
    readonly ApiTransport api;

    /// <param name="server">The server's address, such as <c>http://127.0.0.1:5151</c>; a path in it is kept.</param>
    /// <param name="key">An API key; null for a server without authentication.</param>
    /// <param name="project">The project's name; null for the key's own, or the default one.</param>
    /// <param name="http">A client to use instead of our own; it stays the caller's, and its base address is not used.</param>
    public RemoteLoop(Uri server, string? key = null, string? project = null, HttpClient? http = null) =>
        api = new(server, key, project, http);

    /// <inheritdoc/>
    public async Task<IReadOnlyList<ChosenDemonstration>> DemonstrateAsync(DemonstrationQuery query, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(query);
        var answer = await api.PostAsync(
            "api/v1/demonstrations/search",
            new WireQuery(query.Node, query.Input, query.K, query.Strategy, query.EndUser), Wire.Default.WireQuery,
            Wire.Default.WireChosen, idempotencyKey: null, ct).ConfigureAwait(false);
        return
        [
            .. (answer.Demonstrations
            ?? throw new InvalidDataException("The answer to a search has no `demonstrations`: is this a Flywheel server?"))
            .Select(static one => new ChosenDemonstration(
                one.Id, one.Input, one.Output, one.Fixed, one.Score,
                [.. (one.Parts ?? []).Select(static part => new ScorePart(part.Key, part.Value))])),
        ];
    }

    /// <inheritdoc/>
    public async Task<GuardAnswer> GuardAsync(GuardQuery query, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(query);
        var answer = await api.PostAsync(
            "api/v1/guard",
            new WireGuardQuery(
                query.Node, query.Kind.ToString().ToLowerInvariant(), query.Input, query.EndUser, query.Session, query.Attributes),
            Wire.Default.WireGuardQuery, Wire.Default.WireGuardAnswer, idempotencyKey: null, ct).ConfigureAwait(false);
        if (Core.Metrics.Wire.Parse<GuardDecision>(answer.Decision) is not { } decision || answer.Input is null)
            throw new InvalidDataException("The answer of the guards has no `decision` or no `input`: is this a Flywheel server?");
        return new(decision, answer.Input, [.. (answer.Findings ?? []).Select(GuardRecord.ReadFinding).OfType<GuardFinding>()],
            answer.Milliseconds);
    }

    /// <exception cref="SpansRejectedException">The good spans were kept; these were refused.</exception>
    /// <exception cref="BatchRefusedException">The server refused the request as a whole.</exception>
    /// <exception cref="OverloadedException">429 or 503 with a Retry-After.</exception>
    /// <exception cref="HttpRequestException">Anything else but a 2xx; nothing is known to be stored.</exception>
    public async Task RecordAsync(IReadOnlyList<NewSpan> spans, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(spans);
        if (spans.Count == 0)
            return;
        var receipt = await api.PostAsync(
            "api/v1/spans", new WireSpans([.. spans.Select(WireSpan.Of)]), Wire.Default.WireSpans, Wire.Default.WireReceipt,
            idempotencyKey: null, ct).ConfigureAwait(false);
        if (receipt.Accepted is null)
            throw new InvalidDataException("The answer to spans has no `accepted`: is this a Flywheel server?");
        var rejected = (receipt.Rejected ?? [])
            .Where(one => one.Index >= 0 && one.Index < spans.Count)
            .Select(one => new RejectedSpan(spans[one.Index], one.Code ?? "rejected", one.Message ?? ""))
            .ToList();
        if (rejected.Count > 0)
            throw new SpansRejectedException(rejected);
    }

    internal ApiTransport Transport => api;

    /// <summary>Sends a call that waited; its answer is of no more use.</summary>
    internal Task PostAsync(QueuedCall call, CancellationToken ct) =>
        api.PostAsync(call.Path, call.Body, Wire.Default.JsonElement, Wire.Default.WireStored, call.Key, ct);

    /// <summary>Closes its connections, unless the HTTP client is the caller's.</summary>
    public void Dispose() => api.Dispose();
}
