using Flywheel.Core;

namespace Flywheel.Engine.Evaluation;

/// <summary>How much a preview may look at and ask.</summary>
/// <param name="Last">Newest spans to look at, 1 to 2,000.</param>
/// <param name="AskModels">Model calls that the preview may make, 0 to 50; 0 only estimates their cost.</param>
public sealed record PreviewBounds(int Last = PreviewBounds.UsualSpans, int AskModels = 0)
{
    public const int UsualSpans = 200, MostSpans = 2_000, MostCalls = 50;

    /// <exception cref="RequestException">A number is out of range.</exception>
    public void Check()
    {
        if (Last is < 1 or > MostSpans)
            throw RequestException.BadField("last", $"`last` must be from 1 to {MostSpans} spans.");
        if (AskModels is < 0 or > MostCalls)
            throw RequestException.BadField("ask_models", $"`ask_models` must be from 0 to {MostCalls} calls.");
    }
}
