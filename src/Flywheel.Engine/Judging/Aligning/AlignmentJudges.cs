using Flywheel.Core.Judging;
using Flywheel.Core.Judging.Aligning;
using Flywheel.Core.Metrics;
using Flywheel.Core.Proposals;
using Flywheel.Core.Retrieval;

namespace Flywheel.Engine.Judging.Aligning;

/// <summary>Makes the judges of a search: each candidate once for each part of the labels that it must not have seen.</summary>
sealed class AlignmentJudges
{
    /// <summary>The part that the held-out labels are: judges of it may learn from all labels to choose by.</summary>
    public const int HeldOut = LabelSplit.Folds;

    readonly AlignmentMaterial _material;
    readonly IReadOnlyList<JudgeCandidate> _candidates;
    readonly IReadOnlyList<string> _approved;
    readonly JudgeServices _services;
    readonly Func<int, IReadOnlyList<ProposedGuideline>> _rules;
    readonly TrialExamples[] _examples;
    readonly Dictionary<(int Candidate, int Part), ISelfPayingValidator> _made = [];

    /// <summary>
    /// Of each label to choose by: the parts that hold a text nearly the same, from which it must not be distilled for them.
    /// </summary>
    readonly bool[,] _tellsPart;

    AlignmentJudges(
        AlignmentMaterial material, IReadOnlyList<JudgeCandidate> candidates, IReadOnlyList<string> approved, JudgeServices services,
        Func<int, IReadOnlyList<ProposedGuideline>> rules, TrialExamples[] examples, bool[,] tellsPart, int leftOut)
    {
        (_material, _candidates, _approved, _services, _rules, _examples, _tellsPart, LeftOut) =
            (material, candidates, approved, services, rules, examples, tellsPart, leftOut);
    }

    /// <summary>Approved examples that no judge of the held-out labels is shown, since they would tell answers.</summary>
    public int LeftOut { get; }

    /// <param name="approved">Texts of the approved guidelines.</param>
    /// <param name="rules">Those distilled for a part.</param>
    public static async Task<AlignmentJudges> MakeAsync(
        AlignmentMaterial material, IReadOnlyList<JudgeCandidate> candidates, IReadOnlyList<string> approved, JudgeServices services,
        IEmbedder embedder, IDemonstrationStore store, DateTimeOffset now, Func<int, IReadOnlyList<ProposedGuideline>> rules,
        CancellationToken ct)
    {
        var cases = material.Cases.Select(each => (Case: each, Text: material.Text(each))).Where(each => each.Text is not null).ToArray();
        var alike = await NearDuplicates.OfAsync(
            embedder, [.. cases.Select(each => each.Text!), .. material.Pool.Select(each => each.Input)], ct);
        var parts = material.Split.Fit.Zip(material.Split.Fold).ToDictionary(each => each.First.Label, each => each.Second);
        int PartOf(AlignmentCase of) => parts.GetValueOrDefault(of.Label, HeldOut);

        bool[] Tells(string text, string? trace)
        {
            var told = new bool[LabelSplit.Folds + 1];
            foreach (var (of, other) in cases)
                if (PartOf(of) is var part && !told[part])
                    told[part] = of.Trace == trace || alike.Are(text, other!);
            return told;
        }

        var told = material.Pool.Select(
            example => Tells(example.Input, example.SpanId is { } span ? material.Traces.GetValueOrDefault(span) : null)).ToArray();
        var examples = new TrialExamples[LabelSplit.Folds + 1];
        for (var part = 0; part < examples.Length; part++)
        {
            var index = new DemonstrationIndex(embedder.Fingerprint, embedder.Dimensions);
            foreach (var (i, example) in material.Pool.Index())
                if (!told[i][part] && !told[i][HeldOut] && example.ApprovedAt is { } approvedAt)
                    index.Upsert(new(example.Id, example.Input, example.Output, example.IsFixed, approvedAt, example.Disagreement,
                        example.EndUser, alike.Vector(example.Input)));
            examples[part] = new(index, embedder, store, now);
        }
        var tellsPart = new bool[material.Split.Fit.Count, LabelSplit.Folds + 1];
        for (var i = 0; i < material.Split.Fit.Count; i++)
            if (material.Text(material.Split.Fit[i]) is { } text)
                foreach (var (part, tells) in Tells(text, material.Split.Fit[i].Trace).Index())
                    tellsPart[i, part] = tells;
        return new(material, candidates, approved, services, rules, examples, tellsPart, told.Count(each => each[HeldOut]));
    }

    public ISelfPayingValidator Of(int candidate, int part)
    {
        lock (_made)
        {
            if (_made.TryGetValue((candidate, part), out var known))
                return known;
            var it = _candidates[candidate];
            string[] rules = [.. _approved, .. it.Guidelines ? _rules(part).Select(rule => rule.Text) : []];
            var services = _services with
            {
                Examples = _examples[part],
                Guidelines = new TrialGuidelines(
                    new(ValidatorKind.Hash(string.Join("\n", rules.Select(text => $"{text.Length}:{text}"))), rules)),
            };
            var metric = _material.Metric;
            var made = (ISelfPayingValidator)new JudgeKind(services).Create(
                new ValidatorContext(metric.Name, metric.Criterion, metric.Subject, metric.Project), it.Of(metric.Validator).Settings);
            return _made[(candidate, part)] = made;
        }
    }

    /// <summary>
    /// Where the present judge and people differ, without what would tell a part's answers; with a critique first, the newest first.
    /// </summary>
    public IReadOnlyList<JudgeDisagreement> Disagreements(IReadOnlyList<Finding> present, int part) =>
    [
        .. _material.Split.Fit.Select((of, i) => (Case: of, Index: i))
            .Where(each => !_tellsPart[each.Index, part] && !_tellsPart[each.Index, HeldOut]
                && present[each.Index].Outcome == (each.Case.Passed ? Outcome.Fail : Outcome.Pass) && _material.Text(each.Case) is not null)
            .OrderByDescending(each => each.Case.Critique is not null).ThenByDescending(each => each.Case.At)
            .Select(each => new JudgeDisagreement(
                each.Case.Label, _material.Text(each.Case)!, each.Case.Passed, each.Case.Critique, present[each.Index].Outcome,
                present[each.Index].Reason)),
    ];
}
