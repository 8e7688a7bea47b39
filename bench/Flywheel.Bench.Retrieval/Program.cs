using System.Text.Json.Nodes;
using Flywheel.Bench.Retrieval;

// Tables go to standard error, `--json` prints one object on standard output.
var json = args.Contains("--json");
var peer = Array.IndexOf(args, "--peer") is >= 0 and var at && at + 1 < args.Length ? args[at + 1] : null;
var data = Array.IndexOf(args, "--data") is >= 0 and var named && named + 1 < args.Length ? args[named + 1] : "spread";
var words = args.Where((a, i) => !a.StartsWith("--", StringComparison.Ordinal) && (i == 0 || args[i - 1] is not ("--peer" or "--data"))).ToArray();
JsonNode? result = words switch
{
    ["accuracy", var set] => Accuracy.Test(set),
    ["speed", .. var sizes] => Speed.Run(data, sizes.Length == 0 ? [1_000, 10_000, 100_000] : [.. sizes.Select(int.Parse)], peer),
    ["review", var set] => ReviewCurve.Run(set, seeds: 3),
    ["review", var set, var seeds] => ReviewCurve.Run(set, int.Parse(seeds)),
    ["cross-validate", var set] => Accuracy.CrossValidate(set, Accuracy.Ablations()),
    _ => null,
};
if (result is null)
{
    Console.Error.WriteLine(
        """
        usage: Flywheel.Bench.Retrieval [--json] COMMAND
          accuracy SET         all training rows as demonstrations, tested on the test rows
          cross-validate SET   what each part of the policy is worth, on training rows only
          speed [ROWS...] [--data spread|narrow|texts|alike] [--peer FOLDER]
                               a whole retrieval beside a bare 8-bit scan of the same vectors, in turns, one thread,
                               and beside hnswlib when FOLDER has the package hnswlib-node
          review SET [SEEDS]   accuracy against labels spent, the product's choice beside a random one
        SET is banking77, clinc150, dstc11 or bitext.
        """);
    return 2;
}

if (json)
    Console.WriteLine(result.ToJsonString());
return 0;
