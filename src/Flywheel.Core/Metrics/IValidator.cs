
namespace Flywheel.Core.Metrics;

/// <summary>Decides one metric. Made once, used many times at once.</summary>
public interface IValidator
{
    /// <summary>
    /// Hash of everything that decides now: code version and settings, and for a judge its model and its demonstrations' version.
    /// </summary>
    string Version { get; }

    /// <summary>
    /// Checks one subject. Expected trouble is a finding (<c>unsure</c>, <c>error</c>); an exception means a fault that a retry may cure.
    /// </summary>
    ValueTask<Finding> CheckAsync(Examinee examinee, CancellationToken ct);

    /// <summary>Checks one subject and names the version that really decided, even when it changes during the check.</summary>
    async ValueTask<Decision> DecideAsync(Examinee examinee, CancellationToken ct)
    {
        var version = Version;
        return new(await CheckAsync(examinee, ct), version);
    }
}
