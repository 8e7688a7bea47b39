using System.Collections.Frozen;
using System.Text.Json;
using Flywheel.Core.Metrics;
using Flywheel.Core.Traces;

namespace Flywheel.Server.Tests;

/// <summary>A kind of validators as an operator would write it: fails texts of more than <c>most</c> characters.</summary>
public sealed class ShortKind : IValidatorKind
{
    public string Name => "acme.short";
    public string Summary => "The text is short.";
    public IReadOnlyList<SettingDescription> Settings { get; } = [new("most", "integer", "Most characters.", null)];
    public IReadOnlySet<NodeKind> NodeKinds { get; } = Enum.GetValues<NodeKind>().ToFrozenSet();
    public IReadOnlySet<MetricSubject> Subjects { get; } = Enum.GetValues<MetricSubject>().ToFrozenSet();
    public bool CallsModel => false;

    public IValidator Create(ValidatorContext context, JsonElement settings)
    {
        var read = new ValidatorSettings(Name, Settings, settings);
        var most = read.Integer("most", 0, 1_000) ?? throw read.Missing("most", "say how many characters are short.");
        // What a plug-in's author forgets: a setting that makes it throw.
        return new Short(most == 13 ? throw new InvalidOperationException("thirteen") : most);
    }

    sealed class Short(int most) : IValidator
    {
        public string Version => "";

        public ValueTask<Finding> CheckAsync(Examinee examinee, CancellationToken ct) => new(examinee.Text is not { } text
            ? Finding.Skipped("no text")
            : text.Length <= most ? Finding.Pass(text.Length) : Finding.Fail($"{text.Length} characters", text.Length));
    }
}
