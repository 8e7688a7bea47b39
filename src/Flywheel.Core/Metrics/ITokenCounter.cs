namespace Flywheel.Core.Metrics;

/// <summary>Counts tokens as a model would.</summary>
public interface ITokenCounter
{
    /// <summary>Which encoding, for versions and messages: <c>o200k_base</c>.</summary>
    string Name { get; }

    int Count(string text);
}
