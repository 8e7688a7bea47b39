using System.Text.Json;
using Flywheel.Core.Traces;

namespace Flywheel.Core.Metrics;

/// <summary>A kind of validator: what it can check, what its settings mean, and how to make one.</summary>
/// <remarks>
/// Built-in kinds, plug-ins, webhooks and adapters of other libraries all come in through this door; the registry knows them
/// by <see cref="Name"/>.
/// </remarks>
public interface IValidatorKind
{
    /// <summary>The word in <c>{"kind": "length"}</c>.</summary>
    string Name { get; }

    /// <summary>One sentence for lists and help.</summary>
    string Summary { get; }

    /// <summary>Settings with their types and meaning, for help and for messages about unknown ones.</summary>
    IReadOnlyList<SettingDescription> Settings { get; }

    /// <summary>Node kinds whose spans it can check.</summary>
    IReadOnlySet<NodeKind> NodeKinds { get; }

    /// <summary>Subjects it can check.</summary>
    IReadOnlySet<MetricSubject> Subjects { get; }

    /// <summary>Whether it can check an input before there is a span.</summary>
    bool CanGuard => true;

    /// <summary>Whether its findings say where in the text they are, so that a guard can redact.</summary>
    bool FindsSpans => false;

    /// <summary>True when a check calls a model or another slow service.</summary>
    bool CallsModel { get; }

    /// <summary>Makes a validator from settings.</summary>
    /// <exception cref="ValidatorSettingsException">A setting is missing, unknown or out of range.</exception>
    IValidator Create(ValidatorContext context, JsonElement settings);
}

/// <param name="Type">A word for people: <c>integer</c>, <c>text</c>, <c>list of text</c>, <c>one of …</c>.</param>
/// <param name="Default">In words; null when the setting is required.</param>
public sealed record SettingDescription(string Name, string Type, string Meaning, string? Default);
