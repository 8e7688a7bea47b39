using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Flywheel.Core.Projects;
using Flywheel.Engine.Metrics;
using Flywheel.Engine.Packs;
using Flywheel.Server.Features.Packs;

namespace Flywheel.Server.Cli;

/// <summary>Metric packs of a project's database: what there is, what it would say, switching on.</summary>
static class PacksCommand
{
    public static Command Create() => new("packs", "Manage sets of metrics for a kind of node") { List(), Preview(), Activate() };

    static Command List()
    {
        var json = CommonOptions.Json();
        var command = new Command("list", "List the packs and their metrics") { json };
        command.SetAction(parsed =>
        {
            if (parsed.GetValue(json))
                Output.Json(PackList.Of(MetricPack.All));
            else
                foreach (var pack in MetricPack.All)
                    Show(pack);
            return ExitCodes.Ok;
        });
        return command;
    }

    static Command Preview()
    {
        var (name, settings, nodes) = (Name(), Settings(), Nodes());
        var (db, project, json) = (CommonOptions.Db(), CommonOptions.Project(), CommonOptions.Json());
        var last = new Option<int>("--last") { Description = "Number of newest spans, 1 to 2000", DefaultValueFactory = _ => 200 };
        var command = new Command(
            "preview", "Print the outcomes of a pack on the newest spans and the cost of its judges, and store nothing")
        {
            name, last, nodes, settings, db, project, json,
        };
        command.SetAction((parsed, ct) => WithAsync(parsed, db, project, async (packs, caller) =>
        {
            var request = new PackPreviewRequest(
                new(parsed.GetValue(last)), Given(parsed.GetValue(nodes)), Read(parsed.GetValue(settings) ?? []));
            var result = PackPreviewView.Of(await packs.PreviewAsync(caller, parsed.GetValue(name)!, request, ct));
            if (parsed.GetValue(json))
                Output.Json(result);
            else
                Show(result);
        }, ct));
        return command;
    }

    static Command Activate()
    {
        var (name, settings, nodes) = (Name(), Settings(), Nodes());
        var (db, project, json) = (CommonOptions.Db(), CommonOptions.Project(), CommonOptions.Json());
        var judges = new Option<bool>("--judges") { Description = "Also activate metrics that call a model" };
        var only = new Option<string[]>("--only") { Description = "Only this metric of the pack. Can be repeated" };
        var command = new Command("activate", "Activate the metrics of a pack; a second activation has no effect")
        {
            name, only, nodes, settings, judges, db, project, json,
        };
        command.SetAction((parsed, ct) => WithAsync(parsed, db, project, async (packs, caller) =>
        {
            var pack = parsed.GetValue(name)!;
            var request = new PackActivationRequest(
                Given(parsed.GetValue(nodes)), Read(parsed.GetValue(settings) ?? []), Given(parsed.GetValue(only)),
                parsed.GetValue(judges));
            var done = PackActivated.Of(pack, await packs.ActivateAsync(caller, pack, request, ct));
            if (parsed.GetValue(json))
                Output.Json(done);
            else
                foreach (var each in done.Metrics)
                    Console.WriteLine($"{each.Result,-10} {each.Name}{(each.Reason is null ? "" : ": " + each.Reason)}");
        }, ct));
        return command;
    }

    static async Task<int> WithAsync(
        ParseResult parsed, Option<string?> db, Option<string> project, Func<PackService, Caller, Task> work, CancellationToken ct)
    {
        await using var store = await CommonOptions.OpenAsync(parsed.GetValue(db), ct);
        var home = await CommonOptions.ProjectAsync(store, parsed.GetValue(project)!, ct);
        await using var engine = CommandEngine.Over(store, parsed.GetValue(db));
        await work(engine.Get<PackService>(), CommandCaller.Of(home));
        return ExitCodes.Ok;
    }

    static void Show(MetricPack pack)
    {
        Console.WriteLine($"{pack.Name}: {pack.Summary}");
        foreach (var each in pack.Metrics)
        {
            var needs = each.Needs is null ? "" : $" (needs {string.Join(", ", each.Needs.Keys.Select(name => $"`{name}`"))})";
            Console.WriteLine($"  {each.Name,-24} {each.Metric.Criterion}{needs}");
        }
    }

    static void Show(PackPreviewView preview)
    {
        Console.WriteLine($"{preview.Pack} on the newest {preview.Spans:N0} spans:");
        foreach (var metric in preview.Metrics)
        {
            var outcomes = metric.Outcomes.Where(each => each.Value > 0).Select(each => $"{each.Value:N0} {each.Key}");
            var calls = metric.Calls == 0 ? [] : (string[])[string.Create(
                CultureInfo.InvariantCulture, $"{metric.Calls:N0} spans would go to a model, at most {metric.EstimatedUsd:0.####} USD")];
            Console.WriteLine($"  {metric.Name,-24} {string.Join(", ", outcomes.Concat(calls))}");
            foreach (var example in metric.Examples.Where(example => example.Outcome is "fail" or "error" or "unsure").Take(2))
                Console.WriteLine($"    {example.Outcome} {example.TraceId}/{example.SpanId}: {example.Reason}");
        }
        foreach (var each in preview.NotPreviewed)
            Console.WriteLine($"  {each.Name,-24} {each.Reason}");
    }

    static Argument<string> Name() => new("name") { Description = "Pack: " + MetricPack.Names };

    static Option<string[]> Nodes() => new("--node") { Description = "Only this node. Can be repeated" };

    static Option<string[]> Settings() => new("--set") 
    {
        Description = "METRIC.SETTING=JSON, such as 'classifier.known.values=[\"billing\"]'. Can be repeated",
    };

    static string[]? Given(string[]? values) => values is { Length: > 0 } ? values : null;

    static Dictionary<string, IReadOnlyDictionary<string, JsonElement>> Read(string[] settings)
    {
        var read = new Dictionary<string, IReadOnlyDictionary<string, JsonElement>>();
        foreach (var each in settings)
        {
            var at = each.IndexOf('=', StringComparison.Ordinal);
            var dot = at < 0 ? -1 : each.LastIndexOf('.', at);
            if (dot <= 0)
                throw new UsageException($"--set `{each}`: write METRIC.SETTING=JSON, such as 'classifier.known.values=[\"billing\"]'.");
            if (!read.TryGetValue(each[..dot], out var own))
                read[each[..dot]] = own = new Dictionary<string, JsonElement>();
            try
            {
                ((Dictionary<string, JsonElement>)own)[each[(dot + 1)..at]] = JsonSerializer.Deserialize<JsonElement>(each[(at + 1)..]);
            }
            catch (JsonException)
            {
                throw new UsageException($"--set `{each}`: what follows `=` is no JSON; put quotation marks around a text.");
            }
        }
        return read;
    }
}
