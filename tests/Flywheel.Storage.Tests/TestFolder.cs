namespace Flywheel.Storage.Tests;

/// <summary>New folders for databases, in memory if there is room: only the crash tests are about the disk.</summary>
public static class TestFolder
{
    const string Memory = "/dev/shm";
    const long Room = 2L << 30;

    public static string New(string name)
    {
        try
        {
            if (Directory.Exists(Memory) && new DriveInfo(Memory).AvailableFreeSpace > Room)
                return Directory.CreateDirectory(Path.Combine(Memory, $"flywheel-{name}-{Guid.NewGuid():N}")).FullName;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // This user may not write there.
        }
        return Directory.CreateTempSubdirectory($"flywheel-{name}-").FullName;
    }
}
