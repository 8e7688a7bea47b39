using System.Text.Json.Nodes;
using Flywheel.Bench.Retrieval;

// Tables go to standard error, `--json` prints one object on standard output.
var json = args.Contains("--json");
var words = args.Where(a => a != "--json").ToArray();
JsonNode? result = words switch
{
    ["accuracy", var set] => Accuracy.Test(set),
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
        SET is banking77, clinc150, dstc11 or bitext.
        """);
    return 2;
}

if (json)
    Console.WriteLine(result.ToJsonString());
return 0;
