using System.Text.Json;

namespace Flywheel.Server.Tests;

/// <summary>estimate, calibrate and agreement on plain files.</summary>
public sealed class StatisticsCommandTests : IDisposable
{
    readonly string _folder = Directory.CreateTempSubdirectory("flywheel-statistics-").FullName;

    static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Estimate_prints_one_object_with_every_rate_and_what_it_rests_on()
    {
        await WriteAsync("f.jsonl", Enumerable.Range(0, 400).Select(i =>
            $$"""{"judge": {{(i % 97 == 0 ? "null" : i % 5 != 0 ? "true" : "false")}}, "human": {{(i >= 80 ? "null" : i % 5 != 0 || i % 10 == 0 ? "true" : "false")}}, "kind": "{{(i % 2 == 0 ? "a" : "b")}}"}"""));

        var answer = await JsonAsync("estimate --in f.jsonl --stratum kind --json");

        foreach (var rate in new[] { "pass_rate", "tpr", "tnr", "kappa", "judge_only", "human_only" })
        {
            var it = answer.GetProperty(rate);
            Assert.True(it.GetProperty("low").GetDouble() <= it.GetProperty("median").GetDouble(), rate);
            Assert.True(it.GetProperty("median").GetDouble() <= it.GetProperty("high").GetDouble(), rate);
        }
        Assert.Equal((80, 400, 5),
            (answer.GetProperty("n").GetInt32(), answer.GetProperty("N").GetInt32(), answer.GetProperty("unparsable").GetInt32()));
        Assert.InRange(answer.GetProperty("pass_rate").GetProperty("median").GetDouble(), 0.85, 0.93);
        Assert.InRange(answer.GetProperty("judge_only").GetProperty("median").GetDouble(), 0.79, 0.81);
        Assert.Equal(["a", "b"], answer.GetProperty("strata").EnumerateArray().Select(slice => slice.GetProperty("stratum").GetString()));
    }

    [Fact]
    public async Task Calibrate_finds_a_threshold_and_agreement_its_ceiling()
    {
        await WriteAsync("c.jsonl", Enumerable.Range(0, 300).Select(i =>
            $$"""{"confidence": {{(i % 2 == 0 ? "0.95" : "0.6")}}, "judge": true, "human": {{(i % 2 == 0 ? i % 60 != 0 : i % 3 != 0 ? true : false).ToString().ToLowerInvariant()}}, "features": {"length": {{i % 7}} } }"""));
        await WriteAsync("a.jsonl", Enumerable.Range(0, 60).SelectMany(i => new[]
        {
            $$"""{"item": {{i}}, "rater": "ana", "value": {{(i % 2 == 0).ToString().ToLowerInvariant()}}}""",
            $$"""{"item": {{i}}, "rater": "ben", "value": {{(i % 2 == 0 && i % 10 != 0).ToString().ToLowerInvariant()}}}""",
        }));

        var calibrated = await JsonAsync("calibrate --in c.jsonl --alpha 0.1 --delta 0.1 --json");
        var agreement = await JsonAsync("agreement --in a.jsonl --json");

        Assert.InRange(calibrated.GetProperty("threshold").GetDouble(), 0.6001, 0.95);
        Assert.Equal(0.5, calibrated.GetProperty("coverage").GetDouble());
        Assert.Equal(0, calibrated.GetProperty("labels_needed").GetInt32());
        Assert.True(calibrated.GetProperty("log_loss").GetDouble() < calibrated.GetProperty("raw").GetProperty("log_loss").GetDouble()
            + 0.01);
        Assert.True(calibrated.GetProperty("brier").GetDouble() > 0 && calibrated.GetProperty("aurc").GetDouble() > 0);
        Assert.Equal("ridge-platt", calibrated.GetProperty("calibrator").GetProperty("kind").GetString());
        Assert.Equal(0.8, agreement.GetProperty("kappa").GetProperty("value").GetDouble(), 3);
        Assert.True(agreement.GetProperty("alpha").GetProperty("low").GetDouble() < agreement.GetProperty("alpha").GetProperty("high")
            .GetDouble());
    }

    [Fact]
    public async Task Too_few_labels_is_an_answer()
    {
        await WriteAsync("f.csv", ["judge,human,confidence", "true,true,0.9", "false,,0.8"]);

        var estimated = await JsonAsync("estimate --in f.csv --json");
        var calibrated = await JsonAsync("calibrate --in f.csv --json");

        Assert.Contains("not enough labels: about 19 more", estimated.GetProperty("note").GetString(), StringComparison.Ordinal);
        Assert.Equal(JsonValueKind.Null, calibrated.GetProperty("threshold").ValueKind);
        Assert.True(calibrated.GetProperty("labels_needed").GetInt32() > 20);
    }

    [Theory]
    [InlineData("estimate", """{"judge": true, "human": "yes"}""", 1, "f.jsonl, line 2: `human` is \"yes\": write true or false")]
    [InlineData("estimate", """{"judge": 1}""", 1, "f.jsonl, line 2: `judge` is 1: write true or false")]
    [InlineData("estimate", """{"human": true}""", 1, "f.jsonl, line 2: the field `judge` is missing")]
    [InlineData("estimate", """{"judge": true, "human": true, "propensity": 1.2}""", 1,
        "`propensity` is 1.2: write a number above 0 and at most 1")]
    [InlineData("estimate --stratum kind", """{"judge": true}""", 1, "no row has the field `kind`")]
    [InlineData("calibrate", """{"judge": true, "human": true, "confidence": 7}""", 1, "`confidence` is 7: write a number from 0 to 1")]
    [InlineData("calibrate", """{"judge": true, "confidence": 0.9, "features": {"length": "long"}}""", 1,
        "f.jsonl, line 2: `features.length` is \"long\": write a number")]
    [InlineData("calibrate", """{"judge": true, "confidence": 0.9, "features": 3}""", 1,
        "f.jsonl, line 2: `features` is 3: write an object of numbers")]
    [InlineData("calibrate --alpha 1.5", """{"judge": true, "confidence": 1}""", 2, "--alpha is 1.5: give a number between 0 and 1")]
    [InlineData("agreement", """{"item": 1, "rater": "a", "value": true}""", 1, "f.jsonl, line 1: the field `item` is missing")]
    public async Task A_mistake_is_named_with_its_line_and_field(string command, string second, int code, string message)
    {
        await WriteAsync("f.jsonl", ["""{"judge": true, "human": null, "confidence": 0.9}""", second]);

        var (exit, _, errors) = await RunAsync(command + " --in f.jsonl");

        Assert.Contains(message, errors, StringComparison.Ordinal);
        Assert.Equal(code, exit);
    }

    [Fact]
    public async Task Features_may_be_a_list_or_lack_a_value_and_a_label_without_propensity_is_picked()
    {
        await WriteAsync("f.jsonl", Enumerable.Range(0, 80).Select(i => i switch
        {
            0 => """{"confidence": 0.9, "judge": true, "human": false}""",
            1 => """{"confidence": 0.9, "judge": true, "human": true, "propensity": 0.1, "features": [null, 1]}""",
            _ => $$"""{"confidence": 0.9, "judge": true, "human": {{(i % 9 != 0 ? "true" : "false")}}, "propensity": {{(i % 2 == 0 ? "0.1" : "0.2")}}, "features": [{{i % 5}}, 1]}""",
        }));

        var it = await JsonAsync("calibrate --in f.jsonl --json");

        Assert.Equal((79, 80, 1), (it.GetProperty("n").GetInt32(), it.GetProperty("N").GetInt32(), it.GetProperty("picked").GetInt32()));
        Assert.Contains("2 rows lack a feature", it.GetProperty("note").GetString(), StringComparison.Ordinal);
        Assert.Contains("different propensities", it.GetProperty("note").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_table_spells_out_what_its_numbers_mean()
    {
        await WriteAsync("f.jsonl", Enumerable.Repeat("""{"judge": true, "human": true}""", 30));

        // How wide a table is depends on the console: that of a process is none.
        var (exit, output, _) = await CommandLine.RunProcessAsync("estimate --in f.jsonl", _folder);

        Assert.Equal(0, exit);
        foreach (var word in new[] { "30 labels of people (n)", "TNR", "judge only", "human only", "95 % interval" })
            Assert.Contains(word, output, StringComparison.Ordinal);
    }

    Task WriteAsync(string file, IEnumerable<string> lines) => File.WriteAllLinesAsync(Path.Combine(_folder, file), lines, Ct);

    async Task<JsonElement> JsonAsync(string line)
    {
        var (exit, output, errors) = await RunAsync(line);
        Assert.True(exit == 0, errors);
        return JsonDocument.Parse(output).RootElement;
    }

    Task<(int Exit, string Output, string Errors)> RunAsync(string line) => CommandLine.RunAsync(line, _folder);

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
