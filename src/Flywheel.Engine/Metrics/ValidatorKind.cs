using System.Collections.Frozen;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Flywheel.Core.Metrics;
using Flywheel.Core.Traces;

namespace Flywheel.Engine.Metrics;

/// <summary>What the built-in kinds share: strict settings, and by default every node kind and both subjects.</summary>
/// <param name="revision">Rises when the same settings would decide otherwise than before.</param>
abstract class ValidatorKind(string name, int revision, string summary, params SettingDescription[] settings) : IValidatorKind
{
    protected static readonly FrozenSet<NodeKind> AllNodes = Enum.GetValues<NodeKind>().ToFrozenSet();
    protected static readonly FrozenSet<MetricSubject> InputOnly = FrozenSet.Create(MetricSubject.Input);
    protected static readonly FrozenSet<MetricSubject> OutputOnly = FrozenSet.Create(MetricSubject.Output);
    static readonly FrozenSet<MetricSubject> _allSubjects = Enum.GetValues<MetricSubject>().ToFrozenSet();

    public string Name => name;
    public string Summary => summary;
    public IReadOnlyList<SettingDescription> Settings => settings;
    public virtual IReadOnlySet<NodeKind> NodeKinds => AllNodes;
    public virtual IReadOnlySet<MetricSubject> Subjects => _allSubjects;
    public virtual bool CanGuard => true;
    public virtual bool FindsSpans => false;
    public virtual bool CallsModel => false;

    public IValidator Create(ValidatorContext context, JsonElement element) =>
        Create(context, new ValidatorSettings(name, settings, element), VersionOf(element));

    protected abstract IValidator Create(ValidatorContext context, ValidatorSettings read, string version);

    /// <summary><c>length-1-0a1b2c3d4e5f6071</c>: kind, revision, hash of the settings whatever their order.</summary>
    string VersionOf(JsonElement element) => $"{name}-{revision}-{Hash(StrictJson.Canonical(element))}";

    /// <summary>16 hex digits of SHA-256.</summary>
    internal static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)).AsSpan(0, 8));
}

/// <summary>A validator that is a function of the text.</summary>
sealed class TextValidator(string version, MetricSubject subject, Func<string, Examinee, Finding> check) : IValidator
{
    public string Version => version;

    public ValueTask<Finding> CheckAsync(Examinee examinee, CancellationToken ct) =>
        ValueTask.FromResult(examinee.Text is { } text ? check(text, examinee) : NothingToCheck(subject, examinee));

    public static Finding NothingToCheck(MetricSubject subject, Examinee examinee) =>
        Finding.Skipped(subject == MetricSubject.Output && examinee.Span?.Content.Error is not null
            ? "the span has no output: the call failed"
            : $"the span has no {Wire.Name(subject)}");
}
