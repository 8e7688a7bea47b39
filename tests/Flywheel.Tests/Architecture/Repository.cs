namespace Flywheel.Tests.Architecture;

/// <summary>The source tree that these tests were built from.</summary>
static class Repository
{
    public static string Root { get; } = Find(AppContext.BaseDirectory);

    /// <summary><c>Release</c> or <c>Debug</c>, as these tests were built.</summary>
    public static string Configuration { get; } = new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;

    /// <summary>A file among what building a project of <c>src</c> gave.</summary>
    public static string Built(string project, string file) => Path.Combine(Root, "src", project, "bin", Configuration, "net10.0", file);

    static string Find(string from)
    {
        for (var folder = from; folder is not null; folder = Path.GetDirectoryName(folder))
            if (File.Exists(Path.Combine(folder, "Flywheel.slnx")))
                return folder;
        throw new DirectoryNotFoundException("The tests must run from inside the repository: Flywheel.slnx was not found above them.");
    }
}
