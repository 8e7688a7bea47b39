using System.Text.Json;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Traces;

namespace Flywheel.Engine.Metrics;

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

/// <summary>What of the metric a validator may need to know besides its settings.</summary>
/// <param name="MetricName">Name of the metric; the pool of a judge's demonstrations goes by it.</param>
/// <param name="Criterion">The question in words.</param>
/// <param name="Project">Whose metric it is; null when plain texts are checked outside any project, and then a judge has no examples.</param>
/// <param name="Stored">The metric that verdicts are recorded for; null when nothing is recorded, and then nothing is calibrated.</param>
public sealed record ValidatorContext(string MetricName, string Criterion, MetricSubject Subject, ProjectId? Project = null, Metric? Stored = null);

/// <summary>The settings of a validator cannot work.</summary>
/// <param name="setting">Name of the setting, as the user wrote or should have written it.</param>
public sealed class ValidatorSettingsException(string setting, string message) : Exception(message)
{
    public string Setting { get; } = setting;
}

/// <summary>What a validator is given.</summary>
/// <param name="Text">The subject's text: the span's input or output; null when the span has none.</param>
/// <param name="Span">The span around it; null when a plain text is checked (files, guards before the call).</param>
/// <param name="Input">What was asked, when an output is checked without a span; null when unknown.</param>
public sealed record Examinee(string? Text, Span? Span, string? Input = null);

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

/// <param name="Version">See <see cref="IValidator.Version"/>.</param>
public sealed record Decision(Finding Finding, string Version);

/// <summary>A validator whose checks cost money.</summary>
public interface IPricedValidator : IValidator
{
    /// <summary>The finding when no call is needed, such as for a span without a text; null when a check would call.</summary>
    Finding? WithoutCall(Examinee examinee);

    /// <summary>US dollars that one check should cost at most: what a budget sets aside before the call.</summary>
    double ExpectedCostUsd(Examinee examinee);
}

/// <summary>A validator that books each of its calls against the budget itself, since it does not know beforehand how many it will make.</summary>
public interface ISelfPayingValidator : IPricedValidator
{
    /// <summary>False when nobody gave it a budget to book against.</summary>
    bool PaysItself { get; }
}
