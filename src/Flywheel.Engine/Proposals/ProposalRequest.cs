namespace Flywheel.Engine.Proposals;

/// <summary>Which proposals to list; null does not restrict.</summary>
/// <param name="Kind"><c>metric</c>, <c>prompt</c> or <c>demonstration</c>.</param>
/// <param name="State"><c>proposed</c>, <c>approved</c> or <c>rejected</c>.</param>
public sealed record ProposalRequest(string? Kind = null, string? Subject = null, string? State = null, int Limit = 50);
