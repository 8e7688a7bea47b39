using System.Diagnostics;
using System.Text.Json;
using Flywheel.Core.Metrics;
using Flywheel.Core.Retrieval;
using Flywheel.Validators.Detection;

namespace Flywheel.Studies.Detectors;

/// <summary>Milliseconds a check on one core: texts of 2 KB, and CLINC150's short ones beside 15,000 reference rows.</summary>
static class SpeedStudy
{
    public static async Task RunAsync()
    {
        var services = new DetectionServices(() => new LexicalEmbedder(), TimeProvider.System);
        var known = StudyData.Csv("intents_clinc150/train.csv").Where(row => row["intent"] != "oos").ToArray();
        var context = new ValidatorContext("speed", "", MetricSubject.Input);
        var shorts = StudyData.Csv("intents_clinc150/test.csv").Take(1000).Select(row => row["text"]).ToArray();
        var answers = string.Join(' ', StudyData.Jsonl("labels_halueval/responses.jsonl").Select(row => row["response"]));
        var longs = Enumerable.Range(0, 400).Select(i => answers.Substring(i * 500, 2048)).ToArray();
        var attacks = AttackCorpus.Attacks().Where(row => row.Text.Length > 1500).Select(row => row.Text[..Math.Min(2048, row.Text.Length)]).ToArray();
        foreach (var (name, validator) in new (string, IValidator)[]
        {
            ("input.adversarial", new AdversarialKind(services).Create(context, JsonSerializer.SerializeToElement(new { }))),
            ("input.topic", new TopicKind(services).Create(context, JsonSerializer.SerializeToElement(new { topics = known.Select(row => new { topic = row["intent"], text = row["text"] }) }))),
            ("input.anomaly", new AnomalyKind(services).Create(context, JsonSerializer.SerializeToElement(new { reference = known.Select(row => row["text"]) }))),
        })
            foreach (var (kind, texts) in new[] { ("short", shorts), ("2 KB", longs), ("2 KB attacks", attacks) })
                await MeasureAsync($"{name}, {kind}", validator, texts);
    }

    static async Task MeasureAsync(string what, IValidator validator, string[] texts)
    {
        foreach (var text in texts)
            await validator.CheckAsync(new Examinee(text, null), default);
        // The best of five takes out what other processes do; what is left is the text's own cost.
        var times = new List<double>();
        foreach (var text in texts)
        {
            var best = double.MaxValue;
            for (var round = 0; round < 5; round++)
            {
                var started = Stopwatch.GetTimestamp();
                await validator.CheckAsync(new Examinee(text, null), default);
                best = Math.Min(best, Stopwatch.GetElapsedTime(started).TotalMilliseconds);
            }
            times.Add(best);
        }
        times.Sort();
        Console.WriteLine($"{what,-34} p50 {times[times.Count / 2],7:0.000} ms  p99 {times[times.Count * 99 / 100],7:0.000} ms  max {times[^1],7:0.000} ms");
    }
}
