using System.Data.Common;
using Flywheel.Core;
using Flywheel.Core.Jobs;
using Flywheel.Core.Projects;
using Flywheel.Core.Traces;

namespace Flywheel.Storage;

/// <summary>Who waits for a write.</summary>
internal enum Urgency
{
    /// <summary>A person or an application.</summary>
    Interactive,

    /// <summary>A worker. It yields, but keeps a share.</summary>
    Background,
}

/// <summary>One column of many rows; all columns of a call have the same length.</summary>
/// <param name="Values">A typed array: <c>long[]</c>, <c>string?[]</c>, <c>double?[]</c>, <c>byte[][]</c> …</param>
internal sealed record Column(string Name, Array Values);

/// <summary>
/// A connection that one piece of work has for itself. SQL is written once: <c>@name</c> is a parameter, <c>IN (@names)</c>
/// with a list as its value a set, and <c>FROM @given</c> a table of the rows given, named <c>given</c>.
/// </summary>
/// <remarks>Values may be ids, times, words and booleans of the domain; they arrive in the schema's forms.</remarks>
internal abstract class Session
{
    public abstract Task<List<T>> QueryAsync<T>(
        string sql, Func<DbDataReader, T> read, CancellationToken ct, params (string Name, object? Value)[] values);

    /// <returns>How many rows changed, those changed by triggers left out.</returns>
    public abstract Task<int> ExecuteAsync(string sql, CancellationToken ct, params (string Name, object? Value)[] values);

    /// <summary>Runs a statement over many rows: at once where the database can, else row by row.</summary>
    public abstract Task<int> ExecuteGivenAsync(string sql, CancellationToken ct, params Column[] given);

    public abstract Task<List<T>> QueryGivenAsync<T>(
        string sql, Func<DbDataReader, T> read, CancellationToken ct, params Column[] given);

    /// <summary>Gives rows one by one, in memory that does not grow with them. The session does nothing else meanwhile.</summary>
    public abstract Task ForEachAsync(
        string sql, Func<DbDataReader, ValueTask> each, CancellationToken ct, params (string Name, object? Value)[] values);

    /// <summary>The first row; null when there is none.</summary>
    public async Task<T?> FirstAsync<T>(
        string sql, Func<DbDataReader, T> read, CancellationToken ct, params (string Name, object? Value)[] values)
        where T : class =>
        (await QueryAsync(sql, read, ct, values).ConfigureAwait(false)).FirstOrDefault();

    /// <summary>The number in the first column of the first row; null when there is none.</summary>
    public async Task<long?> NumberAsync(string sql, CancellationToken ct, params (string Name, object? Value)[] values)
    {
        var numbers = await QueryAsync(sql, row => row.IsDBNull(0) ? (long?)null : row.GetInt64(0), ct, values).ConfigureAwait(false);
        return numbers.Count == 0 ? null : numbers[0];
    }
}

/// <summary>One of the two databases: how work reaches a connection, and the few statements that differ.</summary>
internal abstract class Database : IAsyncDisposable
{
    long writes;

    public abstract string Description { get; }

    public abstract DatabaseKind Kind { get; }

    /// <summary>Claims jobs: parameters lane, now, until, limit, worker; returns <see cref="Jobs.JobRow"/>'s columns.</summary>
    public abstract string ClaimJobs { get; }

    /// <summary>Makes other writers of this project's audit wait; null where writers wait anyway.</summary>
    public abstract string? LockAudit { get; }

    /// <summary>
    /// Holds the spans of the rows given (columns project, span) against deletion, in id order, before any job of theirs is
    /// touched; null where writers wait anyway.
    /// </summary>
    public abstract string? LockSpans { get; }

    /// <summary>How many spans of one fan-out go into one transaction.</summary>
    public abstract int FanOutChunk { get; }

    /// <summary>Waiting spans, and the arrival of the oldest.</summary>
    public abstract string CountPending { get; }

    /// <summary>Folds up to <c>@limit</c> deltas into the counts; returns how many.</summary>
    public abstract Task<int> FoldAsync(Session session, int limit, CancellationToken ct);

    /// <summary>Takes waiting spans off the list, oldest first.</summary>
    public abstract Task<List<PendingSpan>> TakePendingAsync(Session session, int limit, CancellationToken ct);

    public abstract Task<IReadOnlyList<SpanInsertResult>> AddSpansAsync(
        ProjectId project, IReadOnlyList<NewSpan> spans, DateTimeOffset at, CancellationToken ct);

    /// <summary>Evaluates an expression over one span under a deadline, on a connection that cannot write.</summary>
    public abstract Task<object?> EvaluateAsync(ProjectId project, SpanId span, string expression, CancellationToken ct);

    public abstract Task<IReadOnlyList<string>> MigrateAsync(CancellationToken ct);

    /// <summary>What is damaged in the files, in words; null when nothing is or the database looks after that itself.</summary>
    public virtual Task<string?> FindDamageAsync(CancellationToken ct) => Task.FromResult<string?>(null);

    /// <summary>Rewrites the file so that free pages are gone; false where the database does that itself.</summary>
    /// <exception cref="TimeoutException">Somebody kept the old pages in use.</exception>
    public virtual Task<bool> CompactAsync(CancellationToken ct) => Task.FromResult(false);

    /// <summary>Reads on a connection of its own; again when the connection turns out to be broken.</summary>
    public abstract Task<T> ReadAsync<T>(Func<Session, Task<T>> work, CancellationToken ct);

    /// <summary>Reads on a connection of its own; all statements see the database as it stood at the first. Never runs twice.</summary>
    public abstract Task SnapshotAsync(Func<Session, Task> work, CancellationToken ct);

    /// <summary>Runs work in a transaction; when this returns, it is committed and on disk.</summary>
    /// <remarks>The work may run more than once when the database asks for it: it must not touch anything but the session.</remarks>
    public async Task<T> WriteAsync<T>(Urgency urgency, Func<Session, Task<T>> work, CancellationToken ct)
    {
        try
        {
            return await InTransactionAsync(urgency, work, ct).ConfigureAwait(false);
        }
        finally
        {
            // Before the caller knows: whoever it tells finds the change. A write that failed may have been one all the same.
            Interlocked.Increment(ref writes);
        }
    }

    /// <summary>Rises with every write of this process that may have changed something else than spans.</summary>
    public long Writes => Interlocked.Read(ref writes);

    protected abstract Task<T> InTransactionAsync<T>(Urgency urgency, Func<Session, Task<T>> work, CancellationToken ct);

    public abstract ValueTask DisposeAsync();

    public Task<List<T>> QueryAsync<T>(
        string sql, Func<DbDataReader, T> read, CancellationToken ct, params (string Name, object? Value)[] values) =>
        ReadAsync(session => session.QueryAsync(sql, read, ct, values), ct);

    public Task<T?> FirstAsync<T>(
        string sql, Func<DbDataReader, T> read, CancellationToken ct, params (string Name, object? Value)[] values)
        where T : class =>
        ReadAsync(session => session.FirstAsync(sql, read, ct, values), ct);

    public Task<long?> NumberAsync(string sql, CancellationToken ct, params (string Name, object? Value)[] values) =>
        ReadAsync(session => session.NumberAsync(sql, ct, values), ct);
}
