using Flywheel.Engine.Metrics.Evaluators;
using Microsoft.Extensions.AI.Evaluation;

namespace Flywheel.Tests.Metrics;

/// <summary>The unit test that docs/evaluation.md shows, word for word.</summary>
public sealed class EvaluatorExample
{
    static Task<string> AnswerAsync(string question) => Task.FromResult($"You asked: {question} The shop opens at nine.");

    [Fact]
    public async Task The_answer_is_plain()
    {
        var plain = new FlywheelEvaluator("absent", new { words = new[] { "delve", "crucial" }, inflections = true });

        var question = "When do you open?";
        var result = await plain.EvaluateAsync(question, await AnswerAsync(question), cancellationToken: TestContext.Current.CancellationToken);

        var metric = result.Get<BooleanMetric>("absent");
        Assert.True(metric.Value, metric.Reason);
    }

    [Fact]
    public void The_documentation_shows_this_file()
    {
        var root = new DirectoryInfo(AppContext.BaseDirectory);
        while (root is not null && !File.Exists(Path.Combine(root.FullName, "Flywheel.slnx")))
            root = root.Parent;
        Assert.NotNull(root);
        var page = File.ReadAllText(Path.Combine(root.FullName, "docs", "evaluation.md"));
        var code = File.ReadAllLines(Path.Combine(root.FullName, "tests", "Flywheel.Tests", "Metrics", "EvaluatorExample.cs"));

        var shown = code.SkipWhile(line => line != "    [Fact]").TakeWhile(line => line != "    }").Append("    }").Select(line => line.Length > 4 ? line[4..] : line);

        Assert.Contains(string.Join('\n', shown), page, StringComparison.Ordinal);
    }
}
