using Flywheel.Core.Sandboxing;
namespace Flywheel.SandboxChild.Databases;
sealed class PostgresWorker : IWorker
{
    public static Task<PostgresWorker> OpenAsync(SandboxOpening opening) => throw new OpeningException(opening.Engine + " soon");
    public SandboxReady Ready => throw new NotSupportedException();
    public byte[] Answer(byte[] task, SelfWatch watch) => throw new NotSupportedException();
    public void Dispose() { }
}
