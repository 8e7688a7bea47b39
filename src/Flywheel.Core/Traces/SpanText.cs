using Flywheel.Core.Projects;

namespace Flywheel.Core.Traces;

/// <summary>Where a text that was sent apart from its span belongs.</summary>
public enum TextPlace
{
    Input,
    Output,
    System,
}

/// <summary>Messages of a span that came by themselves, as log records do: before it or after it.</summary>
/// <param name="At">When they were said; orders the texts of a place.</param>
/// <param name="Ordinal">Order of texts of one time: the position in the request.</param>
/// <param name="Messages">JSON array of messages in the normal form.</param>
/// <param name="Text">What the column of the place gets from it; null when it has no say.</param>
/// <param name="IsUser">A user said it: of several inputs the last user's is the one that counts.</param>
public sealed record SpanText(SpanKey Key, TextPlace Place, DateTimeOffset At, int Ordinal, string Messages, string? Text, bool IsUser);

public interface ISpanTextStore
{
    /// <summary>
    /// Keeps texts durably; a worker adds them to their spans, whichever came first, and has the spans validated with them.
    /// The same text again has no effect.
    /// </summary>
    Task AddAsync(ProjectId project, IReadOnlyList<SpanText> texts, DateTimeOffset at, CancellationToken ct);

    /// <summary>Forgets texts that arrived before a time: those of spans that never came, and those that their spans hold.</summary>
    /// <returns>How many.</returns>
    Task<int> ForgetAsync(DateTimeOffset before, CancellationToken ct);
}
