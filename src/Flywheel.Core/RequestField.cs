namespace Flywheel.Core;

/// <summary>Checks of the fields of a request that many use cases make.</summary>
public static class RequestField
{
    /// <returns>The value, which is a usable name or id.</returns>
    /// <exception cref="RequestException">It is missing, too long or holds characters that no name may hold.</exception>
    public static string Name(string field, string? value, int most = TextRules.MaxNameLength) =>
        TextRules.Name(value, most) is { } why ? throw RequestException.BadField(field, $"`{field}` {why}") : value!;

    /// <returns>Null if no value is given.</returns>
    /// <exception cref="RequestException">It is empty, too long or holds characters that no name may hold.</exception>
    public static string? OptionalName(string field, string? value) => value is null ? null : Name(field, value);

    /// <returns>Null if no value is given.</returns>
    /// <exception cref="RequestException">No database can store the text.</exception>
    public static string? OptionalText(string field, string? value) =>
        value is not null && TextRules.Text(value) is { } why ? throw RequestException.BadField(field, $"`{field}` {why}") : value;

    /// <param name="most">Number of characters allowed.</param>
    /// <exception cref="RequestException">It is blank or too long, or no database can store it.</exception>
    public static string Text(string field, string? value, int most) => string.IsNullOrWhiteSpace(value) || value.Length > most
        ? throw RequestException.BadField(field, $"`{field}` must have 1 to {most:N0} characters.")
        : OptionalText(field, value)!;
}
