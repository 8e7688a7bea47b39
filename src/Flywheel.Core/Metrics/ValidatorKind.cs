using System.Collections.Frozen;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Flywheel.Core.Traces;

namespace Flywheel.Core.Metrics;

/// <summary>What the built-in kinds share: strict settings, and by default every node kind and both subjects.</summary>
/// <param name="revision">Rises when the same settings would decide otherwise than before.</param>
public abstract class ValidatorKind(string name, int revision, string summary, params SettingDescription[] known) : IValidatorKind
{
    protected static readonly FrozenSet<NodeKind> AllNodes = Enum.GetValues<NodeKind>().ToFrozenSet();
    protected static readonly FrozenSet<MetricSubject> InputOnly = FrozenSet.Create(MetricSubject.Input);
    protected static readonly FrozenSet<MetricSubject> OutputOnly = FrozenSet.Create(MetricSubject.Output);
    static readonly FrozenSet<MetricSubject> AllSubjects = MetricSubjects.OfSpans.ToFrozenSet();

    public string Name => name;
    public string Summary => summary;
    public IReadOnlyList<SettingDescription> Settings => known;
    public virtual IReadOnlySet<NodeKind> NodeKinds => AllNodes;
    public virtual IReadOnlySet<MetricSubject> Subjects => AllSubjects;
    public virtual bool CanGuard => true;
    public virtual bool FindsSpans => false;
    public virtual bool CallsModel => false;

    public IValidator Create(ValidatorContext context, JsonElement settings) =>
        Create(context, new ValidatorSettings(name, known, settings), VersionOf(settings));

    protected abstract IValidator Create(ValidatorContext context, ValidatorSettings read, string version);

    /// <summary><c>length-1-0a1b2c3d4e5f6071</c>: kind, revision, hash of the settings whatever their order.</summary>
    string VersionOf(JsonElement settings) => $"{name}-{revision}-{Hash(StrictJson.Canonical(settings))}";

    /// <summary>16 hex digits of SHA-256.</summary>
    public static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)).AsSpan(0, 8));
}
