namespace Flywheel.Engine.Evaluation;

/// <summary>A model with its prompt and demonstrations, ready to make the outputs of a run.</summary>
/// <param name="Fingerprint">Hash of everything that decides the outputs.</param>
/// <param name="HasPrice">False if the cost of a call is unknown.</param>
public sealed record AnswerMaker(GenerationPlan Plan, EvalAbout About, string Fingerprint, bool HasPrice);
