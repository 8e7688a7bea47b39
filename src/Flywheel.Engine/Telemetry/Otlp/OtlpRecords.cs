namespace Flywheel.Engine.Telemetry.Otlp;

/// <summary>What all spans or logs of one library in one process have in common.</summary>
public sealed class OtlpOrigin
{
    public IReadOnlyList<OtlpAttribute> Resource { get; init; } = [];
    public IReadOnlyList<OtlpAttribute> ScopeAttributes { get; init; } = [];
    public string? Scope { get; init; }
    public string? ScopeVersion { get; init; }

    /// <summary>Both as members of a JSON object without its braces; made once for all spans of the origin.</summary>
    internal byte[]? Json { get; set; }
}

/// <param name="UnixNano">Nanoseconds since 1970; 0 when unknown.</param>
public sealed record OtlpEvent(string Name, ulong UnixNano, IReadOnlyList<OtlpAttribute> Attributes);

public sealed record OtlpLink(string Trace, string Span, IReadOnlyList<OtlpAttribute> Attributes);

/// <summary>A span as it was sent; ids in lower-case hex, times in nanoseconds since 1970.</summary>
public sealed class OtlpSpan
{
    public required OtlpOrigin Origin { get; init; }
    public string Trace { get; set; } = "";
    public string Id { get; set; } = "";
    /// <summary>Null for a root.</summary>
    public string? Parent { get; set; }
    public string? TraceState { get; set; }
    public string Name { get; set; } = "";
    /// <summary>0 unset, 1 internal, 2 server, 3 client, 4 producer, 5 consumer.</summary>
    public int Kind { get; set; }
    public ulong Start { get; set; }
    public ulong End { get; set; }
    public List<OtlpAttribute> Attributes { get; } = [];
    public List<OtlpEvent> Events { get; } = [];
    public List<OtlpLink> Links { get; } = [];
    /// <summary>0 unset, 1 ok, 2 error.</summary>
    public int StatusCode { get; set; }
    public string? StatusMessage { get; set; }
}

/// <summary>A log record as it was sent.</summary>
public sealed class OtlpLog
{
    public required OtlpOrigin Origin { get; init; }
    public string? Trace { get; set; }
    public string? Span { get; set; }
    public string? EventName { get; set; }
    /// <summary>When it happened, else when it was seen; 0 when neither was said.</summary>
    public ulong UnixNano { get; set; }
    public OtlpValue Body { get; set; }
    public List<OtlpAttribute> Attributes { get; } = [];
}

/// <summary>The items of one export request that could be read, and how many could not.</summary>
public sealed class OtlpBatch<T>
{
    public List<T> Items { get; } = [];

    public int Rejected { get; private set; }

    /// <summary>Why the first of them was rejected.</summary>
    public string? FirstProblem { get; private set; }

    public void Reject(string problem)
    {
        Rejected++;
        FirstProblem ??= problem;
    }
}

/// <summary>The request as a whole cannot be read: nothing of it was taken.</summary>
public sealed class OtlpFormatException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>One item of a request cannot be kept; the others are.</summary>
public sealed class OtlpItemException(string message) : Exception(message);

/// <summary>Limits of what a sender may make us hold.</summary>
public static class OtlpLimits
{
    public const int MaxItems = 50_000;
    public const int MaxAttributes = 10_000;
    public const int MaxDepth = 32;

    internal static void Attributes(int count)
    {
        if (count > MaxAttributes)
            throw new OtlpItemException($"has more than {MaxAttributes:N0} attributes: send fewer.");
    }
}
