namespace Flywheel.Crash.Tests;

/// <summary>Programs that were built together with this assembly.</summary>
static class Built
{
    public static string Program(string project, string file)
    {
        var here = new DirectoryInfo(AppContext.BaseDirectory);
        var (framework, configuration) = (here.Name, here.Parent!.Name);
        var root = here;
        while (!File.Exists(Path.Combine(root.FullName, "Flywheel.slnx")))
            root = root.Parent ?? throw new InvalidOperationException($"No Flywheel.slnx above {here.FullName}.");
        var program = Path.Combine([root.FullName, .. project.Split('/'), "bin", configuration, framework, file]);
        return File.Exists(program) ? program : throw new FileNotFoundException($"{project} is not built.", program);
    }
}
