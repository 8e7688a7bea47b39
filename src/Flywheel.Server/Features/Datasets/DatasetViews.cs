using System.Text.Json;
using Flywheel.Core;
using Flywheel.Core.Datasets;
using Flywheel.Engine.Datasets;

namespace Flywheel.Server.Features.Datasets;

public sealed record DatasetBody(string Name, string? Description = null, string? Author = null);

/// <param name="Expected">The right or reference output; left out when none is known.</param>
/// <param name="Attributes">An object of everything else; its fields are variables for prompts.</param>
/// <param name="EndUser">Whose words they are, so that they go when the person is erased.</param>
public sealed record ItemBody(
    string Input, string? Expected = null, JsonElement? Attributes = null, string? Split = null, string? TraceId = null,
    string? SpanId = null,
    string? EndUser = null)
{
    internal DatasetItemRequest Request() => new(Input, Expected, Attributes, Split, TraceId, SpanId, EndUser);
}

public sealed record ItemsBody(IReadOnlyList<ItemBody> Items, string? Note = null, string? Author = null);

public sealed record RemoveBody(IReadOnlyList<long> Ordinals, string? Note = null, string? Author = null);

/// <summary>Which spans become items; conditions hold together.</summary>
/// <param name="Outcome">Of the newest verdict of <paramref name="Metric"/>.</param>
/// <param name="Label">pass or fail: the newest label of <paramref name="Metric"/>.</param>
/// <param name="Corrected">True: spans that a person corrected or confirmed.</param>
/// <param name="Expected">correction (default), output or none.</param>
/// <param name="Sample">Draw <paramref name="Limit"/> evenly from all that match; else the newest.</param>
/// <param name="Preview">Store nothing: say what would be added.</param>
public sealed record FromTracesBody(
    string? Node = null, string? Kind = null, string? Metric = null, string? Outcome = null, string? Label = null, bool? Corrected = null,
    DateTimeOffset? Since = null, DateTimeOffset? Until = null, string? Session = null, string? EndUser = null, string? Feedback = null,
    JsonElement? FeedbackValue = null, string? Prompt = null, int? PromptVersion = null, bool Sample = false, long Seed = 0,
    int Limit = 1_000,
    string? Expected = null, string? Split = null, bool KeepOutput = false, bool Preview = false, string? Note = null,
    string? Author = null)
{
    internal DatasetSpansRequest Request() => new(
        Node, Kind, Metric, Outcome, Label, Corrected, Since, Until, Session, EndUser, Feedback, FeedbackValue, Prompt, PromptVersion,
        Sample, Seed,
        Limit, Expected, Split, KeepOutput);
}

public sealed record DatasetList(IReadOnlyList<DatasetView> Datasets);

public sealed record DatasetView(string Name, string? Description, string Author, DateTimeOffset CreatedAt, DatasetVersionView? Latest)
{
    public static DatasetView Of(Dataset it) => new(
        it.Name, it.Description, it.Author, it.CreatedAt, it.Latest is null ? null : DatasetVersionView.Of(it.Latest));
}

/// <param name="Erased">Items that went with their end user after the version was made.</param>
public sealed record DatasetVersionView(
    int Version, long Items, string ContentHash, long Added, long Removed, long Erased, string? Note, string Author,
    DateTimeOffset CreatedAt)
{
    public static DatasetVersionView Of(DatasetVersion it) => new(
        it.Number, it.Items, it.ContentHash, it.Added, it.Removed, it.Erased, it.Note, it.Author, it.CreatedAt);
}

public sealed record DatasetVersionList(string Name, IReadOnlyList<DatasetVersionView> Versions);

public sealed record DatasetItemView(
    long Ordinal, string Input, string? Expected, JsonElement? Attributes, string? Split, string? TraceId, string? SpanId, string? EndUser,
    int AddedIn, int? RemovedIn)
{
    public static DatasetItemView Of(DatasetItem it) => new(
        it.Ordinal, it.Content.Input, it.Content.Expected, it.Content.Attributes is null ? null : JsonElement.Parse(it.Content.Attributes),
        it.Content.Split, it.Content.Source?.Trace, it.Content.Source?.Span, it.Content.EndUser, it.AddedIn, it.RemovedIn);
}

public sealed record DatasetItemPage(string Name, int Version, IReadOnlyList<DatasetItemView> Items, string? Next);

public sealed record DatasetDifferenceView(string Change, DatasetItemView Item)
{
    public static DatasetDifferenceView Of(DatasetDifference it) => new(it.Added ? "added" : "removed", DatasetItemView.Of(it.Item));
}

public sealed record DatasetDiff(string Name, int From, int To, IReadOnlyList<DatasetDifferenceView> Changes, string? Next)
{
    internal static DatasetDiff Of(string name, DatasetComparison it, string? next) =>
        new(name, it.From, it.To, [.. it.Changes.Select(DatasetDifferenceView.Of)], next);
}

/// <param name="IsNew">False when nothing changed, and then the version is the one that was there.</param>
/// <param name="Known">Items that the version before had already, and repeats among those given.</param>
/// <param name="Matched">Spans that the query's conditions hold for; null when not all were looked at.</param>
/// <param name="WithoutInput">Chosen spans without an input, which make no item.</param>
/// <param name="Rejected">Rows that make no item, with why.</param>
public sealed record DatasetChangeView(
    string Name, DatasetVersionView? Version, bool IsNew, int Added, int Removed, int Known, long? Matched = null, int WithoutInput = 0,
    IReadOnlyList<RejectedRow>? Rejected = null)
{
    public static DatasetChangeView Of(string name, DatasetChange it) => new(
        name, it.Version is null ? null : DatasetVersionView.Of(it.Version), it.IsNew, it.Added, it.Removed, it.Known);

    internal static DatasetChangeView Of(string name, DatasetAddition it) =>
        Of(name, it.Change) with { Rejected = [.. it.Rejected.Select(RejectedRow.Of)] };

    internal static DatasetChangeView Of(string name, DatasetSpansAddition it) =>
        Of(name, it.Change) with { Matched = it.Selection.Matched, WithoutInput = it.Selection.WithoutInput };
}

/// <param name="Row">Line, or row of a Parquet file, from 1; place in the list for items of a request.</param>
public sealed record RejectedRow(int Row, string Message)
{
    internal static RejectedRow Of(RowRejection it) => new(it.Row, it.Message);
}

/// <summary>What a query would add: its first items.</summary>
public sealed record SelectionPreview(int Items, long? Matched, int WithoutInput, int WithExpected, IReadOnlyList<PreviewItem> First)
{
    const int Shown = 20;

    internal static SelectionPreview Of(SpanSelection it) => new(
        it.Items.Count, it.Matched, it.WithoutInput, it.Items.Count(item => item.Expected is not null),
        [.. it.Items.Take(Shown).Select(item => new PreviewItem(item.Input, item.Expected, item.Source?.Trace, item.Source?.Span))]);
}

public sealed record PreviewItem(string Input, string? Expected, string? TraceId, string? SpanId);

