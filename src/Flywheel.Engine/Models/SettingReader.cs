using System.Globalization;

namespace Flywheel.Engine.Models;

/// <summary>Takes settings out of a flat list by name, and says by their full path which are wrong or left over.</summary>
internal sealed class SettingReader
{
    private readonly string _path;
    private readonly Dictionary<string, (string Written, string Value)> _left = [];
    private readonly List<SettingReader> _sections = [];

    public SettingReader(string path, IEnumerable<KeyValuePair<string, string?>> settings)
    {
        _path = path;
        foreach (var (key, value) in settings)
            if (value is not null)
                _left[Plain(key)] = (key, value);
    }

    /// <summary>Null when the setting is missing or blank.</summary>
    public string? Text(string name) =>
        _left.Remove(Plain(name), out var setting) && !string.IsNullOrWhiteSpace(setting.Value) ? setting.Value.Trim() : null;

    public string Required(string name, string example) =>
        Text(name) ?? throw new ModelSetupException($"{_path}.{name} is missing: {example}.");

    /// <param name="none">Returned when the setting is missing.</param>
    public double Number(string name, double none, double least, double most)
    {
        if (Text(name) is not { } text)
            return none;
        return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && value >= least && value <= most
            ? value
            : throw Wrong(name, text,
                $"a number from {least.ToString(CultureInfo.InvariantCulture)} to {most.ToString(CultureInfo.InvariantCulture)}");
    }

    public int Integer(string name, int none, int least, int most)
    {
        var value = Number(name, none, least, most);
        return value == Math.Floor(value) ? (int)value : throw Wrong(name, value.ToString(CultureInfo.InvariantCulture), "a whole number");
    }

    public bool Flag(string name, bool none) => Text(name) switch
    {
        null => none,
        var text when bool.TryParse(text, out var value) => value,
        var text => throw Wrong(name, text, "true or false"),
    };

    public Uri? Url(string name)
    {
        if (Text(name) is not { } text)
            return null;
        return Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "http" or "https" && url.UserInfo.Length == 0
            ? url
            : throw Wrong(name, text, "an http or https URL without user and password");
    }

    public TimeSpan? Seconds(string name)
    {
        var seconds = Number(name, 0, 0.01, 3600);
        return seconds == 0 ? null : TimeSpan.FromSeconds(seconds);
    }

    /// <param name="choices">Names as users write them; case, hyphens and underscores do not matter.</param>
    public T Choice<T>(string name, IReadOnlyDictionary<string, T> choices, string text)
    {
        foreach (var (choice, value) in choices)
            if (Plain(choice) == Plain(text))
                return value;
        throw Wrong(name, text, $"one of {string.Join(", ", choices.Keys)}");
    }

    public SettingReader Section(string name)
    {
        var prefix = Plain(name) + ":";
        var mine = _left.Where(setting => setting.Key.StartsWith(prefix, StringComparison.Ordinal)).ToList();
        foreach (var setting in mine)
            _left.Remove(setting.Key);
        var section = new SettingReader(
            $"{_path}.{name}",
            mine.Select(setting =>
                KeyValuePair.Create(setting.Value.Written[(setting.Value.Written.IndexOf(':') + 1)..], (string?)setting.Value.Value)));
        _sections.Add(section);
        return section;
    }

    /// <summary>The sections below a name: `chat:judge:kind` is in section `judge`.</summary>
    public IEnumerable<(string Name, SettingReader Section)> Sections(string name)
    {
        var all = Section(name);
        var names = all._left.Values
            .Where(setting => setting.Written.Contains(':'))
            .Select(setting => setting.Written[..setting.Written.IndexOf(':')])
            .Distinct(StringComparer.OrdinalIgnoreCase)
            .ToList();
        foreach (var child in names)
            yield return (child, all.Section(child));
    }

    /// <exception cref="ModelSetupException">A setting was not asked for.</exception>
    public void NothingElse()
    {
        if (_left.Count > 0)
            throw new ModelSetupException(
                $"{_path}.{_left.Values.First().Written.Replace(':', '.')} is not a setting here. Check its spelling.");
        _sections.ForEach(section => section.NothingElse());
    }

    public ModelSetupException Wrong(string name, string value, string wanted) => new($"{_path}.{name} is `{value}`: set {wanted}.");

    public string PathOf(string name) => $"{_path}.{name}";

    private static string Plain(string key) =>
        key.Replace("_", "", StringComparison.Ordinal).Replace("-", "", StringComparison.Ordinal).ToLowerInvariant();
}
