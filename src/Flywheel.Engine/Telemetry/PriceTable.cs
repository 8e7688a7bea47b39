using System.Globalization;
using Flywheel.Core;
using Flywheel.Engine.Models;

namespace Flywheel.Engine.Telemetry;

/// <summary>What models charge, by name: list prices that come with the product, and the user's own over them.</summary>
/// <remarks>
/// A name matches exactly, or with the date or state that providers append: <c>gpt-4.1-mini-2025-04-14</c> is <c>gpt-4.1-mini</c>,
/// <c>gpt-4.1-mini-ultra</c> is not. What stands before the last slash (<c>openai/…</c>, <c>projects/…/models/…</c>) does not count.
/// </remarks>
public sealed class PriceTable
{
    readonly Dictionary<string, ModelPrice> _prices;

    PriceTable(Dictionary<string, ModelPrice> prices) => _prices = prices;

    public static PriceTable BuiltIn { get; } = Read([]);

    /// <param name="settings"><c>MODEL:Input</c>, <c>MODEL:Output</c>, <c>MODEL:CachedInput</c>: US dollars a million tokens.</param>
    /// <exception cref="FlywheelException">A price is no number, or a model has no input price.</exception>
    public static PriceTable Read(IEnumerable<KeyValuePair<string, string?>> settings)
    {
        var prices = new Dictionary<string, ModelPrice>(StringComparer.OrdinalIgnoreCase);
        using var resource = typeof(PriceTable).Assembly.GetManifestResourceStream("telemetry/prices.csv")!;
        using var reader = new StreamReader(resource);
        while (reader.ReadLine() is { } line)
            if (line.Length > 0 && line[0] != '#' && line.Split(',') is var cells)
                prices[cells[0]] = new(Cell(cells, 1) ?? 0, Cell(cells, 2) ?? 0, Cell(cells, 3));

        foreach (var model in settings.Where(setting => setting.Value is not null)
            .GroupBy(setting => setting.Key[..Math.Max(0, setting.Key.LastIndexOf(':'))], StringComparer.OrdinalIgnoreCase))
        {
            double? input = null, output = null, cached = null;
            foreach (var (key, value) in model)
            {
                if (!double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out var price) || !double.IsFinite(price)
                    || price < 0)
                    throw new FlywheelException($"`Prices:{key}` is `{value}`: give US dollars a million tokens, 0 or more.");
                switch (key[(key.LastIndexOf(':') + 1)..].ToUpperInvariant())
                {
                    case "INPUT": input = price; break;
                    case "OUTPUT": output = price; break;
                    case "CACHEDINPUT": cached = price; break;
                    default: throw new FlywheelException(
                        $"`Prices:{key}` is no price: use Input, Output or CachedInput under the model's name.");
                }
            }
            prices[model.Key] = new(
                input ?? throw new FlywheelException($"`Prices:{model.Key}:Input` is missing: give US dollars a million tokens."),
                output ?? 0, cached);
        }
        return new(prices);
    }

    /// <returns>Null when the model is unknown or nothing was counted: an unknown cost is not 0.</returns>
    public double? CostUsd(string? model, int? input, int? output, int? cached)
    {
        if (input is null && output is null || Find(model) is not { } price)
            return null;
        var fromCache = Math.Min(cached ?? 0, input ?? 0);
        return (((input ?? 0) - fromCache) * price.Input + fromCache * (price.CachedInput ?? price.Input)
            + (output ?? 0) * price.Output) / 1e6;
    }

    public ModelPrice? Find(string? model)
    {
        if (model is null)
            return null;
        if (_prices.TryGetValue(model, out var exact))
            return exact;
        var name = model.AsSpan()[(model.LastIndexOf('/') + 1)..];
        if (name.IndexOf('@') is var at and > 0)
            name = name[..at];
        var byName = _prices.GetAlternateLookup<ReadOnlySpan<char>>();
        for (var end = name.Length; end > 0; end = name[..end].LastIndexOf('-'))
            if (IsState(name[end..]) && byName.TryGetValue(name[..end], out var price))
                return price;
        return null;
    }

    /// <summary>Only dates, counters and words of state may follow a model's name.</summary>
    static bool IsState(ReadOnlySpan<char> rest)
    {
        foreach (var range in rest.Split('-'))
        {
            var word = rest[range];
            if (!word.ContainsAnyExceptInRange('0', '9') || word is "latest" or "preview" or "exp")
                continue;
            return false;
        }
        return true;
    }

    static double? Cell(string[] cells, int at) =>
        at < cells.Length && cells[at].Length > 0 ? double.Parse(cells[at], CultureInfo.InvariantCulture) : null;
}
