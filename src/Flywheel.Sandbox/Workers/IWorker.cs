using Flywheel.Core.Sandboxing;

namespace Flywheel.SandboxChild.Workers;

/// <summary>One engine inside a child.</summary>
interface IWorker : IDisposable
{
    /// <summary>What it offers; the walls of the process are added to it.</summary>
    SandboxReady Ready { get; }

    /// <summary>Does one task and gives the answer's JSON. Never throws for what the task holds.</summary>
    byte[] Answer(byte[] task, SelfWatch watch);
}
