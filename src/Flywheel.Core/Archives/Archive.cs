using Flywheel.Core.Projects;

namespace Flywheel.Core.Archives;

/// <summary>What a field of an archive holds; every field may be null.</summary>
public enum ArchiveForm
{
    Text,

    /// <summary>JSON, as its text.</summary>
    Json,
    Whole,
    Number,
    YesNo,

    /// <summary>Microseconds since 1970 UTC.</summary>
    Time,
}

public sealed record ArchiveField(string Name, ArchiveForm Form);

/// <summary>One kind of row, such as <c>span</c> or <c>label</c>.</summary>
/// <remarks>Fields name other rows as people do (trace and span id, a metric's name), never by row number: another database has
/// others.</remarks>
public sealed record ArchiveKind(string Name, IReadOnlyList<ArchiveField> Fields);

/// <param name="Values">By the kind's fields: text, <c>long</c>, <c>double</c> or null.</param>
public sealed record ArchiveRow(ArchiveKind Kind, object?[] Values);

/// <summary>A row that was not taken in.</summary>
/// <param name="Index">Place in what was given.</param>
public sealed record ArchiveRefusal(int Index, string Why);

/// <param name="Added">Rows that were not there. The others were, and stay as they are.</param>
public sealed record ArchiveWrite(int Added, IReadOnlyList<ArchiveRefusal> Refused);

public interface IArchiveStore
{
    /// <summary>Why entries of an audit are refused; no fault, for a chain cannot hold two histories.</summary>
    const string OwnAudit = "the project has an audit of its own, whose chain cannot take in another";

    /// <summary>Everything that is kept of a project, in an order in which it can be read back: what is referred to comes first.</summary>
    /// <remarks>Left out is what follows from the rest (counts, vectors, jobs), what a cache holds, and keys.</remarks>
    IReadOnlyList<ArchiveKind> Kinds { get; }

    /// <summary>Tables with rows of a project that archives leave out, with why.</summary>
    IReadOnlyDictionary<string, string> LeftOut { get; }

    /// <summary>Reads a project as it stands at one moment, however long it takes, in memory that does not grow.</summary>
    /// <param name="begin">Given the number of rows of each kind before the first row.</param>
    Task ReadAsync(
        ProjectId project, IReadOnlyCollection<ArchiveKind> kinds, Func<IReadOnlyDictionary<string, long>, ValueTask> begin,
        Func<ArchiveRow, ValueTask> row,
        CancellationToken ct);

    /// <summary>
    /// Takes rows of one kind in, durably; rows whose keys are taken stay as they are, so that a second time changes nothing.
    /// </summary>
    Task<ArchiveWrite> WriteAsync(ProjectId project, IReadOnlyList<ArchiveRow> rows, CancellationToken ct);

    /// <summary>Notes in the audit who took what in.</summary>
    Task NoteAsync(ProjectId project, string author, string source, IReadOnlyDictionary<string, long> added, DateTimeOffset at,
        CancellationToken ct);
}
