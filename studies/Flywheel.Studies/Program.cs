using System.Text.Json.Nodes;
using Flywheel.Studies;

// Tables go to standard error, `--json` prints one value on standard output.
var json = args.Contains("--json");
var check = args.Contains("--check");
var words = args.Where(a => a is not ("--json" or "--check")).ToArray();
JsonNode? result = words switch
{
    ["coverage"] => CoverageStudy.Run(Runs(600)),
    ["coverage", var runs] => CoverageStudy.Run(int.Parse(runs)),
    ["sets"] => SetsStudy.Run(Runs(500)),
    ["labels"] => LabelsStudy.Run(Runs(60)),
    ["failures", var set] => FailuresStudy.Run(set, Runs(20)),
    ["failures", var set, var runs] => FailuresStudy.Run(set, int.Parse(runs)),
    ["judge-loop", var set] => await JudgeLoopStudy.RunAsync(set, Runs(10)),
    ["judge-loop", var set, var runs] => await JudgeLoopStudy.RunAsync(set, int.Parse(runs)),
    ["calibrators"] => CalibratorStudy.Run(Runs(20)),
    ["align"] => await AlignStudy.RunAsync(Runs(200)),
    ["align", var runs] => await AlignStudy.RunAsync(int.Parse(runs)),
    ["calibrate"] => CalibrateStudy.Run(Runs(200)),
    _ => null,
};
if (result is null)
{
    Console.Error.WriteLine(
        """
        usage: Flywheel.Studies [--json] [--check] STUDY
          --check              with the fewest runs, to see that the study works
          coverage [RUNS]      do the intervals of `estimate` hold a known truth? beside other methods
          sets                 the same on recorded judges, 50 labels, 500 resamples
          calibrators          which calibrator on recorded judges, and AURC beside raw confidence
          labels               labels until an interval is so wide: at random, and as the queue draws them
          failures SET [RUNS]  failures found for the labels spent: halueval, evouna, openqa, mrben or xstest
          judge-loop SET [RUNS]  agreement of the offline judge with people against labels given, on the same sets
          align [RUNS]         does the search for better judges promote better ones, and only those?
          calibrate            is the promise above the threshold kept? 200 resamples
        """);
    return 2;
}

if (json)
    Console.WriteLine(result.ToJsonString());
return 0;

int Runs(int all) => check ? 2 : all;
