namespace Flywheel.Core.Metrics;

/// <summary>What a guard does about an input that fails.</summary>
public enum GuardAction
{
    /// <summary>The model is not asked.</summary>
    Block,

    /// <summary>The model is asked, and the verdict is recorded.</summary>
    Flag,

    /// <summary>The model and the store get the text without what was found.</summary>
    Redact,
}
