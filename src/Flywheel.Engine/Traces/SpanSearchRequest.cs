namespace Flywheel.Engine.Traces;

/// <summary>Which spans to look for; null does not restrict.</summary>
/// <param name="Text">Somewhere in the input, the output or the error; ASCII letters of either case.</param>
/// <param name="Kind">Of the node, such as <c>writer</c>.</param>
/// <param name="Outcome">Of the newest verdict, such as <c>fail</c>.</param>
/// <param name="Metric">The metric that the outcome is about; null for any.</param>
/// <param name="Failed">Only spans that failed.</param>
/// <param name="From">Started at or after this ISO-8601 time.</param>
/// <param name="To">Started before this ISO-8601 time.</param>
/// <param name="Limit">1 to 100.</param>
public sealed record SpanSearchRequest(
    string? Text = null, string? Node = null, string? Kind = null, string? Outcome = null, string? Metric = null, bool Failed = false,
    string? From = null, string? To = null, string? Cursor = null, int Limit = 20);
