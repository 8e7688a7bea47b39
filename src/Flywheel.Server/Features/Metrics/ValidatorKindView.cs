using Flywheel.Core.Metrics;

namespace Flywheel.Server.Features.Metrics;

public sealed record ValidatorKindView(
    string Kind, string Summary, IReadOnlyList<string> NodeKinds, IReadOnlyList<string> Subjects, bool CallsModel,
    IReadOnlyList<SettingDescription> Settings)
{
    public static ValidatorKindView Of(IValidatorKind kind) => new(
        kind.Name, kind.Summary, [.. kind.NodeKinds.Select(Wire.Name).Order()], [.. kind.Subjects.Select(Wire.Name).Order()],
        kind.CallsModel, kind.Settings);
}
