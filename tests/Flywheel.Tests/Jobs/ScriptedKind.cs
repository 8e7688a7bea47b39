using System.Text.Json;
using Flywheel.Core.Metrics;
using Flywheel.Core.Traces;

namespace Flywheel.Tests.Jobs;

/// <summary>A plug-in whose check is a function of the test's.</summary>
sealed class ScriptedKind(string name, bool callsModel, Func<Examinee, CancellationToken, Task<Finding>> check) : IValidatorKind
{
    int _calls;

    public int Calls => Volatile.Read(ref _calls);
    public string Version { get; set; } = "v1";
    public double ExpectedUsd { get; set; }
    public string Name => name;
    public string Summary => "Does what the test says.";
    public IReadOnlyList<SettingDescription> Settings => [];
    public IReadOnlySet<NodeKind> NodeKinds { get; init; } = Enum.GetValues<NodeKind>().ToHashSet();
    public IReadOnlySet<MetricSubject> Subjects => Enum.GetValues<MetricSubject>().ToHashSet();
    public bool CallsModel => callsModel;

    public IValidator Create(ValidatorContext context, JsonElement settings) => new Validator(this, check);

    sealed class Validator(ScriptedKind kind, Func<Examinee, CancellationToken, Task<Finding>> check) : IPricedValidator
    {
        public string Version => kind.Version;

        public async ValueTask<Finding> CheckAsync(Examinee examinee, CancellationToken ct)
        {
            Interlocked.Increment(ref kind._calls);
            return await check(examinee, ct);
        }

        public Finding? WithoutCall(Examinee examinee) => examinee.Text is null ? Finding.Skipped("no text") : null;

        public double ExpectedCostUsd(Examinee examinee) => kind.ExpectedUsd;
    }
}
