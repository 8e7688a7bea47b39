namespace Flywheel.Engine.Models.Offline;

/// <summary>One of the answers that a prompt allows.</summary>
/// <param name="Description">What it stands for; empty when the prompt does not say.</param>
internal sealed record AnswerOption(string Name, string Description)
{
    /// <summary>What a question is compared with: names such as `card_arrival` and `cardArrival` are two words.</summary>
    public string Text => string.Concat(Spaced(Name), " ", Description).Trim();

    private static string Spaced(string name)
    {
        var spaced = new System.Text.StringBuilder(name.Length + 4);
        for (var i = 0; i < name.Length; i++)
        {
            if (i > 0 && char.IsUpper(name[i]) && char.IsLower(name[i - 1]))
                spaced.Append(' ');
            spaced.Append(char.IsLetterOrDigit(name[i]) ? name[i] : ' ');
        }

        return spaced.ToString();
    }
}
