using System.Globalization;
using System.Text;

namespace Flywheel.Core.Prompts;

/// <summary>Two texts as the unified diff that every tool reads.</summary>
/// <remarks>
/// The longest common subsequence of lines by dynamic programming, after equal lines at both ends are set aside. Middles of more than
/// four million pairs of lines are shown as replaced as a whole. Equal texts give an empty diff.
/// </remarks>
public static class UnifiedDiff
{
    const int Context = 3;
    const long MaxCells = 4_000_000;

    enum Step
    {
        Keep,
        Remove,
        Add,
    }

    /// <param name="oldName">For the header: <c>--- name</c>.</param>
    public static string Of(string before, string after, string oldName, string newName)
    {
        var (a, b) = (LinesOf(before), LinesOf(after));
        var steps = Steps(a, b);
        if (steps.TrueForAll(step => step.Kind == Step.Keep))
            return "";
        var text = new StringBuilder();
        text.Append("--- ").Append(oldName).Append('\n').Append("+++ ").Append(newName).Append('\n');
        for (var at = 0; at < steps.Count;)
        {
            var change = steps.FindIndex(at, step => step.Kind != Step.Keep);
            if (change < 0)
                break;
            var start = Math.Max(at, change - Context);
            var (end, keeps) = (change, 0);
            for (; end < steps.Count && keeps <= 2 * Context; end++)
                keeps = steps[end].Kind == Step.Keep ? keeps + 1 : 0;
            end -= Math.Max(0, keeps - Context);
            Write(text, steps, start, end);
            at = end;
        }
        return text.ToString();
    }

    static void Write(StringBuilder text, List<(Step Kind, string Line)> steps, int start, int end)
    {
        int Count(Step other, int from, int to) => steps.Skip(from).Take(to - from).Count(step => step.Kind != other);
        text.Append("@@ -").Append(Range(Count(Step.Add, 0, start), Count(Step.Add, start, end)))
            .Append(" +").Append(Range(Count(Step.Remove, 0, start), Count(Step.Remove, start, end))).Append(" @@\n");
        foreach (var (kind, line) in steps.Skip(start).Take(end - start))
            text.Append(kind switch { Step.Keep => ' ', Step.Remove => '-', _ => '+' }).Append(line).Append('\n');
    }

    /// <summary>An empty range names the line before it.</summary>
    static string Range(int before, int count) =>
        string.Create(CultureInfo.InvariantCulture, $"{(count == 0 ? before : before + 1)}{(count == 1 ? "" : "," + count)}");

    static List<(Step Kind, string Line)> Steps(string[] a, string[] b)
    {
        int head = 0, tail = 0;
        while (head < a.Length && head < b.Length && a[head] == b[head])
            head++;
        while (tail < a.Length - head && tail < b.Length - head && a[^(tail + 1)] == b[^(tail + 1)])
            tail++;
        var steps = new List<(Step, string)>(a.Length + b.Length);
        steps.AddRange(a.Take(head).Select(line => (Step.Keep, line)));
        Middle(a[head..^tail], b[head..^tail], steps);
        steps.AddRange(a.Skip(a.Length - tail).Select(line => (Step.Keep, line)));
        return steps;
    }

    static void Middle(string[] a, string[] b, List<(Step, string)> steps)
    {
        if ((a.Length + 1L) * (b.Length + 1L) > MaxCells)
        {
            steps.AddRange(a.Select(line => (Step.Remove, line)));
            steps.AddRange(b.Select(line => (Step.Add, line)));
            return;
        }
        var common = new int[a.Length + 1, b.Length + 1];
        for (var i = a.Length - 1; i >= 0; i--)
            for (var j = b.Length - 1; j >= 0; j--)
                common[i, j] = a[i] == b[j] ? common[i + 1, j + 1] + 1 : Math.Max(common[i + 1, j], common[i, j + 1]);
        int x = 0, y = 0;
        while (x < a.Length || y < b.Length)
            if (x < a.Length && y < b.Length && a[x] == b[y])
            {
                steps.Add((Step.Keep, a[x]));
                (x, y) = (x + 1, y + 1);
            }
            else if (x < a.Length && (y == b.Length || common[x + 1, y] >= common[x, y + 1]))
            {
                steps.Add((Step.Remove, a[x++]));
            }
            else
            {
                steps.Add((Step.Add, b[y++]));
            }
    }

    static string[] LinesOf(string text)
    {
        var lines = text.ReplaceLineEndings("\n").Split('\n');
        return lines[^1].Length == 0 ? lines[..^1] : lines;
    }
}
