namespace Flywheel.Crash.Tests;

/// <summary>What was built together with this assembly.</summary>
static class Built
{
    static readonly DirectoryInfo Here = new(AppContext.BaseDirectory);

    /// <summary>The repository.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>Debug or Release.</summary>
    public static string Configuration => Here.Parent!.Name;

    public static string Program(string project, string file)
    {
        var program = Path.Combine([Root, .. project.Split('/'), "bin", Configuration, Here.Name, file]);
        return File.Exists(program) ? program : throw new FileNotFoundException($"{project} is not built.", program);
    }

    static string FindRoot()
    {
        for (var folder = Here; folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "Flywheel.slnx")))
                return folder.FullName;
        throw new InvalidOperationException($"No Flywheel.slnx above {Here.FullName}.");
    }
}
