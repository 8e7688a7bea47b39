using Flywheel.Core.Metrics;

namespace Flywheel.Server.Features.Metrics;

/// <param name="Node">Draw from this node only; all when left out.</param>
/// <param name="Limit">Most inputs to take, the newest first; 2,000 when left out.</param>
public sealed record ReferenceBody(string? Node = null, int? Limit = null, string? Author = null);

public sealed record ReferenceDecisionBody(string? Author = null);

/// <param name="Sample">A few of the inputs, for who decides.</param>
public sealed record ReferenceView(
    int Number, string State, string? Node, int Inputs, string Author, DateTimeOffset CreatedAt, string? DecidedBy,
    DateTimeOffset? DecidedAt, IReadOnlyList<string>? Sample = null)
{
    public static ReferenceView Of(Reference reference, IReadOnlyList<string>? sample = null) => new(
        reference.Number, Wire.Name(reference.State), reference.Node, reference.Spans.Count, reference.Author, reference.CreatedAt,
        reference.DecidedBy, reference.DecidedAt, sample);
}

public sealed record ReferenceList(IReadOnlyList<ReferenceView> References)
{
    public static ReferenceList Of(IEnumerable<Reference> references) => new([.. references.Select(each => ReferenceView.Of(each))]);
}
