using Flywheel.Core.Sandboxing;
namespace Flywheel.SandboxChild.Languages;
sealed class ScriptWorker : IWorker
{
    public static ScriptWorker Open(SandboxOpening opening) => throw new OpeningException(opening.Engine + " soon");
    public SandboxReady Ready => throw new NotSupportedException();
    public byte[] Answer(byte[] task, SelfWatch watch) => throw new NotSupportedException();
    public void Dispose() { }
}
