using Flywheel.Core.Metrics;
using Flywheel.Validators.Detection;

namespace Flywheel.Validators.Writing;

/// <summary>The validators of prose.</summary>
static class WriterKinds
{
    public static IEnumerable<IValidatorKind> All(DetectionServices? services) =>
    [
        new ReadingLevelKind(), new SameLanguageKind(), new RepetitionKind(), new DiversityKind(), new GroundedKind(), new RefusalKind(),
        new FormatKind(), new PerplexityKind(services),
    ];
}
