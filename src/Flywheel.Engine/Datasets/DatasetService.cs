using System.Globalization;
using System.Runtime.CompilerServices;
using Flywheel.Core;
using Flywheel.Core.Datasets;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Traces;

namespace Flywheel.Engine.Datasets;

/// <summary>Data sets: create, add, remove, compare, read, delete. A version never changes; every change makes the next one.</summary>
public sealed class DatasetService(IDatasetStore datasets, IMetricStore metrics, TimeProvider clock)
{
    const int ItemsPerPage = 500, MaxRejected = 1_000;

    public Task<IReadOnlyList<Dataset>> ListAsync(Caller caller, CancellationToken ct) => datasets.ListAsync(caller.Project, ct);

    /// <summary>Creates an empty data set. One of this name stays as it is and is returned with false.</summary>
    /// <exception cref="RequestException"><c>invalid_name</c>.</exception>
    public Task<(Dataset Dataset, bool IsNew)> CreateAsync(Caller caller, string name, string? description, CancellationToken ct) =>
        datasets.CreateAsync(
            caller.Project, CheckName(name), RequestField.OptionalText("description", description), caller.Actor, clock.GetUtcNow(), ct);

    /// <exception cref="RequestException"><c>unknown_dataset</c>; the message lists the names that there are.</exception>
    public async Task<Dataset> GetAsync(Caller caller, string name, CancellationToken ct)
    {
        if (await datasets.FindAsync(caller.Project, name, ct) is { } found)
            return found;
        var known = (await datasets.ListAsync(caller.Project, ct)).Select(dataset => dataset.Name).ToArray();
        throw RequestException.NotFound(
            "dataset",
            $"There is no data set `{name}`.{NearMiss.Hint(name, known)} Known: "
                + $"{(known.Length == 0 ? "none" : string.Join(", ", known.Take(20)))}.", "name");
    }

    /// <summary>The newest first.</summary>
    /// <exception cref="RequestException"><c>unknown_dataset</c>.</exception>
    public async Task<IReadOnlyList<DatasetVersion>> VersionsAsync(Caller caller, string name, CancellationToken ct)
    {
        await GetAsync(caller, name, ct);
        return await datasets.VersionsAsync(caller.Project, name, ct);
    }

    /// <param name="which">A number, or <c>latest</c>.</param>
    /// <exception cref="RequestException"><c>unknown_dataset</c>, <c>unknown_dataset_version</c>.</exception>
    public async Task<DatasetVersion> VersionAsync(Caller caller, string name, string which, CancellationToken ct)
    {
        var dataset = await GetAsync(caller, name, ct);
        if (dataset.Latest is null)
            throw RequestException.NotFound("dataset_version", $"Data set `{name}` has no version: add items first.", "version");
        if (which == DatasetVersion.Newest)
            return dataset.Latest;
        return int.TryParse(which, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && await datasets.VersionAsync(caller.Project, name, number, ct) is { } version
            ? version
            : throw RequestException.NotFound(
                "dataset_version", $"Data set `{name}` has no version `{which}`: it has 1 to {dataset.Latest.Number}, and `latest`.",
                "version");
    }

    /// <param name="split">Null for all.</param>
    /// <param name="after">Ordinal of the last item of the page before; 0 for the first page.</param>
    /// <exception cref="RequestException"><c>unknown_dataset</c>, <c>unknown_dataset_version</c>, <c>invalid_limit</c>.</exception>
    public async Task<DatasetVersionItems> PageAsync(
        Caller caller, string name, string which, string? split, long after, int limit, CancellationToken ct)
    {
        var version = await VersionAsync(caller, name, which, ct);
        return new(version, await datasets.ItemsAsync(caller.Project, name, version.Number, split, after, PageSize.Check(limit), ct));
    }

    /// <summary>All items of a version in order, read page by page.</summary>
    /// <param name="split">Null for all.</param>
    public async IAsyncEnumerable<DatasetItem> ItemsAsync(
        Caller caller, DatasetVersion version, string? split, [EnumeratorCancellation] CancellationToken ct)
    {
        for (var after = 0L; ;)
        {
            var page = await datasets.ItemsAsync(caller.Project, version.Dataset, version.Number, split, after, ItemsPerPage, ct);
            foreach (var item in page)
                yield return item;
            if (page.Count < ItemsPerPage)
                yield break;
            after = page[^1].Ordinal;
        }
    }

    /// <summary>Compares two versions.</summary>
    /// <param name="from">Null for the version before <paramref name="to"/>.</param>
    /// <param name="to">Null for the newest.</param>
    /// <param name="limit">Null for all differences.</param>
    /// <exception cref="RequestException"><c>unknown_dataset</c>, <c>unknown_dataset_version</c>, <c>invalid_limit</c>.</exception>
    public async Task<DatasetComparison> DiffAsync(
        Caller caller, string name, string? from, string? to, long after, int? limit, CancellationToken ct)
    {
        var newer = await VersionAsync(caller, name, to ?? DatasetVersion.Newest, ct);
        // The first version is compared with the empty state before it.
        var older = from is null ? newer.Number - 1 : (await VersionAsync(caller, name, from, ct)).Number;
        var most = limit is { } given ? PageSize.Check(given) : int.MaxValue;
        return new(older, newer.Number, await datasets.DiffAsync(caller.Project, name, older, newer.Number, after, most, ct));
    }

    /// <summary>Adds items in one transaction: all of them or none.</summary>
    /// <exception cref="RequestException"><c>unknown_dataset</c>, <c>invalid_items</c>.</exception>
    public async Task<DatasetChange> AddAsync(
        Caller caller, string name, IReadOnlyList<DatasetItemRequest> items, string? note, CancellationToken ct)
    {
        await GetAsync(caller, name, ct);
        CheckCount("items", items.Count);
        var read = items.Select((item, i) =>
            DatasetRows.Read(item, out var problem) ?? throw RequestException.BadField("items", $"`items[{i}]`: {problem}")).ToArray();
        return await datasets.AddAsync(caller.Project, name, read, note, caller.Actor, clock.GetUtcNow(), ct);
    }

    /// <summary>Adds rows of a file, with a transaction and a version for every <see cref="IDatasetStore.MaxItems"/> of them.</summary>
    /// <param name="report">Called with the number of rows read so far; null for no reports.</param>
    /// <exception cref="RequestException"><c>unknown_dataset</c>, <c>invalid_name</c>.</exception>
    public async Task<DatasetAddition> AddRowsAsync(Caller caller, DatasetRowsRequest request, Action<long>? report, CancellationToken ct)
    {
        using var rows = request.Rows.GetEnumerator();
        var more = rows.MoveNext();
        await PrepareAsync(caller, request.Dataset, request.Create, ct);
        var (batch, rejected, sum) = (new List<NewDatasetItem>(), new List<RowRejection>(), (DatasetChange?)null);
        for (var read = 0L; more; more = rows.MoveNext())
        {
            if (DatasetRows.Read(rows.Current.Row, request.Fields, out var problem) is { } item)
                batch.Add(item);
            else if (rejected.Count < MaxRejected)
                rejected.Add(new(rows.Current.Line, problem));
            if (batch.Count == IDatasetStore.MaxItems)
                await AddBatchAsync();
            report?.Invoke(++read);
        }
        if (batch.Count > 0 || sum is null)
            await AddBatchAsync();
        return new(sum!, rejected);

        async Task AddBatchAsync()
        {
            var change = await datasets.AddAsync(caller.Project, request.Dataset, batch, request.Note, caller.Actor, clock.GetUtcNow(), ct);
            sum = sum is null
                ? change
                : change with { IsNew = sum.IsNew || change.IsNew, Added = sum.Added + change.Added, Known = sum.Known + change.Known };
            batch.Clear();
        }
    }

    /// <summary>The items that <see cref="AddSpansAsync"/> would add; stores nothing.</summary>
    /// <exception cref="RequestException"><c>unknown_dataset</c>, <c>unknown_metric</c>, or a condition cannot be meant.</exception>
    /// <param name="name">Null if the data set need not exist.</param>
    public async Task<SpanSelection> SelectAsync(Caller caller, string? name, DatasetSpansRequest request, CancellationToken ct)
    {
        if (name is not null)
            await GetAsync(caller, name, ct);
        var query = request.Query();
        if (query.Metric is { } metric)
            await metrics.GetAsync(caller.Project, metric, ct);
        return await datasets.SelectAsync(caller.Project, query, ct);
    }

    /// <summary>Adds the spans that meet the conditions.</summary>
    /// <param name="create">Create the data set if it does not exist.</param>
    /// <exception cref="RequestException"><c>unknown_dataset</c>, <c>unknown_metric</c>, or a condition cannot be meant.</exception>
    public async Task<DatasetSpansAddition> AddSpansAsync(
        Caller caller, string name, DatasetSpansRequest request, string? note, bool create, CancellationToken ct)
    {
        var selection = await SelectAsync(caller, create ? null : name, request, ct);
        await PrepareAsync(caller, name, create, ct);
        return new(await datasets.AddAsync(caller.Project, name, selection.Items, note, caller.Actor, clock.GetUtcNow(), ct), selection);
    }

    /// <summary>Removes items from the newest version; older versions keep them.</summary>
    /// <exception cref="RequestException"><c>unknown_dataset</c>, <c>invalid_ordinals</c>.</exception>
    public async Task<DatasetChange> RemoveAsync(
        Caller caller, string name, IReadOnlyList<long> ordinals, string? note, CancellationToken ct)
    {
        await GetAsync(caller, name, ct);
        CheckCount("ordinals", ordinals.Count);
        return await datasets.RemoveAsync(caller.Project, name, ordinals, note, caller.Actor, clock.GetUtcNow(), ct);
    }

    /// <summary>Deletes a data set with all its versions and items.</summary>
    /// <returns>The data set as it was.</returns>
    /// <exception cref="RequestException"><c>unknown_dataset</c>.</exception>
    public async Task<Dataset> DeleteAsync(Caller caller, string name, CancellationToken ct) =>
        await datasets.DeleteAsync(caller.Project, name, caller.Actor, clock.GetUtcNow(), ct) ?? await GetAsync(caller, name, ct);

    Task PrepareAsync(Caller caller, string name, bool create, CancellationToken ct) =>
        create ? CreateAsync(caller, name, null, ct) : GetAsync(caller, name, ct);

    static void CheckCount(string field, int count)
    {
        if (count is 0 or > IDatasetStore.MaxItems)
            throw RequestException.BadField(field, $"`{field}` holds {count:N0}: give 1 to {IDatasetStore.MaxItems:N0}.");
    }

    static string CheckName(string name) => RequestField.Name("name", name).AsSpan().IndexOfAny('/', '@') < 0
        ? name
        : throw RequestException.BadField("name", "`name` holds a slash or an @: use another character, such as a dot.");
}
