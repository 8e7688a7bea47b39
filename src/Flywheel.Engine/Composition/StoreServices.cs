using Flywheel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace Flywheel.Engine.Composition;

/// <summary>Each topic's store as a service, so that a use case asks for the stores it needs and for no others.</summary>
static class StoreServices
{
    public static void AddStores(this IServiceCollection services)
    {
        services.AddStore(store => store.Projects);
        services.AddStore(store => store.Audit);
        services.AddStore(store => store.Spans);
        services.AddStore(store => store.SpanWriter);
        services.AddStore(store => store.SpanTexts);
        services.AddStore(store => store.Evaluations);
        services.AddStore(store => store.Metrics);
        services.AddStore(store => store.References);
        services.AddStore(store => store.MetricReviews);
        services.AddStore(store => store.Verdicts);
        services.AddStore(store => store.Outbox);
        services.AddStore(store => store.Jobs);
        services.AddStore(store => store.PeriodicTasks);
        services.AddStore(store => store.Backfills);
        services.AddStore(store => store.Labels);
        services.AddStore(store => store.Corrections);
        services.AddStore(store => store.Feedback);
        services.AddStore(store => store.Classification);
        services.AddStore(store => store.Review);
        services.AddStore(store => store.ProposedLabels);
        services.AddStore(store => store.Demonstrations);
        services.AddStore(store => store.NodePolicies);
        services.AddStore(store => store.Guidelines);
        services.AddStore(store => store.JudgeCalls);
        services.AddStore(store => store.JudgeWatch);
        services.AddStore(store => store.Serving);
        services.AddStore(store => store.Calibrations);
        services.AddStore(store => store.Alignments);
        services.AddStore(store => store.Anchors);
        services.AddStore(store => store.Proposals);
        services.AddStore(store => store.Prompts);
        services.AddStore(store => store.Datasets);
        services.AddStore(store => store.EvalRuns);
        services.AddStore(store => store.GatewayPolicies);
        services.AddStore(store => store.Erasures);
        services.AddStore(store => store.Archives);
        services.AddStore(store => store.EvalRuns);
    }

    static void AddStore<T>(this IServiceCollection services, Func<IFlywheelStore, T> of) where T : class =>
        services.AddSingleton(provider => of(provider.GetRequiredService<IFlywheelStore>()));
}
