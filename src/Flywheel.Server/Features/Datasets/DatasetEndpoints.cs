using System.Globalization;
using Flywheel.Core;
using Flywheel.Core.Datasets;
using Flywheel.Core.Projects;
using Flywheel.Engine.Datasets;
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
        datasets.MapPost("/{name}/items", AddAsync).Needs(KeyScope.Admin)
            .WithSummary("Add items: the next version; equal content adds nothing");
        datasets.MapPost("/{name}/items/from-traces", FromTracesAsync).Needs(KeyScope.Admin)
            .WithSummary("Add the spans that a query names");
        datasets.MapPost("/{name}/items/from-file", FromFileAsync).Needs(KeyScope.Admin)
            .WithSummary("Add the rows of a file: the body is JSONL, CSV or Parquet, whatever its content type");
        datasets.MapPost("/{name}/items/remove", RemoveAsync).Needs(KeyScope.Admin)
            .WithSummary("Remove items: the next version; older ones keep them");
    }

    static async Task<Ok<DatasetList>> ListAsync(HttpCaller caller, DatasetService datasets, CancellationToken ct) =>
        TypedResults.Ok(new DatasetList([.. (await datasets.ListAsync(caller, ct)).Select(DatasetView.Of)]));

    static async Task<Results<Ok<DatasetView>, Created<DatasetView>>> CreateAsync(
        Body<DatasetBody> body, HttpCaller caller, DatasetService datasets, CancellationToken ct)
    {
        var it = body.Value;
        var (dataset, isNew) = await datasets.CreateAsync(caller.For(it.Author), it.Name, it.Description, ct);
        return isNew
            ? TypedResults.Created($"/api/v1/datasets/{Uri.EscapeDataString(it.Name)}", DatasetView.Of(dataset))
            : TypedResults.Ok(DatasetView.Of(dataset));
    }

    static async Task<Ok<DatasetView>> GetAsync(string name, HttpCaller caller, DatasetService datasets, CancellationToken ct) =>
        TypedResults.Ok(DatasetView.Of(await datasets.GetAsync(caller, name, ct)));

    static async Task<Ok<DatasetVersionList>> VersionsAsync(
        string name, HttpCaller caller, DatasetService datasets, CancellationToken ct) =>
        TypedResults.Ok(new DatasetVersionList(name, [.. (await datasets.VersionsAsync(caller, name, ct)).Select(DatasetVersionView.Of)]));

    static async Task<Ok<DatasetVersionView>> VersionAsync(
        string name, string which, HttpCaller caller, DatasetService datasets, CancellationToken ct) =>
        TypedResults.Ok(DatasetVersionView.Of(await datasets.VersionAsync(caller, name, which, ct)));

    static async Task<Ok<DatasetItemPage>> ItemsAsync(
        string name, string which, HttpCaller caller, DatasetService datasets, CancellationToken ct,
        string? split = null, string? cursor = null, int limit = 50)
    {
        var (version, items) = await datasets.PageAsync(caller, name, which, split, After(cursor), limit, ct);
        return TypedResults.Ok(new DatasetItemPage(name, version.Number, [.. items.Select(DatasetItemView.Of)], Next(items, limit)));
    }

    static async Task<Ok<DatasetDiff>> DiffAsync(
        string name, HttpCaller caller, DatasetService datasets, CancellationToken ct,
        string? from = null, string? to = null, string? cursor = null, int limit = 50)
    {
        var it = await datasets.DiffAsync(caller, name, from, to, After(cursor), limit, ct);
        return TypedResults.Ok(DatasetDiff.Of(name, it, Next([.. it.Changes.Select(change => change.Item)], limit)));
    }

    static async Task<Ok<DatasetChangeView>> AddAsync(
        string name, Body<ItemsBody> body, HttpCaller caller, DatasetService datasets, CancellationToken ct)
    {
        var it = body.Value;
        var change = await datasets.AddAsync(caller.For(it.Author), name, [.. it.Items.Select(item => item.Request())], it.Note, ct);
        return TypedResults.Ok(DatasetChangeView.Of(name, change));
    }

    static async Task<Results<Ok<DatasetChangeView>, Ok<SelectionPreview>>> FromTracesAsync(
        string name, Body<FromTracesBody> body, HttpCaller caller, DatasetService datasets, CancellationToken ct)
    {
        var it = body.Value;
        if (it.Preview)
            return TypedResults.Ok(SelectionPreview.Of(await datasets.SelectAsync(caller, name, it.Request(), ct)));
        return TypedResults.Ok(DatasetChangeView.Of(
            name, await datasets.AddSpansAsync(caller.For(it.Author), name, it.Request(), it.Note, create: false, ct)));
    }

    static async Task<Ok<DatasetChangeView>> FromFileAsync(
        string name, HttpRequest request, HttpCaller caller, DatasetService datasets, CancellationToken ct, string format = "jsonl",
        string input_field = "input", string? expected_field = null, string split_field = "split", string? note = null,
        string? author = null)
    {
        if (format is not ("jsonl" or "csv" or "parquet"))
            throw RequestException.BadField("format", $"`format` is `{format}`: use jsonl, csv or parquet.");
        await datasets.GetAsync(caller, name, ct);
        var path = Path.Combine(Path.GetTempPath(), $"flywheel-upload-{Guid.NewGuid():N}.{format}");
        try
        {
            await using (var file = File.Create(path))
                await request.Body.CopyToAsync(file, ct);
            return TypedResults.Ok(DatasetChangeView.Of(name, await datasets.AddRowsAsync(
                caller.For(author), new(name, RowFile.Read(path), new(input_field, expected_field, split_field), note), null, ct)));
        }
        catch (FlywheelException unreadable)
        {
            throw new RequestException(
                RequestErrorKind.Invalid, "unreadable_file", unreadable.Message.Replace(path, "the body", StringComparison.Ordinal));
        }
        finally
        {
            File.Delete(path);
        }
    }

    static async Task<Ok<DatasetChangeView>> RemoveAsync(
        string name, Body<RemoveBody> body, HttpCaller caller, DatasetService datasets, CancellationToken ct)
    {
        var it = body.Value;
        return TypedResults.Ok(
            DatasetChangeView.Of(name, await datasets.RemoveAsync(caller.For(it.Author), name, it.Ordinals, it.Note, ct)));
    }

    static async Task<Ok<DatasetView>> DeleteAsync(
        string name, HttpCaller caller, DatasetService datasets, CancellationToken ct, string? author = null) =>
        TypedResults.Ok(DatasetView.Of(await datasets.DeleteAsync(caller.For(author), name, ct)));

    static long After(string? cursor) => cursor is null ? 0
        : long.TryParse(cursor, NumberStyles.None, CultureInfo.InvariantCulture, out var after) ? after
        : throw RequestException.BadField("cursor", $"`cursor` is `{cursor}`: pass on the `next` of the page before.");

    static string? Next(IReadOnlyList<DatasetItem> items, int limit) =>
        items.Count < limit ? null : items[^1].Ordinal.ToString(CultureInfo.InvariantCulture);
}
