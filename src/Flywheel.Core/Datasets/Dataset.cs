using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Flywheel.Core.Projects;
using Flywheel.Core.Traces;

namespace Flywheel.Core.Datasets;

/// <summary>A named set of examples with what is expected of each; its versions never change.</summary>
/// <param name="Latest">Null while it has no version.</param>
public sealed record Dataset(string Name, string? Description, string Author, DateTimeOffset CreatedAt, DatasetVersion? Latest);

/// <summary>The items of a data set at one time.</summary>
/// <param name="Number">1 and up, without gaps.</param>
/// <param name="Items">How many it has now: fewer than at its making when an end user's were erased.</param>
/// <param name="ContentHash">SHA-256 over its items' hashes, whatever their order: equal content, equal hash.</param>
/// <param name="Added">Items that the version before had not; likewise <paramref name="Removed"/>.</param>
/// <param name="Erased">Items that went with their end user afterwards; 0 for a version that is as it was made.</param>
public sealed record DatasetVersion(
    string Dataset, int Number, long Items, string ContentHash, long Added, long Removed, long Erased, string? Note, string Author,
    DateTimeOffset CreatedAt)
{
    /// <summary>What callers may say instead of the newest version's number.</summary>
    public const string Newest = "latest";

    /// <summary>SHA-256 in hex over the hashes of items, sorted: what order they were added in does not matter.</summary>
    public static string HashOf(IEnumerable<string> items)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var item in items.Order(StringComparer.Ordinal))
            hash.AppendData(Encoding.ASCII.GetBytes(item));
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}

/// <summary>An example as it is added.</summary>
/// <param name="Input">What is asked: plain text, or JSON text when there is structure.</param>
/// <param name="Expected">The right or reference output; null when none is known.</param>
/// <param name="Attributes">JSON object of everything else; null when there is nothing.</param>
/// <param name="Split">Such as <c>train</c> or <c>test</c>; null for none.</param>
/// <param name="Source">The span it was made from; null for one from a file.</param>
/// <param name="EndUser">Whose words they are, so that they go with the person.</param>
public sealed record NewDatasetItem(
    string Input, string? Expected = null, string? Attributes = null, string? Split = null, SpanKey? Source = null, string? EndUser = null)
{
    /// <summary>SHA-256 in hex of input, expected output, attributes and split: two items with the same are one.</summary>
    /// <remarks>Where an item came from is left out, so that the same example from two traces is added once.</remarks>
    public string ContentHash() => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(
        JsonSerializer.Serialize(new[] { Input, Expected, Attributes, Split }))));
}

/// <summary>An example as it is kept; nothing of it changes but the version in which it is gone.</summary>
/// <param name="Ordinal">Its place in the data set, from 1: the order of items, and what names one.</param>
/// <param name="RemovedIn">The first version without it; null while the newest one has it.</param>
public sealed record DatasetItem(long Ordinal, NewDatasetItem Content, string ContentHash, int AddedIn, int? RemovedIn);

/// <summary>What a change came to.</summary>
/// <param name="Version">The newest one, new or not; null when the data set has none still.</param>
/// <param name="Known">Given items that the newest version had already, and repeats among those given.</param>
public sealed record DatasetChange(DatasetVersion? Version, bool IsNew, int Added, int Removed, int Known);

/// <summary>How one item differs between two versions.</summary>
public sealed record DatasetDifference(bool Added, DatasetItem Item);

/// <summary>Which output of a span is the expected one.</summary>
public enum ExpectedFrom
{
    /// <summary>The newest correction's output; none where nobody corrected.</summary>
    Correction,

    /// <summary>The same, else the span's own output: for spans that are known to be good.</summary>
    Output,

    None,
}

/// <summary>Spans that are to become items. All conditions hold together; null asks for nothing.</summary>
/// <param name="Outcome">Of the newest verdict of <paramref name="Metric"/>.</param>
/// <param name="Label">What the newest label of <paramref name="Metric"/> says.</param>
/// <param name="Corrected">True: spans that a person corrected or confirmed; false: the others.</param>
/// <param name="Until">Spans that started at or after it are left out.</param>
/// <param name="FeedbackValue">JSON text that the value of <paramref name="Feedback"/> equals.</param>
/// <param name="Sample">Draw evenly from all that match; else the newest ones.</param>
/// <param name="Seed">Which sample: the same over the same spans is the same sample, in every database.</param>
/// <param name="KeepOutput">Keep the span's output among the item's attributes, as <c>output</c>: what evaluations without a model
/// judge.</param>
public sealed record SpanQuery(
    string? Node = null, NodeKind? Kind = null, string? Metric = null, Metrics.Outcome? Outcome = null, bool? Label = null,
    bool? Corrected = null,
    DateTimeOffset? Since = null, DateTimeOffset? Until = null, string? Session = null, string? EndUser = null, string? Feedback = null,
    string? FeedbackValue = null, string? Prompt = null, int? PromptVersion = null, bool Sample = false, long Seed = 0, int Limit = 1_000,
    ExpectedFrom Expected = ExpectedFrom.Correction, string? Split = null, bool KeepOutput = false);

/// <param name="Matched">Spans that the conditions hold for; null when not all were looked at, because the newest ones were enough.</param>
/// <param name="WithoutInput">Of the chosen ones, spans without an input, which make no item.</param>
public sealed record SpanSelection(IReadOnlyList<NewDatasetItem> Items, long? Matched, int WithoutInput);

public interface IDatasetStore
{
    /// <summary>Items in one change, which is one transaction.</summary>
    const int MaxItems = 50_000;

    /// <summary>Makes an empty data set; one that is there keeps what it says and comes back with false.</summary>
    Task<(Dataset Dataset, bool IsNew)> CreateAsync(
        ProjectId project, string name, string? description, string author, DateTimeOffset at, CancellationToken ct);

    /// <summary>By name.</summary>
    Task<IReadOnlyList<Dataset>> ListAsync(ProjectId project, CancellationToken ct);

    Task<Dataset?> FindAsync(ProjectId project, string name, CancellationToken ct);

    /// <param name="number">Null for the newest.</param>
    Task<DatasetVersion?> VersionAsync(ProjectId project, string name, int? number, CancellationToken ct);

    /// <summary>Newest first.</summary>
    Task<IReadOnlyList<DatasetVersion>> VersionsAsync(ProjectId project, string name, CancellationToken ct);

    /// <summary>
    /// Makes the next version: the newest with these items. Content that is there already adds nothing, and then no version.
    /// </summary>
    /// <param name="items">At most <see cref="MaxItems"/>.</param>
    /// <exception cref="KeyNotFoundException">There is no such data set.</exception>
    Task<DatasetChange> AddAsync(
        ProjectId project, string name, IReadOnlyList<NewDatasetItem> items, string? note, string author, DateTimeOffset at,
        CancellationToken ct);

    /// <summary>Makes the next version without these items; older versions keep them.</summary>
    /// <exception cref="KeyNotFoundException">There is no such data set.</exception>
    Task<DatasetChange> RemoveAsync(
        ProjectId project, string name, IReadOnlyList<long> ordinals, string? note, string author, DateTimeOffset at, CancellationToken ct);

    /// <summary>Deletes a data set with all its versions and items; what was evaluated on it keeps the version's content hash.</summary>
    /// <returns>What it was; null when there is none.</returns>
    Task<Dataset?> DeleteAsync(ProjectId project, string name, string author, DateTimeOffset at, CancellationToken ct);

    /// <summary>Items of a version by place, those after a place.</summary>
    /// <param name="split">Null for all.</param>
    Task<IReadOnlyList<DatasetItem>> ItemsAsync(
        ProjectId project, string name, int number, string? split, long after, int limit, CancellationToken ct);

    /// <summary>Items that only one of two versions has, by place.</summary>
    Task<IReadOnlyList<DatasetDifference>> DiffAsync(
        ProjectId project, string name, int from, int to, long after, int limit, CancellationToken ct);

    /// <summary>Spans that a query names, as items; nothing is stored.</summary>
    Task<SpanSelection> SelectAsync(ProjectId project, SpanQuery query, CancellationToken ct);
}
