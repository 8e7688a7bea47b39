using System.Text;

namespace Flywheel.Validators.Detection.Adversarial;

/// <summary>Draws sentences from <c>families.txt</c>: attacks of known families, and ordinary texts in the same words.</summary>
/// <remarks>The same seed gives the same sentences. The format stands at the head of the file.</remarks>
public static class AttackFamilies
{
    static readonly Lazy<(Dictionary<string, string[]> Slots, List<(bool IsAttack, string Family, string Template)> Templates)> Grammar =
        new(Read);

    /// <param name="each">Draws of each template; equal draws come once.</param>
    public static IReadOnlyList<(string Text, bool IsAttack, string Family)> Draw(int each, int seed)
    {
        var random = new Random(seed);
        var drawn = new List<(string, bool, string)>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (isAttack, family, template) in Grammar.Value.Templates)
            for (var i = 0; i < each; i++)
            {
                var text = new StringBuilder();
                Expand(template, text, random);
                var clean = string.Join(' ', text.ToString().Split(' ', StringSplitOptions.RemoveEmptyEntries))
                    .Replace("\\n", "\n", StringComparison.Ordinal);
                if (seen.Add(clean))
                    drawn.Add((clean, isAttack, family));
            }
        return drawn;
    }

    static void Expand(string template, StringBuilder text, Random random)
    {
        for (var i = 0; i < template.Length; i++)
        {
            if (template[i] == '{' && template.IndexOf('}', i) is > 0 and var close
                && Grammar.Value.Slots.TryGetValue(template[(i + 1)..close], out var choices))
            {
                Expand(choices[random.Next(choices.Length)], text, random);
                i = close;
            }
            else if (template[i] == '[' && Choices(template, i) is { } place)
            {
                Expand(place.Choices[random.Next(place.Choices.Count)], text, random);
                i = place.End;
            }
            else
                text.Append(template[i]);
        }
    }

    /// <summary>The choices of a bracket with a bar in it; null for a bracket that is text.</summary>
    static (List<string> Choices, int End)? Choices(string template, int open)
    {
        var choices = new List<string>();
        var from = open + 1;
        for (int i = open + 1, depth = 0; i < template.Length; i++)
        {
            if (template[i] == '[')
                depth++;
            else if (template[i] == ']' && depth-- == 0)
            {
                choices.Add(template[from..i]);
                return choices.Count > 1 ? (choices, i) : null;
            }
            else if (template[i] == '|' && depth == 0)
            {
                choices.Add(template[from..i]);
                from = i + 1;
            }
        }
        return null;
    }

    static (Dictionary<string, string[]>, List<(bool, string, string)>) Read()
    {
        using var stream = typeof(AttackFamilies).Assembly.GetManifestResourceStream("detection/families.txt")!;
        using var reader = new StreamReader(stream);
        var slots = new Dictionary<string, string[]>(StringComparer.Ordinal);
        var templates = new List<(bool, string, string)>();
        while (reader.ReadLine() is { } line)
        {
            if (line.StartsWith('@') && line.Split(" = ", 2) is [var name, var values])
                slots[name[1..]] = values.Split(" | ");
            else if (line.Length > 2 && line[0] is '+' or '-' && line[2..].Split(": ", 2) is [var family, var template])
                templates.Add((line[0] == '+', family, template));
        }
        return (slots, templates);
    }
}
