using System.Globalization;
using System.Text.Json;
using Flywheel.Core;
using Flywheel.Server.Files;

namespace Flywheel.Server.Cli.Statistics;

/// <summary>Typed fields of a user's rows; what is wrong is named with its line, field and remedy.</summary>
/// <remarks>CSV knows only text: there `true`, `false` and numbers may stand as text, and an empty field is null.</remarks>
sealed class Fields(string path)
{
    public string Path => path;

    readonly bool _csv = System.IO.Path.GetExtension(path).Equals(".csv", StringComparison.OrdinalIgnoreCase);

    /// <summary>All rows of the file, which must have some.</summary>
    public List<T> Read<T>(Func<int, JsonElement, T> row)
    {
        var rows = RowFile.Read(path).Select(each => row(each.Line, each.Row)).ToList();
        return rows.Count > 0 ? rows : throw new FlywheelException($"{path} has no rows: write one JSON object a line.");
    }

    /// <summary>true or false; null when the field is null or, unless <paramref name="required"/>, left out.</summary>
    public bool? Flag(JsonElement row, string field, int line, bool required, string meaning)
    {
        if (Value(row, field, line, required) is not { } value)
            return null;
        if (value.ValueKind is JsonValueKind.True or JsonValueKind.False)
            return value.GetBoolean();
        if (_csv && bool.TryParse(value.GetString(), out var flag))
            return flag;
        throw Wrong(line, field, value, $"write true or false, or null {meaning}");
    }

    /// <summary>A number in a range; null when the field is null or, unless <paramref name="required"/>, left out.</summary>
    /// <param name="within">The field that holds <paramref name="row"/>, for messages.</param>
    public double? Number(
        JsonElement row, string field, int line, bool required, Func<double, bool> allowed, string range, string within = "")
    {
        if (Value(row, field, line, required) is not { } value)
            return null;
        var number = double.NaN;
        var read = value.ValueKind == JsonValueKind.Number
            ? value.TryGetDouble(out number)
            : _csv && double.TryParse(value.GetString(), NumberStyles.Float, CultureInfo.InvariantCulture, out number);
        return read && double.IsFinite(number)
            && allowed(number) ? number : throw Wrong(line, within + field, value, $"write a number {range}");
    }

    /// <summary>A name: text, a number or a flag; null when the field is null, or an empty CSV field.</summary>
    public string? Name(JsonElement row, string field, int line, bool required)
    {
        if (Value(row, field, line, required) is not { } value)
            return null;
        return value.ValueKind is JsonValueKind.Object or JsonValueKind.Array
            ? throw Wrong(line, field, value, "write a text, a number, true or false")
            : JsonFields.Text(row, field);
    }

    public FlywheelException Missing(int line, string field) =>
        new($"{path}, line {line}: the field `{field}` is missing or null.");

    public FlywheelException Wrong(int line, string field, JsonElement value, string remedy)
    {
        var text = value.GetRawText();
        return new($"{path}, line {line}: `{field}` is {(text.Length > 60 ? text[..60] + "…" : text)}: {remedy}.");
    }

    JsonElement? Value(JsonElement row, string field, int line, bool required)
    {
        if (!row.TryGetProperty(field, out var value))
        {
            if (required)
                RowFile.Required(row, field, path, line);
            return null;
        }
        return value.ValueKind == JsonValueKind.Null || _csv && value.ValueKind == JsonValueKind.String
            && value.GetString()!.Length == 0 ? null : value;
    }
}
