using System.Globalization;
using System.Text.Json;
using Flywheel.Core;
using Flywheel.Core.Datasets;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Traces;

namespace Flywheel.Server.Features.Datasets;

/// <summary>What requests and commands do with data sets alike.</summary>
static class DatasetIntake
{
    /// <summary>Spans in one query.</summary>
    public const int MaxSpans = IDatasetStore.MaxItems;

    public static string? WrongName(string name) =>
        SpanRules.Name(name, SpanRules.MaxNameLength)
        ?? (name.AsSpan().IndexOfAny('/', '@') >= 0 ? "holds a slash or an @: use another character, such as a dot." : null);

    public static async Task<Dataset> FindAsync(IFlywheelStore store, ProjectId project, string name, CancellationToken ct)
    {
        if (await store.Datasets.FindAsync(project, name, ct) is { } found)
            return found;
        var known = (await store.Datasets.ListAsync(project, ct)).Select(dataset => dataset.Name).ToArray();
        throw RequestException.NotFound("dataset", $"There is no data set `{name}`.{Engine.Metrics.NearMiss.Hint(name, known)} Known: {(known.Length == 0 ? "none" : string.Join(", ", known.Take(20)))}.", "name");
    }

    /// <summary>Deletes a data set; what it was.</summary>
    public static async Task<Dataset> DeleteAsync(
        IFlywheelStore store, ProjectId project, string name, string author, DateTimeOffset at, CancellationToken ct) =>
        // Where there is none, the search for it says so.
        await store.Datasets.DeleteAsync(project, name, author, at, ct) ?? await FindAsync(store, project, name, ct);

    /// <param name="which">A number, or <c>latest</c>.</param>
    public static async Task<DatasetVersion> VersionAsync(IFlywheelStore store, ProjectId project, string name, string which, CancellationToken ct)
    {
        var dataset = await FindAsync(store, project, name, ct);
        if (dataset.Latest is null)
            throw RequestException.NotFound("dataset_version", $"Data set `{name}` has no version: add items first.", "version");
        if (which == DatasetVersion.Newest)
            return dataset.Latest;
        return int.TryParse(which, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && await store.Datasets.VersionAsync(project, name, number, ct) is { } version
            ? version
            : throw RequestException.NotFound("dataset_version", $"Data set `{name}` has no version `{which}`: it has 1 to {dataset.Latest.Number}, and `latest`.", "version");
    }

    /// <summary>A whole version, page by page.</summary>
    public static async IAsyncEnumerable<DatasetItem> ItemsAsync(
        IFlywheelStore store, ProjectId project, DatasetVersion version, string? split, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken ct)
    {
        const int PageSize = 500;
        for (var after = 0L; ;)
        {
            var page = await store.Datasets.ItemsAsync(project, version.Dataset, version.Number, split, after, PageSize, ct);
            foreach (var item in page)
                yield return item;
            if (page.Count < PageSize)
                yield break;
            after = page[^1].Ordinal;
        }
    }

    /// <summary>Checks a query and finds its spans.</summary>
    public static async Task<SpanSelection> SelectAsync(IFlywheelStore store, ProjectId project, FromTracesBody it, CancellationToken ct)
    {
        var kind = it.Kind is null ? (NodeKind?)null
            : Wire.Parse<NodeKind>(it.Kind) ?? throw RequestException.BadField("kind", $"`kind` is `{it.Kind}`: use {Wire.Choices<NodeKind>()}.");
        var outcome = it.Outcome is null ? (Outcome?)null
            : Wire.Parse<Outcome>(it.Outcome) ?? throw RequestException.BadField("outcome", $"`outcome` is `{it.Outcome}`: use {Wire.Choices<Outcome>()}.");
        var label = it.Label switch
        {
            null => (bool?)null,
            "pass" => true,
            "fail" => false,
            _ => throw RequestException.BadField("label", $"`label` is `{it.Label}`: use pass or fail."),
        };
        var expected = it.Expected is null ? ExpectedFrom.Correction
            : Wire.Parse<ExpectedFrom>(it.Expected) ?? throw RequestException.BadField("expected", $"`expected` is `{it.Expected}`: use {Wire.Choices<ExpectedFrom>()}.");
        if ((outcome is not null || label is not null) && it.Metric is null)
            throw RequestException.BadField("metric", "`metric` is missing: an `outcome` or a `label` is one of a metric.");
        if (it.Metric is not null && outcome is null && label is null)
            throw RequestException.BadField("metric", "`metric` asks for nothing by itself: give an `outcome` or a `label` too.");
        if (it.Metric is not null && await store.Metrics.FindAsync(project, it.Metric, ct) is null)
            throw RequestException.NotFound("metric", $"There is no metric `{it.Metric}` in this project.", "metric");
        if (it.FeedbackValue is not null && it.Feedback is null)
            throw RequestException.BadField("feedback", "`feedback` is missing: a `feedback_value` is one of a name.");
        if (it.Limit is < 1 or > MaxSpans)
            throw RequestException.BadField("limit", $"`limit` is {it.Limit}: use 1 to {MaxSpans:N0}.");
        if (it.Since >= it.Until)
            throw RequestException.BadField("until", "`until` must be later than `since`.");
        return await store.Datasets.SelectAsync(
            project,
            new(it.Node, kind, it.Metric, outcome, label, it.Corrected, it.Since, it.Until, it.Session, it.EndUser, it.Feedback,
                it.FeedbackValue is { } value ? value.GetRawText() : null, it.Prompt, it.PromptVersion, it.Sample, it.Seed, it.Limit, expected, it.Split,
                it.KeepOutput),
            ct);
    }

    public static SelectionPreview Preview(SpanSelection it) => new(
        it.Items.Count, it.Matched, it.WithoutInput, it.Items.Count(item => item.Expected is not null),
        [.. it.Items.Take(20).Select(item => new PreviewItem(item.Input, item.Expected, item.Source?.Trace, item.Source?.Span))]);

    /// <summary>Adds rows of a file, a change for every <see cref="IDatasetStore.MaxItems"/> of them.</summary>
    /// <param name="report">Given the number of rows read so far.</param>
    public static async Task<DatasetChangeView> AddFileAsync(
        IFlywheelStore store, ProjectId project, string name, IEnumerable<(int Line, JsonElement Row)> rows, DatasetFields fields, string? note, string author,
        TimeProvider clock, Action<long>? report, CancellationToken ct)
    {
        const int MaxRejected = 1_000;
        var (batch, rejected) = (new List<NewDatasetItem>(), new List<RejectedRow>());
        DatasetChangeView? sum = null;
        var read = 0L;
        foreach (var (line, row) in rows)
        {
            if (DatasetRows.Read(row, fields, out var problem) is { } item)
                batch.Add(item);
            else if (rejected.Count < MaxRejected)
                rejected.Add(new(line, problem));
            if (batch.Count == IDatasetStore.MaxItems)
                await AddAsync();
            report?.Invoke(++read);
        }
        if (batch.Count > 0 || sum is null)
            await AddAsync();
        return sum! with { Rejected = rejected };

        async Task AddAsync()
        {
            var change = DatasetChangeView.Of(name, await store.Datasets.AddAsync(project, name, batch, note, author, clock.GetUtcNow(), ct));
            sum = sum is null ? change : change with { IsNew = sum.IsNew || change.IsNew, Added = sum.Added + change.Added, Known = sum.Known + change.Known };
            batch.Clear();
        }
    }
}
