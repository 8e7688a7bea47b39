using System.Globalization;
using Flywheel.Core;
using Flywheel.Core.Datasets;
using Flywheel.Core.Projects;
using Flywheel.Server.Api;
using Flywheel.Server.Files;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Flywheel.Server.Features.Datasets;

static class DatasetEndpoints
{
    public static void MapDatasets(this IEndpointRouteBuilder api)
    {
        var datasets = api.MapGroup("/datasets").WithTags("Data sets");
        datasets.MapGet("/", ListAsync).Needs(KeyScope.Read).WithSummary("Data sets with their newest versions");
        datasets.MapPost("/", CreateAsync).Needs(KeyScope.Admin).WithSummary("Make an empty data set; one that is there stays as it is");
        datasets.MapGet("/{name}", GetAsync).Needs(KeyScope.Read).WithSummary("One data set");
        datasets.MapDelete("/{name}", DeleteAsync).Needs(KeyScope.Admin).WithSummary("Delete a data set with all its versions and items");
        datasets.MapGet("/{name}/versions", VersionsAsync).Needs(KeyScope.Read).WithSummary("Its versions, newest first");
        datasets.MapGet("/{name}/versions/{which}", VersionAsync).Needs(KeyScope.Read).WithSummary("One version, by number or `latest`");
        datasets.MapGet("/{name}/versions/{which}/items", ItemsAsync).Needs(KeyScope.Read).WithSummary("The items of a version by cursor");
        datasets.MapGet("/{name}/diff", DiffAsync).Needs(KeyScope.Read).WithSummary("Items that only one of two versions has");
        datasets.MapPost("/{name}/items", AddAsync).Needs(KeyScope.Admin).WithSummary("Add items: the next version; equal content adds nothing");
        datasets.MapPost("/{name}/items/from-traces", FromTracesAsync).Needs(KeyScope.Admin).WithSummary("Add the spans that a query names");
        datasets.MapPost("/{name}/items/from-file", FromFileAsync).Needs(KeyScope.Admin).WithSummary("Add the rows of a file: the body is JSONL, CSV or Parquet, whatever its content type");
        datasets.MapPost("/{name}/items/remove", RemoveAsync).Needs(KeyScope.Admin).WithSummary("Remove items: the next version; older ones keep them");
    }

    static async Task<Ok<DatasetList>> ListAsync(HttpCaller caller, IFlywheelStore store, CancellationToken ct) =>
        TypedResults.Ok(new DatasetList([.. (await store.Datasets.ListAsync(caller.Project, ct)).Select(DatasetView.Of)]));

    static async Task<Results<Ok<DatasetView>, Created<DatasetView>>> CreateAsync(
        Body<DatasetBody> body, HttpCaller caller, IFlywheelStore store, TimeProvider clock, CancellationToken ct)
    {
        var it = body.Value;
        if (DatasetIntake.WrongName(it.Name) is { } why)
            throw RequestException.BadField("name", $"`name` {why}");
        var (dataset, isNew) = await store.Datasets.CreateAsync(caller.Project, it.Name, it.Description, it.Author ?? caller.Actor, clock.GetUtcNow(), ct);
        return isNew
            ? TypedResults.Created($"/api/v1/datasets/{Uri.EscapeDataString(it.Name)}", DatasetView.Of(dataset))
            : TypedResults.Ok(DatasetView.Of(dataset));
    }

    static async Task<Ok<DatasetView>> GetAsync(string name, HttpCaller caller, IFlywheelStore store, CancellationToken ct) =>
        TypedResults.Ok(DatasetView.Of(await DatasetIntake.FindAsync(store, caller.Project, name, ct)));

    static async Task<Ok<DatasetVersionList>> VersionsAsync(string name, HttpCaller caller, IFlywheelStore store, CancellationToken ct)
    {
        await DatasetIntake.FindAsync(store, caller.Project, name, ct);
        return TypedResults.Ok(new DatasetVersionList(
            name, [.. (await store.Datasets.VersionsAsync(caller.Project, name, ct)).Select(DatasetVersionView.Of)]));
    }

    static async Task<Ok<DatasetVersionView>> VersionAsync(string name, string which, HttpCaller caller, IFlywheelStore store, CancellationToken ct) =>
        TypedResults.Ok(DatasetVersionView.Of(await DatasetIntake.VersionAsync(store, caller.Project, name, which, ct)));

    static async Task<Ok<DatasetItemPage>> ItemsAsync(
        string name, string which, HttpCaller caller, IFlywheelStore store, CancellationToken ct, string? split = null, string? cursor = null, int limit = 50)
    {
        var version = await DatasetIntake.VersionAsync(store, caller.Project, name, which, ct);
        var items = await store.Datasets.ItemsAsync(caller.Project, name, version.Number, split, After(cursor), PageSize.Check(limit), ct);
        return TypedResults.Ok(new DatasetItemPage(name, version.Number, [.. items.Select(DatasetItemView.Of)], Next(items, limit)));
    }

    static async Task<Ok<DatasetDiff>> DiffAsync(
        string name, HttpCaller caller, IFlywheelStore store, CancellationToken ct, string? from = null, string? to = null, string? cursor = null, int limit = 50)
    {
        var newer = await DatasetIntake.VersionAsync(store, caller.Project, name, to ?? DatasetVersion.Newest, ct);
        // The first version is compared with nothing, which is what there was before it.
        var older = from is null ? newer.Number - 1 : (await DatasetIntake.VersionAsync(store, caller.Project, name, from, ct)).Number;
        var changes = await store.Datasets.DiffAsync(caller.Project, name, older, newer.Number, After(cursor), PageSize.Check(limit), ct);
        return TypedResults.Ok(new DatasetDiff(
            name, older, newer.Number, [.. changes.Select(DatasetDifferenceView.Of)], Next([.. changes.Select(change => change.Item)], limit)));
    }

    static async Task<Ok<DatasetChangeView>> AddAsync(
        string name, Body<ItemsBody> body, HttpCaller caller, IFlywheelStore store, TimeProvider clock, CancellationToken ct)
    {
        var it = body.Value;
        await DatasetIntake.FindAsync(store, caller.Project, name, ct);
        if (it.Items.Count is 0 or > IDatasetStore.MaxItems)
            throw RequestException.BadField("items", $"`items` holds {it.Items.Count:N0}: give 1 to {IDatasetStore.MaxItems:N0}.");
        var items = it.Items.Select((item, i) => DatasetRows.Read(item, out var problem)
            ?? throw RequestException.BadField("items", $"`items[{i}]`: {problem}")).ToArray();
        return TypedResults.Ok(DatasetChangeView.Of(
            name, await store.Datasets.AddAsync(caller.Project, name, items, it.Note, it.Author ?? caller.Actor, clock.GetUtcNow(), ct)));
    }

    static async Task<Results<Ok<DatasetChangeView>, Ok<SelectionPreview>>> FromTracesAsync(
        string name, Body<FromTracesBody> body, HttpCaller caller, IFlywheelStore store, TimeProvider clock, CancellationToken ct)
    {
        var it = body.Value;
        await DatasetIntake.FindAsync(store, caller.Project, name, ct);
        var selection = await DatasetIntake.SelectAsync(store, caller.Project, it, ct);
        if (it.Preview)
            return TypedResults.Ok(DatasetIntake.Preview(selection));
        var change = await store.Datasets.AddAsync(caller.Project, name, selection.Items, it.Note, it.Author ?? caller.Actor, clock.GetUtcNow(), ct);
        return TypedResults.Ok(DatasetChangeView.Of(name, change) with { Matched = selection.Matched, WithoutInput = selection.WithoutInput });
    }

    static async Task<Ok<DatasetChangeView>> FromFileAsync(
        string name, HttpRequest request, HttpCaller caller, IFlywheelStore store, TimeProvider clock, CancellationToken ct, string format = "jsonl",
        string input_field = "input", string? expected_field = null, string split_field = "split", string? note = null, string? author = null)
    {
        if (format is not ("jsonl" or "csv" or "parquet"))
            throw RequestException.BadField("format", $"`format` is `{format}`: use jsonl, csv or parquet.");
        await DatasetIntake.FindAsync(store, caller.Project, name, ct);
        var path = Path.Combine(Path.GetTempPath(), $"flywheel-upload-{Guid.NewGuid():N}.{format}");
        try
        {
            await using (var file = File.Create(path))
                await request.Body.CopyToAsync(file, ct);
            return TypedResults.Ok(await DatasetIntake.AddFileAsync(
                store, caller.Project, name, RowFile.Read(path), new(input_field, expected_field, split_field), note, author ?? caller.Actor, clock, null, ct));
        }
        catch (FlywheelException unreadable)
        {
            throw new RequestException(RequestErrorKind.Invalid, "unreadable_file", unreadable.Message.Replace(path, "the body", StringComparison.Ordinal));
        }
        finally
        {
            File.Delete(path);
        }
    }

    static async Task<Ok<DatasetChangeView>> RemoveAsync(
        string name, Body<RemoveBody> body, HttpCaller caller, IFlywheelStore store, TimeProvider clock, CancellationToken ct)
    {
        var it = body.Value;
        await DatasetIntake.FindAsync(store, caller.Project, name, ct);
        if (it.Ordinals.Count is 0 or > IDatasetStore.MaxItems)
            throw RequestException.BadField("ordinals", $"`ordinals` holds {it.Ordinals.Count:N0}: give 1 to {IDatasetStore.MaxItems:N0}.");
        return TypedResults.Ok(DatasetChangeView.Of(
            name, await store.Datasets.RemoveAsync(caller.Project, name, it.Ordinals, it.Note, it.Author ?? caller.Actor, clock.GetUtcNow(), ct)));
    }

    static async Task<Ok<DatasetView>> DeleteAsync(
        string name, HttpCaller caller, IFlywheelStore store, TimeProvider clock, CancellationToken ct, string? author = null) =>
        TypedResults.Ok(DatasetView.Of(
            await DatasetIntake.DeleteAsync(store, caller.Project, name, author ?? caller.Actor, clock.GetUtcNow(), ct)));

    static long After(string? cursor) => cursor is null ? 0
        : long.TryParse(cursor, NumberStyles.None, CultureInfo.InvariantCulture, out var after) ? after
        : throw RequestException.BadField("cursor", $"`cursor` is `{cursor}`: pass on the `next` of the page before.");

    static string? Next(IReadOnlyList<DatasetItem> items, int limit) =>
        items.Count < limit ? null : items[^1].Ordinal.ToString(CultureInfo.InvariantCulture);
}
