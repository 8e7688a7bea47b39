using Flywheel.Engine.Metrics.Detection;

namespace Flywheel.Engine.Metrics.Writing;

/// <summary>The validators of prose.</summary>
static class WriterKinds
{
    public static IEnumerable<IValidatorKind> All(DetectionServices? services) =>
    [
        new ReadingLevelKind(), new SameLanguageKind(), new RepetitionKind(), new DiversityKind(), new GroundedKind(), new RefusalKind(),
        new FormatKind(), new PerplexityKind(services),
    ];
}
