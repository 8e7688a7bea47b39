using Flywheel.Core.Datasets;

namespace Flywheel.Engine.Evaluation;

/// <summary>Where the rows of an evaluation come from: a file or a data set.</summary>
public interface IEvalSource
{
    /// <summary>The file, or NAME@VERSION of a data set.</summary>
    string Name { get; }

    /// <summary>Null for a file.</summary>
    DatasetVersion? Dataset { get; }

    /// <returns>SHA-256 of the content, and the number of rows or slightly more.</returns>
    Task<(string Hash, long Rows)> FingerprintAsync(CancellationToken ct);

    /// <summary>Rows that are not in <paramref name="done"/>, in order, from the beginning.</summary>
    IEnumerable<RawRow> Read(IReadOnlySet<int> done);
}
