namespace Flywheel.Server.Tests.SameAnswers;

/// <summary>Data sets, projects, keys, archives and evaluations.</summary>
/// <remarks>The server holds what <see cref="PeopleMistakes"/> says.</remarks>
static class DataMistakes
{
    /// <summary>Use cases that refuse nothing, by name, with the reason.</summary>
    public static IReadOnlyDictionary<string, string> Exempt { get; } = new Dictionary<string, string>();

    public static IReadOnlyList<Mistake> All { get; } = [];
}
