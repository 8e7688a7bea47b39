namespace Flywheel.Engine.Jobs;

/// <summary>What one turn of a worker did.</summary>
/// <param name="Spans">Paired with metrics.</param>
/// <param name="Code">Code jobs whose end was recorded: done, put off or given up.</param>
/// <param name="Judge">The same of judge jobs.</param>
/// <param name="Lost">Jobs whose lease another worker had taken: their outcome here was dropped.</param>
/// <param name="Folded">Deltas folded into the counts.</param>
public sealed record WorkDone(int Spans = 0, int Code = 0, int Judge = 0, int Lost = 0, int Folded = 0)
{
    public bool Any => Spans + Code + Judge + Lost + Folded > 0;

    public static WorkDone operator +(WorkDone a, WorkDone b) =>
        new(a.Spans + b.Spans, a.Code + b.Code, a.Judge + b.Judge, a.Lost + b.Lost, a.Folded + b.Folded);

    public static WorkDone Add(WorkDone left, WorkDone right) => left + right;
}
