using Flywheel.Engine.Jobs;

namespace Flywheel.Engine.Models;

/// <summary>What went wrong, by what models' libraries throw, and otherwise by what the platform does.</summary>
public sealed class ModelFaults(TimeProvider clock) : IFaultClassifier
{
    public Fault Classify(Exception error)
    {
        var fault = ModelFault.From(error, clock);
        return fault.Kind == ModelFaultKind.Unknown
            ? new PlatformFaults().Classify(error)
            : new Fault(fault.Retryable, fault.RetryAfter, fault.Reason,
                MayHaveCost: fault.Kind is ModelFaultKind.Timeout or ModelFaultKind.Cut or ModelFaultKind.MalformedReply);
    }
}
