using Flywheel.Core;
using Flywheel.Core.Guarding;
using Flywheel.Core.Traces;
using Flywheel.Server.Api;
using Flywheel.Server.Gateway.Policy;
using Flywheel.Server.Gateway.Upstreams;
using Flywheel.Server.Gateway.Wire;

namespace Flywheel.Server.Gateway.Calls;

/// <summary>One attempt at one model that failed.</summary>
sealed record FailedAttempt(string Provider, string Model, string Code, int? Status, double Milliseconds);

/// <summary>One call from the request to its span.</summary>
sealed class GatewayCall(
    HttpCaller caller, Protocol protocol, RequestOutline outline, TraceContext trace, DateTimeOffset startedAt, long started)
{
    public HttpCaller Caller => caller;
    public Protocol Protocol => protocol;
    public RequestOutline Outline => outline;
    public TraceContext Trace => trace;
    public DateTimeOffset StartedAt => startedAt;

    /// <summary>Timestamp of the clock.</summary>
    public long Started => started;

    public required string Node { get; init; }
    public required NodeKind Kind { get; init; }
    public required NodeRules Rules { get; init; }
    public required string RequestedModel { get; init; }
    public string? Session { get; init; }
    public string? EndUser { get; init; }

    /// <summary>The version of the node's prompt that stands in <see cref="Original"/>; null without one.</summary>
    public Core.Prompts.PromptVersion? Filled { get; init; }

    /// <summary>The body as it came, with the node's prompt in it.</summary>
    public required ReadOnlyMemory<byte> Original { get; init; }

    /// <summary>What goes to the provider, and where its messages stand in it.</summary>
    public ReadOnlyMemory<byte> Body { get; set; }
    public JsonSlice Prompt { get; set; }

    /// <summary>We asked for usage and the client did not: it must not see it.</summary>
    public bool HidesUsage { get; set; }

    public string? Question { get; set; }
    public GuardAnswer? Guarded { get; set; }
    public IReadOnlyList<ChosenDemonstration> Demonstrations { get; set; } = [];
    public double RetrievalMs { get; set; }
    public string? RetrievalProblem { get; set; }

    public ModelRoute? Route { get; set; }
    public Reply? Reply { get; set; }
    public int? Status { get; set; }
    public TimeSpan? FirstPiece { get; set; }

    /// <summary>From the request until the first provider is asked: guards, demonstrations, prompt, policy.</summary>
    public TimeSpan Preparation { get; set; }
    public List<FailedAttempt> Failed { get; } = [];

    /// <summary><c>hit</c> or <c>store</c>; null without a cache.</summary>
    public string? Cache { get; set; }

    /// <summary>Machine-readable reason of failure; null when the call succeeded.</summary>
    public string? ErrorCode { get; private set; }
    public string? Error { get; private set; }

    public void Fail(string code, string message) => (ErrorCode, Error) = (code, $"{code}: {message}");
}
