using Flywheel.Core.Evaluation;
using Flywheel.Core.Traces;
using Flywheel.Engine.Jobs;
using Flywheel.Engine.Judging;
using Flywheel.Engine.Judging.Aligning;
using Flywheel.Engine.Judging.Anchoring;
using Flywheel.Engine.Loop;
using Flywheel.Engine.Retrieval;
using Flywheel.Engine.Review;
using Flywheel.Engine.Telemetry;
using Microsoft.Extensions.DependencyInjection;

namespace Flywheel.Engine.Composition;

/// <summary>What every engine does again after each pause.</summary>
static class PeriodicTasks
{
    static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    /// <summary>How long a text or an evaluation waits for its span.</summary>
    static readonly TimeSpan KeptForSpan = TimeSpan.FromDays(1);

    public static void AddPeriodicTasks(this IServiceCollection services)
    {
        // Of this process's models, or with leases of their own: each process takes part.
        services.AddTask<DemonstrationEmbedding>("embedding demonstrations", Second, it => it.RunOnceAsync, oncePerDatabase: false);
        services.AddTask<AnchorReplays>("replaying anchors", Second, it => it.RunOnceAsync, oncePerDatabase: false);
        services.AddTask<JudgeAlignment>("aligning judges", Second, it => it.RunOnceAsync, oncePerDatabase: false);
        services.AddTask<BackfillWorker>("back-filling", Second, it => it.RunOnceAsync, oncePerDatabase: false);
        services.AddTask<EvaluationJoining>("joining evaluations", Second, it => it.RunOnceAsync, oncePerDatabase: false);
        services.AddTask<FixingPlanner>("ordering likely failures", 2 * Second, it => it.RunOnceAsync);
        services.AddTask<JudgeWatch>("watching judges", 10 * Second, it => it.RunOnceAsync);
        services.AddTask<JudgeCalibrator>("calibrating judges", 10 * Second, it => it.RunOnceAsync);
        services.AddTask<ReviewPlanner>("planning reviews", 10 * Second, it => it.RunOnceAsync);
        services.AddTask<LabelPlanner>("drawing items to label", 10 * Second, it => it.RunOnceAsync);
        services.AddSingleton(provider => new PeriodicTask("forgetting texts of spans", 60 * Second, ct =>
            provider.GetRequiredService<ISpanTextStore>().ForgetAsync(Expired(provider), ct), OncePerDatabase: true));
        services.AddSingleton(provider => new PeriodicTask("forgetting evaluations", 60 * Second, ct =>
            provider.GetRequiredService<ISpanEvaluationStore>().ForgetAsync(Expired(provider), ct), OncePerDatabase: true));
    }

    static void AddTask<T>(
        this IServiceCollection services, string what, TimeSpan pause, Func<T, Func<CancellationToken, Task<int>>> turn,
        bool oncePerDatabase = true)
        where T : notnull =>
        services.AddSingleton(provider => new PeriodicTask(what, pause, turn(provider.GetRequiredService<T>()), oncePerDatabase));

    static DateTimeOffset Expired(IServiceProvider provider) => provider.GetRequiredService<TimeProvider>().GetUtcNow() - KeptForSpan;
}
