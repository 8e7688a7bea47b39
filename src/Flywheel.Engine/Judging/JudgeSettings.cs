
namespace Flywheel.Engine.Judging;

/// <param name="Temperature">Null leaves it to the model.</param>
/// <param name="Reference">Path in the span's attributes; null for none.</param>
sealed record JudgeSettings(
    IReadOnlyList<string> Rules, int Examples, bool ShowInput, float? Temperature, int MaxOutputTokens, int MaxCharacters, int Annotators,
    string? Reference = null);

/// <param name="Below">Confidence, in (0, 1], under which a verdict is not taken.</param>
/// <param name="Model">Who is asked then; when that one is no more confident, a person is.</param>
sealed record Escalation(double Below, JudgeModel Model);
