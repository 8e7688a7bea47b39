using System.Globalization;
using System.Text.RegularExpressions;

namespace Flywheel.Demo.Orders;

/// <summary>Finds the order that a message names, such as <c>OS-20417</c>, <c>#20417</c> or <c>Bestellung 20417</c>.</summary>
/// <remarks>Five bare digits may be a postcode, so they count only behind one of these words.</remarks>
public static partial class OrderNumber
{
    /// <returns>Null when the message names none; the first when it names several.</returns>
    public static int? In(string text)
    {
        var match = Pattern().Match(text);
        return match.Success ? int.Parse(match.Groups["digits"].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture) : null;
    }

    [GeneratedRegex(
        """(?:\bos[-\s]?|#\s?|\b(?:order|oder|ordr|bestellung|bestellnummer|auftrag)\s(?:(?:no|nr|number|nummer)\.?\s?)?)(?<digits>[0-9]{5})\b""",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Pattern();
}
