namespace Flywheel.Demo.Resources;

/// <summary>Files that travel inside the assembly.</summary>
static class EmbeddedText
{
    public static string Read(string name)
    {
        using var stream = typeof(EmbeddedText).Assembly.GetManifestResourceStream(name)
            ?? throw new InvalidOperationException($"The assembly holds no resource named {name}.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
