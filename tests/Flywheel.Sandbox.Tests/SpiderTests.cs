using System.Text.Json;
using System.Text.Json.Nodes;
using Flywheel.Core.Metrics;

namespace Flywheel.SandboxTests;

/// <summary>Recorded SQL of eight systems on ten databases, with what really came of it.</summary>
public sealed class SpiderTests
{
    private sealed record Case(string Sql, string Gold, bool Executes, bool MatchesGold);

    [Theory]
    [InlineData("concert_singer")]
    [InlineData("flight_2")]
    public async Task What_does_not_run_is_flagged_and_the_rest_agrees_with_what_was_recorded(string database)
    {
        var cases = Cases(database);
        var file = Path.Combine(Folder, $"db_{database}.sqlite");
        await using var check = new CodeCheck();
        var compile = check.Make("code.sql", $$"""{"database": "{{file}}", "execute": false}""");
        var compare = check.Make("code.sql", $$"""{"database": "{{file}}", "reference": "gold"}""");
        int broken = 0, flagged = 0, cried = 0, agreed = 0;
        foreach (var each in cases)
        {
            var isFlagged = (await CodeCheck.AskAsync(compile, each.Sql)).Outcome == Outcome.Fail;
            broken += each.Executes ? 0 : 1;
            flagged += isFlagged && !each.Executes ? 1 : 0;
            cried += isFlagged && each.Executes ? 1 : 0;
            var passes = (await CodeCheck.AskAsync(compare, each.Sql, new() { ["gold"] = each.Gold })).Outcome == Outcome.Pass;
            agreed += passes == each.MatchesGold ? 1 : 0;
        }

        Assert.True(broken > 0 && flagged >= 0.9 * broken, $"{flagged} of {broken} that do not run");
        Assert.Equal(0, cried);
        Assert.True(agreed >= 0.98 * cases.Count, $"{agreed} of {cases.Count} agree");
    }

    private static string Folder
    {
        get
        {
            if (Environment.GetEnvironmentVariable("FLYWHEEL_DATA") is { Length: > 0 } given)
                return Path.Combine(given, "sql_spider");
            for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
                if (Directory.Exists(Path.Combine(folder.FullName, "shared", "data")))
                    return Path.Combine(folder.FullName, "shared", "data", "sql_spider");
            throw new DirectoryNotFoundException(
                $"No folder above {AppContext.BaseDirectory} holds shared/data. Put the data there or set FLYWHEEL_DATA.");
        }
    }

    private static List<Case> Cases(string database)
    {
        var gold = File.ReadLines(Path.Combine(Folder, "questions.jsonl")).Select(line => JsonNode.Parse(line)!)
            .ToDictionary(question => question["id"]!.GetValue<string>(), question => question["gold_sql"]!.GetValue<string>());
        return [.. File.ReadLines(Path.Combine(Folder, "predictions.jsonl")).Select(line => JsonSerializer.Deserialize<JsonObject>(line)!)
            .Where(row => row["db"]!.GetValue<string>() == database)
            .Select(row => new Case(
                row["sql"]!.GetValue<string>(), gold[row["question_id"]!.GetValue<string>()], row["executes"]!.GetValue<bool>(),
                row["matches_gold"]!.GetValue<bool>()))];
    }
}
