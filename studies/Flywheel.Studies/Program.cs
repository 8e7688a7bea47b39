using System.Text.Json.Nodes;
using Flywheel.Studies;

// Tables go to standard error, `--json` prints one value on standard output.
var json = args.Contains("--json");
var words = args.Where(a => a != "--json").ToArray();
JsonNode? result = words switch
{
    ["coverage"] => CoverageStudy.Run(600),
    ["coverage", var runs] => CoverageStudy.Run(int.Parse(runs)),
    _ => null,
};
if (result is null)
{
    Console.Error.WriteLine(
        """
        usage: Flywheel.Studies [--json] STUDY
          coverage [RUNS]      do the intervals of `estimate` hold a known truth? beside other methods
        """);
    return 2;
}

if (json)
    Console.WriteLine(result.ToJsonString());
return 0;
