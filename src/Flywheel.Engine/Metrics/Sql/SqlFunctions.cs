using Flywheel.Core;
using Flywheel.Core.Metrics;

namespace Flywheel.Engine.Metrics.Sql;

/// <summary>What each allowed function takes and gives.</summary>
static class SqlFunctions
{
    /// <summary>Characters of a text to search for: databases search naively, so a long needle costs its length a character.</summary>
    public const int MaxNeedle = 200;

    /// <summary>How many times the longest column a text may become.</summary>
    public const double MaxGrowth = 8;

    public static IReadOnlyList<string> Names { get; } = [.. Enum.GetNames<SqlFunction>().Select(name => name.ToLowerInvariant())];

    /// <param name="position">Of the function's name.</param>
    public static SqlNode Call(string name, IReadOnlyList<SqlNode> arguments, int position)
    {
        if (Wire.Parse<SqlFunction>(name) is not { } function)
            throw new SqlExpressionException(position,
                $"there is no function `{name}` here.{NearMiss.Hint(name, Names)} Allowed are {NearMiss.List(Names)}.");
        var word = Wire.Name(function);
        switch (function)
        {
            case SqlFunction.Length:
                Expect("a text", SqlType.Text);
                return Result(SqlType.Number, 0);
            case SqlFunction.Lower or SqlFunction.Upper or SqlFunction.Trim:
                Expect("a text", SqlType.Text);
                return Result(SqlType.Text, arguments[0].Growth);
            case SqlFunction.Abs:
                Expect("a number", SqlType.Number);
                return Result(SqlType.Number, 0);
            case SqlFunction.Round when arguments.Count == 1:
                Expect("a number", SqlType.Number);
                return Result(SqlType.Number, 0);
            case SqlFunction.Round:
                Expect("a number and how many digits", SqlType.Number, SqlType.Number);
                Whole(arguments[1], 0, 10, "The digits");
                return Result(SqlType.Number, 0);
            case SqlFunction.Coalesce:
                if (arguments.Count < 2 || arguments.Any(argument => argument.Type != arguments[0].Type))
                    throw new SqlExpressionException(position, "`coalesce` takes two or more values of one type.");
                return Result(arguments[0].Type, arguments.Max(argument => argument.Growth));
            case SqlFunction.Instr:
                Expect("a text and the text to find", SqlType.Text, SqlType.Text);
                Needle(arguments[1]);
                return Result(SqlType.Number, 0);
            case SqlFunction.Substr when arguments.Count == 2:
                Expect("a text, a start and a length", SqlType.Text, SqlType.Number);
                Whole(arguments[1], 1, int.MaxValue, "The start");
                return Result(SqlType.Text, arguments[0].Growth);
            case SqlFunction.Substr:
                Expect("a text, a start and a length", SqlType.Text, SqlType.Number, SqlType.Number);
                Whole(arguments[1], 1, int.MaxValue, "The start");
                Whole(arguments[2], 0, int.MaxValue, "The length");
                return Result(SqlType.Text, arguments[0].Growth);
            default:
                Expect("a text, the text to find and its replacement", SqlType.Text, SqlType.Text, SqlType.Text);
                var needle = Needle(arguments[1]);
                if (arguments[2] is not SqlNode.TextLiteral with)
                    throw new SqlExpressionException(position, "the replacement of `replace` must be a text in quotes.");
                return Result(SqlType.Text, arguments[0].Growth * Math.Max(1, (double)with.Value.Length / needle.Length));
        }

        void Expect(string what, params SqlType[] types)
        {
            if (!arguments.Select(argument => argument.Type).SequenceEqual(types))
                throw new SqlExpressionException(position, $"`{word}` takes {what}.");
        }

        string Needle(SqlNode node) => node is SqlNode.TextLiteral { Value.Length: > 0 and <= MaxNeedle } text
            ? text.Value
            : throw new SqlExpressionException(
                position, $"the text to find in `{word}` must be a text in quotes of 1 to {MaxNeedle} characters.");

        void Whole(SqlNode node, int min, int max, string what)
        {
            if (node is not SqlNode.NumberLiteral number || number.Value < min || number.Value > max
                || number.Value != Math.Floor(number.Value))
                throw new SqlExpressionException(position, $"{what} in `{word}` must be a whole number from {min} to {max}, written out.");
        }

        SqlNode Result(SqlType type, double growth) => growth <= MaxGrowth
            ? new SqlNode.Call(function, arguments, type, growth)
            : throw new SqlExpressionException(position, $"the text could become more than {MaxGrowth} times longer than the span's.");
    }
}
