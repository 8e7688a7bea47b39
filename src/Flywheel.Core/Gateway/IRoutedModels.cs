namespace Flywheel.Core.Gateway;

/// <summary>The models that the gateway can call.</summary>
public interface IRoutedModels
{
    /// <summary>True if a provider is configured for the model.</summary>
    bool CanCall(string model);

    /// <summary>A sentence with the models and providers that there are, for messages.</summary>
    string Known { get; }
}
