using Flywheel.Core.Projects;
using Flywheel.Core.Statistics;

namespace Flywheel.Core.Evaluation;

/// <summary>Runs of evaluations with their outcomes, row by row, so that a run that was cut short goes on where it stopped.</summary>
/// <remarks>These outcomes are no verdicts: nothing is counted, queued or sent because of them. What an Add method returns from is on
/// disk.</remarks>
public interface IEvalRunStore
{
    /// <summary>Goes on with the newest unfinished run over the same data and metrics, or begins one.</summary>
    /// <param name="afresh">Begin a new run whatever there is.</param>
    Task<EvalRun> BeginAsync(ProjectId project, NewEvalRun run, bool afresh, DateTimeOffset at, CancellationToken ct);

    /// <summary>Row numbers that need no second check.</summary>
    Task<IReadOnlySet<int>> DoneAsync(EvalRun run, CancellationToken ct);

    Task AddAsync(EvalRun run, IReadOnlyList<EvaluatedCase> cases, CancellationToken ct);

    Task AddAsync(EvalRun run, GeneratedOutput output, CancellationToken ct);

    /// <summary>Outputs by row that were made and not checked: of a run that was cut short.</summary>
    Task<IReadOnlyDictionary<int, GeneratedOutput>> UncheckedAsync(EvalRun run, CancellationToken ct);

    /// <returns>Null when the run's outputs were in the file.</returns>
    Task<GenerationTotals?> GenerationAsync(EvalRun run, CancellationToken ct);

    /// <summary>US dollars that the run cost so far, outputs and judges.</summary>
    Task<double> SpentAsync(EvalRun run, CancellationToken ct);

    Task FinishAsync(EvalRun run, DateTimeOffset at, CancellationToken ct);

    /// <summary>Newest first.</summary>
    Task<IReadOnlyList<EvalRunSummary>> ListAsync(ProjectId project, int limit, CancellationToken ct);

    Task<EvalRunSummary?> FindAsync(ProjectId project, long run, CancellationToken ct);

    /// <summary>Every row of a run in the order of the rows. Read in pages.</summary>
    IAsyncEnumerable<EvalOutcomes> OutcomesAsync(EvalRun run, CancellationToken ct);

    /// <summary>Every finding of one metric in the order of the rows. Read in pages.</summary>
    /// <param name="metric">Place in the set, from 0.</param>
    IAsyncEnumerable<EvalFault> FindingsAsync(EvalRun run, int metric, CancellationToken ct);

    Task<IReadOnlyList<EvalCount>> CountsAsync(EvalRun run, CancellationToken ct);

    /// <summary>The rows that failed most metrics or could not be checked, worst first, with every fail and error of theirs.</summary>
    Task<IReadOnlyList<EvalFault>> WorstAsync(EvalRun run, int rows, CancellationToken ct);

    /// <summary>Counts by right class and predicted class.</summary>
    Task<IReadOnlyList<ConfusionCell>> ConfusionAsync(EvalRun run, CancellationToken ct);

    /// <summary>Number of rows without an output or a right class: what <see cref="ConfusionAsync"/> leaves out.</summary>
    Task<long> IncomparableAsync(EvalRun run, CancellationToken ct);
}
