using System.Globalization;
using Flywheel.Demo.Orders;

namespace SupportBot;

/// <summary>What the user asked the sample to do.</summary>
/// <param name="Text">The message; null when none was given.</param>
/// <param name="Customer">Who is signed in, 1 to 60.</param>
/// <param name="Server">Address of a running Flywheel; null: not given.</param>
/// <param name="WriteExpected">Where to write the messages with their expected rows computed anew; null: not asked.</param>
internal sealed record CommandLine(string? Text, int Customer, Uri? Server, string? WriteExpected)
{
    public const string Usage =
        """
        Usage: SupportBot [options] MESSAGE
          MESSAGE                What the customer writes, such as "I was charged twice".
          --customer N           The signed-in customer, 1 to 60 (default 14).
          --server ADDRESS       Log to and learn from a running Flywheel, such as http://127.0.0.1:5151.
                                 Without it: what FLYWHEEL_URL names; without both the file supportbot.db.
          --write-expected FILE  Write the sample's messages with the rows that their statements give now.
          -h, --help             Show this.
        Environment: SUPPORTBOT_ENDPOINT, SUPPORTBOT_MODEL, SUPPORTBOT_API_KEY name an OpenAI-compatible provider;
        without them the offline model answers. FLYWHEEL_API_KEY is the server's key.
        """;

    /// <exception cref="ArgumentException">The arguments make no sense; the message says which.</exception>
    public static CommandLine Parse(IReadOnlyList<string> args)
    {
        var words = new List<string>();
        var command = new CommandLine(null, 14, null, null);
        for (var i = 0; i < args.Count; i++)
            command = args[i] switch
            {
                "--customer" => command with { Customer = CustomerIn(ValueAfter(ref i)) },
                "--server" => command with { Server = AddressIn("--server", ValueAfter(ref i)) },
                "--write-expected" => command with { WriteExpected = ValueAfter(ref i) },
                _ when args[i].StartsWith("--", StringComparison.Ordinal) => throw new ArgumentException($"{args[i]} is no option of this program."),
                _ => Add(args[i]),
            };
        if (words.Count == 0 && command.WriteExpected is null)
            throw new ArgumentException("The message is missing.");
        return command with { Text = words.Count == 0 ? null : string.Join(' ', words) };

        CommandLine Add(string word)
        {
            words.Add(word);
            return command;
        }

        string ValueAfter(ref int at) =>
            ++at < args.Count ? args[at] : throw new ArgumentException($"{args[at - 1]} needs a value.");
    }

    static int CustomerIn(string value) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var customer) && customer is >= 1 and <= OrdersSeed.Customers
            ? customer
            : throw new ArgumentException($"--customer is '{value}': give a number from 1 to {OrdersSeed.Customers}.");

    public static Uri AddressIn(string name, string value) =>
        Uri.TryCreate(value, UriKind.Absolute, out var address) && address.Scheme is "http" or "https"
            ? address
            : throw new ArgumentException($"{name} is '{value}': give an http or https address.");
}
