using System.Text.RegularExpressions;

namespace Flywheel.Tests.Architecture;

/// <summary>Which source files use which, read by the names of types.</summary>
/// <remarks>
/// A file uses another when it names a type that the other declares, in a namespace that it is in or has a <c>using</c> for. Comments and
/// strings do not count. A name that is both a type and a member can give a use that is none.
/// </remarks>
sealed partial class SourceTree
{
    readonly Dictionary<string, SourceFile> _files;
    readonly ILookup<string, SourceFile> _declaring;

    /// <param name="files">Text by path, such as <c>Flywheel.Core/Metrics/Metric.cs</c>.</param>
    public SourceTree(IEnumerable<KeyValuePair<string, string>> files)
    {
        _files = files.Select(file => SourceFile.Read(file.Key, file.Value)).ToDictionary(file => file.Path, StringComparer.Ordinal);
        _declaring = _files.Values.SelectMany(file => file.Types.Select(type => (type, file)))
            .ToLookup(each => each.type, each => each.file, StringComparer.Ordinal);
    }

    /// <summary>The product's sources.</summary>
    public static SourceTree OfProduct() => new(Sources().Select(path => KeyValuePair.Create(
        Path.GetRelativePath(Path.Combine(Repository.Root, "src"), path).Replace('\\', '/'), File.ReadAllText(path))));

    /// <summary>Paths of the product's source files.</summary>
    public static IEnumerable<string> Sources() =>
        Directory.EnumerateFiles(Path.Combine(Repository.Root, "src"), "*.cs", SearchOption.AllDirectories)
        .Where(path => !path.Split(Path.DirectorySeparatorChar).Any(folder => folder is "obj" or "bin"));

    /// <summary>Groups of files that depend on each other in a cycle, by path, largest first.</summary>
    public IReadOnlyList<IReadOnlyList<string>> FileCycles() =>
        Cycles.In(_files.Values.ToDictionary(
            file => file.Path, file => UsedBy(file).Select(used => used.Path).ToHashSet(StringComparer.Ordinal)));

    /// <summary>
    /// Groups of topics that depend on each other in a cycle, such as <c>Core/Metrics</c>, largest first. A topic is an assembly's folder.
    /// </summary>
    public IReadOnlyList<IReadOnlyList<string>> TopicCycles() => Cycles.In(_files.Values.GroupBy(file => file.Topic).ToDictionary(
        topic => topic.Key, topic =>
            topic.SelectMany(UsedBy).Select(used => used.Topic).Where(used => used != topic.Key).ToHashSet(StringComparer.Ordinal)));

    IEnumerable<SourceFile> UsedBy(SourceFile file) => file.Names
        .Where(name => !file.Types.Contains(name))
        .Select(name => _declaring[name].Where(other => file.Sees(other.Namespace))
            .OrderBy(other => other.Assembly != file.Assembly).ThenBy(other => other.Namespace != file.Namespace).FirstOrDefault())
        .OfType<SourceFile>().Distinct();

    sealed partial record SourceFile(string Path, string Namespace, HashSet<string> Usings, HashSet<string> Types, HashSet<string> Names)
    {
        public string Assembly => Path.Split('/')[0];

        public string Topic
        {
            get
            {
                var parts = Path.Split('/');
                var assembly = parts[0].Replace("Flywheel.", "", StringComparison.Ordinal);
                return parts.Length == 2 ? $"{assembly}/."
                    : parts[1] is "Features" or "Pages" && parts.Length > 3 ? $"{assembly}/{parts[1]}/{parts[2]}"
                    : $"{assembly}/{parts[1]}";
            }
        }

        public bool Sees(string space) =>
            Namespace == space || Namespace.StartsWith(space + ".", StringComparison.Ordinal) || Usings.Contains(space);

        public static SourceFile Read(string path, string text)
        {
            var code = Comment().Replace(QuotedText().Replace(RawText().Replace(text, "\"\""), "\"\""), "");
            return new(
                path, NamespaceLine().Match(code).Groups[1].Value,
                [.. UsingLine().Matches(code).Select(match => match.Groups[1].Value)],
                [.. Declaration().Matches(code).Select(match => match.Groups[1].Value)],
                [.. Name().Matches(code).Select(match => match.Value)]);
        }

        [GeneratedRegex("\"\"\"+.*?\"\"\"+", RegexOptions.Singleline)]
        private static partial Regex RawText();

        [GeneratedRegex(@"@?\$?""(?:\\.|[^""\\\n])*""")]
        private static partial Regex QuotedText();

        [GeneratedRegex(@"//[^\n]*|/\*.*?\*/", RegexOptions.Singleline)]
        private static partial Regex Comment();

        [GeneratedRegex(@"^namespace\s+([\w.]+)", RegexOptions.Multiline)]
        private static partial Regex NamespaceLine();

        [GeneratedRegex(@"^using\s+(?:static\s+|\w+\s*=\s*)?([\w.]+);", RegexOptions.Multiline)]
        private static partial Regex UsingLine();

        [GeneratedRegex(@"^\s*(?:(?:public|internal|private|protected|sealed|static|abstract|partial|readonly|ref|file|unsafe)\s+)*(?:class|record\s+struct|record\s+class|record|struct|interface|enum|delegate\s+[\w<>\[\],.? ]+?)\s+([A-Z]\w*)", RegexOptions.Multiline)]
        private static partial Regex Declaration();

        [GeneratedRegex(@"\b[A-Z]\w*\b")]
        private static partial Regex Name();
    }
}
