using System.Collections.Frozen;
using System.Text.Json;
using Flywheel.Core;
using Flywheel.Core.Metrics;
using Flywheel.Core.Traces;

namespace Flywheel.Validators.Detection;

/// <summary>A kind that looks at inputs only, calls no model and may stand guard.</summary>
abstract class DetectorKind(string name, int revision, string summary, DetectionServices? services, params SettingDescription[] settings)
    : IValidatorKind
{
    static readonly FrozenSet<NodeKind> AllNodes = Enum.GetValues<NodeKind>().ToFrozenSet();
    static readonly FrozenSet<MetricSubject> Input = FrozenSet.Create(MetricSubject.Input);

    public string Name => name;
    public string Summary => summary;
    public IReadOnlyList<SettingDescription> Settings => settings;
    public IReadOnlySet<NodeKind> NodeKinds => AllNodes;
    public IReadOnlySet<MetricSubject> Subjects => Input;
    public bool CallsModel => false;

    public IValidator Create(ValidatorContext context, JsonElement element) => Create(
        context, new ValidatorSettings(name, settings, element), $"{name}-{revision}-{ValidatorKind.Hash(StrictJson.Canonical(element))}",
        services ?? throw new ValidatorSettingsException(
            "kind", $"`{name}` needs an embedder, and none is installed here: configure `Embeddings`."));

    protected abstract IValidator Create(ValidatorContext context, ValidatorSettings read, string version, DetectionServices services);
}
