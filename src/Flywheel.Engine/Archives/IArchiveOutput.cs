using Flywheel.Core.Archives;

namespace Flywheel.Engine.Archives;

/// <summary>Where an archive is written to.</summary>
public interface IArchiveOutput : IAsyncDisposable
{
    Task BeginAsync(ArchiveHeader header, CancellationToken ct);

    Task AddAsync(ArchiveRow row, CancellationToken ct);

    /// <summary>Puts it in its place: what is there under its name is whole.</summary>
    Task FinishAsync(CancellationToken ct);
}
