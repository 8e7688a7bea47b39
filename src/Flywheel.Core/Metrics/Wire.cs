using System.Collections.Frozen;

namespace Flywheel.Core.Metrics;

/// <summary>The wire form of enumerations: lower-case words.</summary>
public static class Wire
{
    public static string Name<T>(T value) where T : struct, Enum =>
        Words<T>.ByValue.TryGetValue(value, out var word) ? word : value.ToString().ToLowerInvariant();

    /// <returns>Null when no value of the enumeration has this name.</returns>
    public static T? Parse<T>(string? name) where T : struct, Enum =>
        name is not null && Words<T>.ByName.TryGetValue(name, out var value) ? value : null;

    /// <summary>Reads the word that a caller gives for a field.</summary>
    /// <returns>Null if no word is given.</returns>
    /// <exception cref="RequestException">No value of the enumeration has this name; the message lists those that there are.</exception>
    public static T? Choice<T>(string field, string? word) where T : struct, Enum => word is null
        ? null
        : Parse<T>(word) ?? throw RequestException.BadField(field, $"`{field}` is `{word}`: use {Choices<T>()}.");

    /// <summary>The allowed words, for messages: <c>pass, fail or unsure</c>.</summary>
    public static string Choices<T>() where T : struct, Enum
    {
        var names = Enum.GetValues<T>().Select(Name).ToArray();
        return names.Length == 1 ? names[0] : string.Join(", ", names[..^1]) + " or " + names[^1];
    }

    /// <summary>Made once for each enumeration: every span that comes in asks.</summary>
    static class Words<T> where T : struct, Enum
    {
        public static readonly FrozenDictionary<T, string> ByValue =
            Enum.GetValues<T>().ToFrozenDictionary(value => value, value => value.ToString().ToLowerInvariant());

        public static readonly FrozenDictionary<string, T> ByName =
            Enum.GetValues<T>().ToFrozenDictionary(value => value.ToString(), StringComparer.OrdinalIgnoreCase);
    }
}
