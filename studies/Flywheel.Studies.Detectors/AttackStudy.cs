using System.Text.Json;
using Flywheel.Core.Metrics;
using Flywheel.Validators.Detection;
using Flywheel.Validators.Detection.Adversarial;

namespace Flywheel.Studies.Detectors;

/// <summary>Does <c>input.adversarial</c> see attacks of a source that it has not learned from, and leave ordinary texts alone?</summary>
static class AttackStudy
{
    public static void Run(bool showMisses)
    {
        Console.WriteLine("input.adversarial, each source left out of the training in turn; benign sets are never trained on");
        foreach (var source in new[] { "in-the-wild-jailbreaks", "BIPIA" })
        {
            var model = AttackTraining.Train([.. AttackCorpus.Attacks().Where(row => row.Source != source), .. AttackCorpus.Ordinary(withNotInject: false)], "study");
            Console.WriteLine($"\nwithout {source} (threshold {model.Threshold:0.00}):");
            foreach (var kind in AttackCorpus.Attacks(byKind: true).Where(row => row.Source.StartsWith(source, StringComparison.Ordinal)).GroupBy(row => row.Source))
                Report($"  recall on {kind.Key}", model, [.. kind.Select(row => row.Text)], showMisses, misses: true);
            Benign(model, showMisses);
        }
        Console.WriteLine("\nas the shipped weights are trained, with NotInject and XSTest among the ordinary rows, less one source of attacks:");
        foreach (var source in new[] { "in-the-wild-jailbreaks", "BIPIA" })
        {
            var shipped = AttackTraining.Train([.. AttackCorpus.Attacks().Where(row => row.Source != source), .. AttackCorpus.Ordinary(withNotInject: true, withTests: true)], "study");
            foreach (var kind in AttackCorpus.Attacks(byKind: true).Where(row => row.Source.StartsWith(source, StringComparison.Ordinal)).GroupBy(row => row.Source))
                Report($"  recall on {kind.Key} (threshold {shipped.Threshold:0.00})", shipped, [.. kind.Select(row => row.Text)], false, misses: true);
        }
        Console.WriteLine("\nonly the families, no public attack:");
        var alone = AttackTraining.Train(AttackCorpus.Ordinary(withNotInject: false), "study");
        foreach (var kind in AttackCorpus.Attacks(byKind: true).GroupBy(row => row.Source))
            Report($"  recall on {kind.Key}", alone, [.. kind.Select(row => row.Text)], false, misses: true);
        Benign(alone, false);
        Console.WriteLine("\nonly the rules, no wording:");
        foreach (var kind in AttackCorpus.Attacks(byKind: true).GroupBy(row => row.Source))
            Report($"  recall on {kind.Key}", null, [.. kind.Select(row => row.Text)], false, misses: true);
        Benign(null, false);
    }

    static void Benign(AttackModel? model, bool show)
    {
        foreach (var (name, texts) in AttackCorpus.Benign())
            Report($"  false alarms on {name}", model, texts, show, misses: false);
    }

    static void Report(string what, AttackModel? model, IReadOnlyList<string> texts, bool show, bool misses)
    {
        var validator = AdversarialKind.For(model ?? AttackModel.RulesOnly);
        var findings = texts.Select(text => (Text: text, Finding: Check(validator, text))).ToArray();
        var flagged = findings.Count(each => each.Finding.Outcome == Outcome.Fail);
        Console.WriteLine($"{what,-62} {flagged,5} of {texts.Count,5} = {100.0 * flagged / texts.Count,5:0.0} %");
        if (show)
            foreach (var (text, finding) in findings.Where(each => (each.Finding.Outcome == Outcome.Fail) != misses).Take(25))
                Console.WriteLine($"      {finding.Score:0.00} {JsonSerializer.Serialize(text.Length > 160 ? text[..160] : text)} {finding.Reason}");
    }

    static Finding Check(IValidator validator, string text) => validator.CheckAsync(new Examinee(text, null), default).AsTask().Result;
}
