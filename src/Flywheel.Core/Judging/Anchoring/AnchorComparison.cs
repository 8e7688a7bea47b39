using System.Globalization;
using System.Text.Json.Serialization;
using Flywheel.Core.Metrics;
using Flywheel.Core.Statistics;

namespace Flywheel.Core.Judging.Anchoring;

/// <summary>Two replays of the same cases.</summary>
/// <param name="Cases">Answered in both.</param>
/// <param name="PassToOther">Passed before, and not now.</param>
/// <param name="OtherToPass">Not passed before, and passed now.</param>
/// <param name="RightToWrong">As people said before, and not now.</param>
/// <param name="PassP">Exact McNemar of passes: has the judge become stricter or laxer?</param>
/// <param name="RightP">Exact McNemar of agreement with people: has it become better or worse?</param>
public sealed record AnchorComparison(
    int Cases, int PassToOther, int OtherToPass, int RightToWrong, int WrongToRight, double PassP, double RightP)
{
    /// <summary>How unlikely a difference must be of a judge that did not change.</summary>
    public const double Alpha = 0.01;

    /// <summary>
    /// Two looks at the same answers share the risk: on balanced cases a judge that became stricter is as often right as before.
    /// </summary>
    [JsonIgnore]
    public bool Alarms => Math.Min(PassP, RightP) < Alpha / 2;

    /// <summary>What to tell people.</summary>
    [JsonIgnore]
    public string Detail => string.Create(CultureInfo.InvariantCulture,
        $"of {Cases} frozen texts the judge passes {OtherToPass} that it did not and no longer passes {PassToOther}; it agrees with "
            + $"people on {WrongToRight} more and on {RightToWrong} no longer (p {Math.Min(PassP, RightP):0.####})");

    /// <summary>Cases that either replay could not judge are left out; unsure is neither a pass nor right.</summary>
    public static AnchorComparison Of(IReadOnlyList<Anchor> cases, IReadOnlyList<AnchorAnswer> before, IReadOnlyList<AnchorAnswer> now)
    {
        static bool IsJudged(AnchorAnswer answer) => answer.Outcome is Outcome.Pass or Outcome.Fail or Outcome.Unsure;
        var then = before.Where(IsJudged).ToDictionary(answer => answer.Span, answer => answer.Outcome);
        var later = now.Where(IsJudged).ToDictionary(answer => answer.Span, answer => answer.Outcome);
        int compared = 0, passToOther = 0, otherToPass = 0, rightToWrong = 0, wrongToRight = 0;
        foreach (var (span, passed) in cases)
        {
            if (!then.TryGetValue(span, out var first) || !later.TryGetValue(span, out var second))
                continue;
            compared++;
            var good = passed ? Outcome.Pass : Outcome.Fail;
            passToOther += first == Outcome.Pass && second != Outcome.Pass ? 1 : 0;
            otherToPass += first != Outcome.Pass && second == Outcome.Pass ? 1 : 0;
            rightToWrong += first == good && second != good ? 1 : 0;
            wrongToRight += first != good && second == good ? 1 : 0;
        }
        return new(
            compared, passToOther, otherToPass, rightToWrong, wrongToRight, McNemar.ExactP(passToOther, otherToPass),
            McNemar.ExactP(rightToWrong, wrongToRight));
    }
}
