using System.Text.Json;
using Flywheel.Core.Metrics;
using Flywheel.Core.Statistics;
using Flywheel.Validators.Detection;
using Flywheel.Engine.Models;

namespace Flywheel.Studies.Detectors;

/// <summary>Do <c>input.topic</c> and <c>input.anomaly</c> tell what is out of scope, and do they hold the false-alarm rate they promise?</summary>
static class ScopeStudy
{
    public static async Task RunAsync(string embedder)
    {
        using var models = new ModelRegistry(ModelOptions.Read([KeyValuePair.Create<string, string?>("embeddings:provider", embedder)]));
        var services = new DetectionServices(models.Embedder, TimeProvider.System);
        var clinc = StudyData.Csv("intents_clinc150/train.csv").Where(row => row["intent"] != "oos").ToArray();
        var test = StudyData.Csv("intents_clinc150/test.csv").Concat(StudyData.Csv("intents_clinc150/val.csv")).ToArray();
        await CompareAsync("CLINC150", services, clinc, [.. test.Where(row => row["intent"] != "oos")], [.. test.Where(row => row["intent"] == "oos")]);

        // Another set: banking questions in scope, CLINC150's other domains out of scope.
        await CompareAsync("Banking77 against CLINC150", services, [.. StudyData.Csv("intents_banking77/train.csv")], [.. StudyData.Csv("intents_banking77/test.csv")],
            [.. test.Where(row => row["domain"] is not ("banking" or "credit_cards"))]);
        var three = clinc.Where(row => row["intent"] is "pto_request" or "flight_status" or "recipe").GroupBy(row => row["intent"]).SelectMany(topic => topic.Take(10)).ToArray();
        await CompareAsync("ten texts of each of three topics", services, three, [.. test.Where(row => row["intent"] is "pto_request" or "flight_status" or "recipe")],
            [.. test.Where(row => row["intent"] is not ("pto_request" or "flight_status" or "recipe"))]);
    }

    static async Task CompareAsync(string name, DetectionServices services, Dictionary<string, string>[] known, Dictionary<string, string>[] inside, Dictionary<string, string>[] outside)
    {
        foreach (var falseAlarms in new[] { 0.01, 0.05, 0.10 })
        {
            var topics = new TopicKind(services).Create(new("input.topic", "", MetricSubject.Input), JsonSerializer.SerializeToElement(
                new { topics = known.Select(row => new { topic = row["intent"], text = row["text"] }), false_alarms = falseAlarms }));
            await ReportAsync($"{name}, input.topic, nominal {falseAlarms:P0}", topics, -1, inside, outside);
            if (known.Length < AnomalyKind.Needed(falseAlarms, AnomalyKind.DefaultNeighbours))
                continue;
            var anomaly = new AnomalyKind(services).Create(new("input.anomaly", "", MetricSubject.Input), JsonSerializer.SerializeToElement(
                new { reference = known.Select(row => row["text"]), false_alarms = falseAlarms }));
            await ReportAsync($"{name}, input.anomaly, nominal {falseAlarms:P0}", anomaly, 1, inside, outside);
        }
    }

    static async Task ReportAsync(string what, IValidator validator, int sign, Dictionary<string, string>[] inside, Dictionary<string, string>[] outside)
    {
        var (ordinary, strange) = (await CheckAsync(validator, inside), await CheckAsync(validator, outside));
        var auroc = ConformalSeparation.Auroc(strange.Select(finding => sign * finding.Score!.Value), ordinary.Select(finding => sign * finding.Score!.Value));
        Console.WriteLine($"{what,-62} AUROC {auroc:0.0000}  false alarms {Rate(ordinary),6:P1} of {ordinary.Length}  caught {Rate(strange),6:P1} of {strange.Length}");
    }

    static double Rate(Finding[] findings) => (double)findings.Count(finding => finding.Outcome == Outcome.Fail) / findings.Length;

    static async Task<Finding[]> CheckAsync(IValidator validator, Dictionary<string, string>[] rows)
    {
        var findings = new Finding[rows.Length];
        for (var i = 0; i < rows.Length; i++)
            findings[i] = await validator.CheckAsync(new Examinee(rows[i]["text"], null), default);
        return findings;
    }
}
