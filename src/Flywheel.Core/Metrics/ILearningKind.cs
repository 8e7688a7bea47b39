using System.Text.Json;

namespace Flywheel.Core.Metrics;

/// <summary>A kind that learns what is ordinary from a reference that people approve.</summary>
public interface ILearningKind : IValidatorKind
{
    /// <summary>The kind with the setting that makes it learn, for messages.</summary>
    string ReferenceTerms => $"`{Name}`";

    /// <summary>The fewest texts of a reference; null if it takes none with these settings.</summary>
    int? ReferenceNeeded(JsonElement settings);
}
