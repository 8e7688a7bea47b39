
namespace Flywheel.Core.Metrics;

/// <summary>The settings of a validator cannot work.</summary>
/// <param name="setting">Name of the setting, as the user wrote or should have written it.</param>
public sealed class ValidatorSettingsException(string setting, string message) : Exception(message)
{
    public string Setting { get; } = setting;
}
