using System.Text.Json.Nodes;
using Flywheel.Bench.Retrieval;

// Tables go to standard error, `--json` prints one object on standard output.
var given = args.ToList();
var json = given.Remove("--json");
var check = given.Remove("--check");
var (peer, data) = (Option("--peer"), Option("--data") ?? "spread");
var words = given.ToArray();
JsonNode? result = words switch
{
    ["accuracy", var set] => Accuracy.Test(set),
    ["speed", .. var sizes] when sizes.All(size => int.TryParse(size, out _)) =>
        Speed.Run(data, check ? [1_000] : sizes.Length == 0 ? [1_000, 10_000, 100_000] : [.. sizes.Select(int.Parse)], peer),
    ["review", var set] => ReviewCurve.Run(set, seeds: 3, check),
    ["review", var set, var seeds] => ReviewCurve.Run(set, int.Parse(seeds), check),
    ["cross-validate", var set] => Accuracy.CrossValidate(set, Accuracy.Ablations()),
    _ => null,
};
if (result is null)
{
    Console.Error.WriteLine(
        """
        usage: Flywheel.Bench.Retrieval [--json] [--check] COMMAND
          --check              as little of it as shows that the benchmark works
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

// A missing value leaves the name among the words, which fit no command then.
string? Option(string name)
{
    if (given.IndexOf(name) is not (>= 0 and var at) || at + 1 >= given.Count)
        return null;
    var value = given[at + 1];
    given.RemoveRange(at, 2);
    return value;
}
