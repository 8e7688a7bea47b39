using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Flywheel.Core;
using Flywheel.Core.Datasets;
using Flywheel.Engine.Datasets;
using Flywheel.Server.Features.Datasets;
using Flywheel.Server.Files;
using Spectre.Console;

namespace Flywheel.Server.Cli;

static class DatasetsCommand
{
    const int ShownItems = 10;

    public static Command Create() => new("datasets", "Manage data sets for evaluations")
    {
        List(), Make(), Show(), Add(), Remove(), Export(), Diff(), Delete(),
    };

    static Command List()
    {
        var common = new ProjectOptions();
        var command = new Command("list", "List the data sets with their newest versions") { common.Db, common.Project, common.Json };
        command.SetAction((parsed, ct) => common.RunAsync<DatasetService>(parsed, async (datasets, caller, json) =>
        {
            var found = await datasets.ListAsync(caller, ct);
            if (json)
            {
                Output.Json(found.Select(DatasetView.Of));
                return;
            }
            if (found.Count == 0)
            {
                Console.WriteLine("There are no data sets: `flywheel datasets add NAME --file rows.jsonl` or `--from-traces` makes one.");
                return;
            }
            var table = new Table().Border(TableBorder.Simple).AddColumns("name", "version", "items", "changed", "description");
            foreach (var dataset in found)
                table.AddRow(
                    Markup.Escape(dataset.Name), dataset.Latest is { } latest ? latest.Number.ToString(CultureInfo.InvariantCulture) : "-",
                    (dataset.Latest?.Items ?? 0).ToString("N0", CultureInfo.InvariantCulture),
                    (dataset.Latest?.CreatedAt ?? dataset.CreatedAt).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
                    Markup.Escape(dataset.Description ?? ""));
            Output.People.Write(table);
        }, ct));
        return command;
    }

    static Command Make()
    {
        var (common, name, author) = (new ProjectOptions(), Name(), Author());
        var description = new Option<string?>("--description") { Description = "Purpose of the data set" };
        var command = new Command(
            "create", "Create an empty data set") { name, description, author, common.Db, common.Project, common.Json };
        command.SetAction((parsed, ct) => common.RunAsync<DatasetService>(parsed, async (datasets, caller, json) =>
        {
            var (dataset, isNew) = await datasets.CreateAsync(
                caller.For(parsed.GetValue(author)), parsed.GetValue(name)!, parsed.GetValue(description), ct);
            if (json)
                Output.Json(DatasetView.Of(dataset));
            else
                Console.WriteLine(isNew ? $"Made data set `{dataset.Name}`." : $"Data set `{dataset.Name}` is there already.");
        }, ct, mayCreate: true));
        return command;
    }

    static Command Show()
    {
        var common = new ProjectOptions();
        var name = new Argument<string>("name") { Description = "NAME or NAME@VERSION" };
        var items = new Option<int>("--items") { Description = "Number of items to print", DefaultValueFactory = _ => ShownItems };
        var command = new Command(
            "show", "Print the versions of a data set and the first items of one version") { name, items, common.Db, common.Project,
            common.Json };
        command.SetAction((parsed, ct) => common.RunAsync<DatasetService>(parsed, async (datasets, caller, json) =>
        {
            if (parsed.GetValue(items) is < 0 or > 10_000)
                throw new UsageException("--items must be from 0 to 10000; `flywheel datasets export` gives all.");
            var (which, number) = DatasetReference.Parse(parsed.GetValue(name)!);
            var dataset = await datasets.GetAsync(caller, which, ct);
            var version = dataset.Latest is null
                && number == DatasetVersion.Newest ? null : await datasets.VersionAsync(caller, which, number, ct);
            var versions = await datasets.VersionsAsync(caller, which, ct);
            var first = version is null
                ? []
                : await datasets.ItemsAsync(caller, version, null, ct).Take(parsed.GetValue(items)).ToListAsync(ct);
            if (json)
            {
                Output.Json(new
                {
                    dataset = DatasetView.Of(dataset), versions = versions.Select(DatasetVersionView.Of), version = version?.Number,
                    items = first.Select(DatasetItemView.Of),
                });
                return;
            }
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{dataset.Name}, made by {dataset.Author}, "
                    + $"{dataset.CreatedAt:yyyy-MM-dd}{(dataset.Description is null ? "" : $": {dataset.Description}")}"));
            if (version is null)
            {
                Console.WriteLine("It has no version: add items first.");
                return;
            }
            var table = new Table().Border(TableBorder.Simple)
                .AddColumns("version", "items", "added", "removed", "erased", "made", "content", "note");
            foreach (var each in versions)
                table.AddRow(
                    each.Number.ToString(CultureInfo.InvariantCulture), each.Items.ToString("N0", CultureInfo.InvariantCulture),
                    each.Added.ToString("N0", CultureInfo.InvariantCulture), each.Removed.ToString("N0", CultureInfo.InvariantCulture),
                    each.Erased.ToString("N0", CultureInfo.InvariantCulture),
                    each.CreatedAt.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture), each.ContentHash[..8],
                    Markup.Escape(Short(each.Note ?? "", 40)));
            Output.People.Write(table);
            foreach (var item in first)
                Print(item, "");
            if (version.Items > first.Count)
                Console.WriteLine(string.Create(
                    CultureInfo.InvariantCulture, $"... of {version.Items:N0} items in version {version.Number}."));
        }, ct));
        return command;
    }

    static Command Add()
    {
        var (common, name, author) = (new ProjectOptions(), Name(), Author());
        var file = new Option<string?>("--file") { Description = "JSONL, CSV or Parquet rows; other fields become attributes" };
        var input = new Option<string>("--input-field") { Description = "Field with the input", DefaultValueFactory = _ => "input" };
        var expectedField = new Option<string?>(
            "--expected-field") { Description = "Field with the expected output (default: expected, else reference)" };
        var splitField = new Option<string>("--split-field") { Description = "Field with the split", DefaultValueFactory = _ => "split" };
        var traces = new Option<bool>("--from-traces") { Description = "Add spans of the project that meet all of the conditions below" };
        var node = new Option<string?>("--node") { Description = "Only spans of this node" };
        var kind = new Option<string?>(
            "--kind") { Description = "Only spans of this kind: " + Core.Metrics.Wire.Choices<Core.Traces.NodeKind>() };
        var metric = new Option<string?>("--metric") { Description = "Metric of --outcome and --label" };
        var outcome = new Option<string?>(
            "--outcome") { Description = "Newest verdict: " + Core.Metrics.Wire.Choices<Core.Metrics.Outcome>() };
        var label = new Option<string?>("--label") { Description = "Newest label: pass or fail" };
        var corrected = new Option<bool?>(
            "--corrected") { Description = "true: only spans that a person corrected or confirmed; false: only the others" };
        var since = new Option<DateTimeOffset?>("--since") { Description = "Only spans that started at this time or later" };
        var until = new Option<DateTimeOffset?>("--until") { Description = "Only spans that started before this time" };
        var session = new Option<string?>("--session") { Description = "Only spans of this session" };
        var user = new Option<string?>("--user") { Description = "Only spans of this end user" };
        var feedback = new Option<string?>(
            "--feedback") { Description = "Only spans with this feedback, NAME or NAME=JSON, such as thumbs=\"up\"" };
        var prompt = new Option<string?>("--prompt") { Description = "Only spans that used this prompt, NAME or NAME@NUMBER" };
        var expected = new Option<string?>(
            "--expected") { Description =
                $"Source of the expected output: {Core.Metrics.Wire.Choices<ExpectedFrom>()} (default: correction)" };
        var keep = new Option<bool>("--keep-output") { Description = "Store the output of the span as the attribute `output`" };
        var limit = new Option<int>("--limit") { Description = "Maximum number of spans", DefaultValueFactory = _ => 1_000 };
        var sample = new Option<bool>("--sample") { Description = "Draw the spans at random; otherwise take the newest" };
        var seed = new Option<long>("--seed") { Description = "Seed of the sample", DefaultValueFactory = _ => 0 };
        var split = new Option<string?>("--split") { Description = "Split of the items from traces" };
        var preview = new Option<bool>("--preview") { Description = "Print what --from-traces would add, and store nothing" };
        var note = new Option<string?>("--note") { Description = "Note of the new version" };
        var command = new Command(
            "add", "Add rows of a file, or spans, as the next version; existing content adds nothing; creates the data set if it does not "
                + "exist")
        {
            name, file, input, expectedField, splitField, traces, node, kind, metric, outcome, label, corrected, since, until, session,
            user, feedback,
            prompt, expected, keep, limit, sample, seed, split, preview, note, author, common.Db, common.Project, common.Json,
        };
        command.SetAction((parsed, ct) => common.RunAsync<DatasetService>(parsed, async (datasets, caller, json) =>
        {
            var dataset = parsed.GetValue(name)!;
            var person = caller.For(parsed.GetValue(author));
            if (parsed.GetValue(file) is null == !parsed.GetValue(traces))
                throw new UsageException("Give either --file FILE or --from-traces.");
            if (parsed.GetValue(preview) && !parsed.GetValue(traces))
                throw new UsageException("--preview is for --from-traces.");
            DatasetChangeView change;
            if (parsed.GetValue(file) is { } path)
            {
                var request = new DatasetRowsRequest(
                    dataset, RowFile.Read(path), new(parsed.GetValue(input)!, parsed.GetValue(expectedField), parsed.GetValue(splitField)!),
                    parsed.GetValue(note), Create: true);
                change = DatasetChangeView.Of(dataset, await Output.ProgressAsync(
                    "Adding", json, report => datasets.AddRowsAsync(person, request, read => report(read, read + 1), ct)));
            }
            else
            {
                var (feedbackName, feedbackValue) = Feedback(parsed.GetValue(feedback));
                var (promptName, promptVersion) = Prompt(parsed.GetValue(prompt));
                var request = new DatasetSpansRequest(
                    parsed.GetValue(node), parsed.GetValue(kind), parsed.GetValue(metric), parsed.GetValue(outcome), parsed.GetValue(label),
                    parsed.GetValue(corrected),
                    parsed.GetValue(since), parsed.GetValue(until), parsed.GetValue(session), parsed.GetValue(user), feedbackName,
                    feedbackValue, promptName,
                    promptVersion, parsed.GetValue(sample), parsed.GetValue(seed), parsed.GetValue(limit), parsed.GetValue(expected),
                    parsed.GetValue(split),
                    parsed.GetValue(keep));
                if (parsed.GetValue(preview))
                {
                    Show(SelectionPreview.Of(await datasets.SelectAsync(person, null, request, ct)), json);
                    return;
                }
                change = DatasetChangeView.Of(
                    dataset, await datasets.AddSpansAsync(person, dataset, request, parsed.GetValue(note), create: true, ct));
            }
            if (json)
                Output.Json(change);
            else
                Show(change);
            if (change.Rejected is { Count: > 0 })
                throw new FlywheelException($"{change.Rejected.Count:N0} rows were not added; the others were.");
        }, ct, mayCreate: true));
        return command;
    }

    static Command Remove()
    {
        var (common, name, author) = (new ProjectOptions(), Name(), Author());
        var ordinals = new Argument<long[]>(
            "ordinals") { Description = "Ordinals of the items, from `show` and `export`", Arity = ArgumentArity.OneOrMore };
        var note = new Option<string?>("--note") { Description = "Why" };
        var command = new Command(
            "remove", "Remove items and make the next version; older versions keep them") { name, ordinals, note, author, common.Db,
            common.Project, common.Json };
        command.SetAction((parsed, ct) => common.RunAsync<DatasetService>(parsed, async (datasets, caller, json) =>
        {
            var dataset = parsed.GetValue(name)!;
            var change = DatasetChangeView.Of(dataset, await datasets.RemoveAsync(
                caller.For(parsed.GetValue(author)), dataset, parsed.GetValue(ordinals)!, parsed.GetValue(note), ct));
            if (json)
                Output.Json(change);
            else
                Show(change);
        }, ct));
        return command;
    }

    static Command Export()
    {
        var common = new ProjectOptions();
        var name = new Argument<string>("name") { Description = "NAME or NAME@VERSION" };
        var outFile = new Option<string?>(
            "--out") { Description = "JSONL or Parquet file to write, by the ending of the name (default: JSONL to standard output)" };
        var split = new Option<string?>("--split") { Description = "Only items of this split" };
        var command = new Command(
            "export", "Write the items of a version; `datasets add --file` reads them back") { name, outFile, split, common.Db,
            common.Project };
        command.SetAction((parsed, ct) => common.RunAsync<DatasetService>(parsed, async (datasets, caller, _) =>
        {
            var (which, number) = DatasetReference.Parse(parsed.GetValue(name)!);
            var version = await datasets.VersionAsync(caller, which, number, ct);
            var path = parsed.GetValue(outFile);
            var rows = 0L;
            if (path is null)
            {
                await foreach (var item in datasets.ItemsAsync(caller, version, parsed.GetValue(split), ct))
                    Output.JsonLine(DatasetFile.Row(item));
                return;
            }
            await Output.ProgressAsync("Exporting", false, async report =>
            {
                rows = await DatasetFile.WriteAsync(
                    path, datasets.ItemsAsync(caller, version, parsed.GetValue(split), ct), done => report(done, version.Items), ct);
            });
            await Console.Error.WriteLineAsync($"{rows:N0} items of {which} version {version.Number} written to {path}.");
        }, ct));
        return command;
    }

    static Command Diff()
    {
        var (common, name) = (new ProjectOptions(), Name());
        var from = new Argument<string>("from") { Description = "Number of the older version" };
        var to = new Argument<string>(
            "to") { Description = "Number of the newer version (default: latest)", DefaultValueFactory = _ => DatasetVersion.Newest };
        var command = new Command(
            "diff", "Print the items that only one of two versions has") { name, from, to, common.Db, common.Project, common.Json };
        command.SetAction((parsed, ct) => common.RunAsync<DatasetService>(parsed, async (datasets, caller, json) =>
        {
            var which = parsed.GetValue(name)!;
            var it = await datasets.DiffAsync(caller, which, parsed.GetValue(from), parsed.GetValue(to), 0, null, ct);
            if (json)
            {
                Output.Json(DatasetDiff.Of(which, it, null));
                return;
            }
            var changes = it.Changes;
            foreach (var change in changes)
                Print(change.Item, change.Added ? "+ " : "- ");
            Console.WriteLine(changes.Count == 0
                ? $"Versions {it.From} and {it.To} of {which} have the same items."
                : $"{changes.Count(change => change.Added):N0} added, {changes.Count(change => !change.Added):N0} removed from version "
                + $"{it.From} to {it.To} of {which}.");
        }, ct));
        return command;
    }

    static Command Delete()
    {
        var (common, name, author) = (new ProjectOptions(), Name(), Author());
        var sure = new Option<bool>("--yes") { Description = "Delete; without it the command prints what it would delete" };
        var command = new Command(
            "delete", "Delete a data set with all its versions and items") { name, sure, author, common.Db, common.Project, common.Json };
        command.SetAction((parsed, ct) => common.RunAsync<DatasetService>(parsed, async (datasets, caller, json) =>
        {
            var which = parsed.GetValue(name)!;
            var dataset = await datasets.GetAsync(caller, which, ct);
            var what = $"`{which}` (newest version {dataset.Latest?.Number ?? 0}, items {dataset.Latest?.Items ?? 0:N0})";
            if (!parsed.GetValue(sure))
                throw new UsageException(
                    $"This would delete {what} for good; `datasets export {which} --out FILE` keeps a copy. Say --yes to do it.");
            var deleted = await datasets.DeleteAsync(caller.For(parsed.GetValue(author)), which, ct);
            if (json)
                Output.Json(DatasetView.Of(deleted));
            else
                Console.WriteLine($"Deleted {what}.");
        }, ct));
        return command;
    }

    static void Show(DatasetChangeView change)
    {
        foreach (var rejection in (change.Rejected ?? []).Take(20))
            Console.Error.WriteLine($"row {rejection.Row}: {rejection.Message}");
        var found = change.Matched is { } matched ? $"{matched:N0} spans match. " : "";
        Console.WriteLine(found + (change switch
        {
            { IsNew: false, Version: null } => $"`{change.Name}` has no item: nothing was added.",
            { IsNew: false } => $"`{change.Name}` stays at version {change.Version.Version}: {change.Known:N0} items are there already.",
            _ => $"`{change.Name}` version {change.Version!.Version}: {change.Added:N0} added, {change.Removed:N0} removed, "
                + $"{change.Known:N0} known, {change.Version.Items:N0} items in all.",
        }) + (change.WithoutInput > 0 ? $" {change.WithoutInput:N0} spans without an input were left out." : ""));
    }

    static void Show(SelectionPreview preview, bool json)
    {
        if (json)
        {
            Output.Json(preview);
            return;
        }
        foreach (var item in preview.First)
            Console.WriteLine($"  {Short(item.Input, 70)}{(item.Expected is null ? "" : $"  =>  {Short(item.Expected, 50)}")}");
        Console.WriteLine($"{(preview.Matched is { } matched ? $"{matched:N0} spans match; " : "")}{preview.Items:N0} items, "
            + $"{preview.WithExpected:N0} of them with an expected output. Nothing was stored.");
    }

    static void Print(DatasetItem item, string mark) => Console.WriteLine(
        $"{mark}{item.Ordinal}  "
            + $"{(item.Content.Split is { } split ? $"[{split}] " : "")}{Short(item.Content.Input, 70)}{(item.Content.Expected is { } expected ? $"  =>  {Short(expected, 50)}" : "")}");

    static string Short(string text, int length)
    {
        var line = text.ReplaceLineEndings(" ");
        return line.Length <= length
            ? line : string.Concat(line.AsSpan(0, char.IsHighSurrogate(line[length - 2]) ? length - 2 : length - 1), "…");
    }

    static (string? Name, JsonElement? Value) Feedback(string? given)
    {
        if (given is null || given.IndexOf('=', StringComparison.Ordinal) is var at && at <= 0)
            return (given, null);
        try
        {
            return (given[..at], JsonElement.Parse(given[(at + 1)..]));
        }
        catch (JsonException)
        {
            // A bare word is the text it looks like.
            return (given[..at], JsonSerializer.SerializeToElement(given[(at + 1)..]));
        }
    }

    static (string? Name, int? Version) Prompt(string? given)
    {
        if (given is null || given.LastIndexOf('@') is var at && at <= 0)
            return (given, null);
        return int.TryParse(given.AsSpan(at + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? (given[..at], number)
            : throw new UsageException($"--prompt `{given}`: write NAME or NAME@NUMBER.");
    }

    static Argument<string> Name() => new("name") { Description = "Name of the data set" };

    static Option<string> Author() =>
        new("--author") { Description = "Name of the person who acts, for the audit", DefaultValueFactory = _ => "cli" };
}
