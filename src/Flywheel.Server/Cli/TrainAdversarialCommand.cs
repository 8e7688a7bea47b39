using System.CommandLine;
using Flywheel.Core;
using Flywheel.Validators.Detection.Adversarial;
using Flywheel.Server.Files;

namespace Flywheel.Server.Cli;

/// <summary>Trains the weights of <c>input.adversarial</c> on a user's own rows.</summary>
static class TrainAdversarialCommand
{
    public static Command Create()
    {
        var attacks = new Option<string>(
            "--in") { Description =
                "JSONL or CSV rows {text, source?} with attacks; rows with a `label` other than attack are ordinary inputs",
                Required = true };
        var benign = new Option<string[]>(
            "--benign") { Description = "JSONL or CSV rows {text} with ordinary inputs, such as your own traffic. Can be repeated",
            Required = true };
        var output = new Option<string>("--out") { Description = "File for the weights", DefaultValueFactory = _ => "attacks.fwm" };
        var families = new Option<int>(
            "--families") { Description = "Number of sentences per built-in template; 0: only your rows", DefaultValueFactory = _ => 120 };
        var seed = new Option<int>(
            "--seed") { Description = "Seed; the same rows and seed give the same weights", DefaultValueFactory = _ => 1 };
        var json = CommonOptions.Json();
        var command = new Command(
            "train-adversarial", "Train the weights of input.adversarial on your own attacks and traffic") { attacks, benign, output,
            families, seed, json };
        command.SetAction(parsed =>
        {
            AttackRow[] rows =
            [
                .. Read(parsed.GetValue(attacks)!, (row, text) =>
                    new AttackRow(text, (JsonFields.Text(row, "label") ?? "attack") == "attack",
                        JsonFields.Text(row, "source") ?? "yours")),
                .. parsed.GetValue(benign)!.SelectMany(file => Read(file, (_, text) => new AttackRow(text, false, "traffic"))),
            ];
            if (parsed.GetValue(families) == 0 && !rows.Any(row => row.IsAttack))
                throw new FlywheelException(
                    $"{parsed.GetValue(attacks)} holds no attack, and --families 0 leaves the built-in ones out: give attacks.");
            AttackModel model;
            try
            {
                model = AttackTraining.Train(
                    rows, "trained by `flywheel models train-adversarial`", parsed.GetValue(families), parsed.GetValue(seed));
            }
            catch (ArgumentException error)
            {
                throw new FlywheelException(error.Message);
            }
            var path = parsed.GetValue(output)!;
            using (var file = File.Create(path))
                model.Write(file);
            var (learned, ordinary) = (rows.Count(row => row.IsAttack), rows.Count(row => !row.IsAttack));
            if (parsed.GetValue(json))
                Output.Json(new { path, attacks = learned, ordinary, threshold = model.Threshold, version = model.Version });
            else
                Console.WriteLine($"{path}: weights {model.Version} from {learned:N0} attacks and {ordinary:N0} ordinary texts. Use them "
                    + $"with `--set model={path}`.");
            return ExitCodes.Ok;
        });
        return command;
    }

    static IEnumerable<AttackRow> Read(string path, Func<System.Text.Json.JsonElement, string, AttackRow> row) =>
        RowFile.Read(path).Select(each => row(each.Row, RowFile.Required(each.Row, "text", path, each.Line)));
}
