using System.Diagnostics;
using Flywheel.Core.Observability;
using Flywheel.Core.Traces;
using Microsoft.Data.Sqlite;

namespace Flywheel.Storage.Sqlite;

/// <summary>How work that fails is taken back without its neighbours in the same transaction.</summary>
internal enum Undo
{
    /// <summary>By a savepoint around it.</summary>
    Savepoint,

    /// <summary>It is one statement, which undoes itself.</summary>
    Itself,

    /// <summary>
    /// The transaction is rolled back and the others start over. For work of many statements that hardly ever fails: under a
    /// savepoint SQLite keeps the old image of every page, and with triggers each statement walks over all of them (measured: 71 %
    /// of the writer's time in batches of 500 spans).
    /// </summary>
    Restart,
}

/// <summary>
/// The one writer of this process: whatever waits is written together and shares one commit, and nobody is answered before it.
/// </summary>
/// <remarks>
/// Interactive work goes first; background work gets what is left, and always <see cref="BackgroundShare"/> of the time. Work
/// that fails takes nothing of its neighbours along: see <see cref="Undo"/>.
/// </remarks>
internal sealed class SqliteWriter : IDisposable
{
    /// <summary>Rows of one commit: enough to hide the sync, little enough to keep answers quick.</summary>
    const int GroupWeight = 2_000;

    const int BackgroundGroup = 4;
    const double BackgroundShare = 0.25;
    const int SqliteBusy = 5, SqliteForeignKey = 787;

    /// <summary>How long another process may hold the write lock before waiting callers are sent away.</summary>
    static readonly TimeSpan LockWait = TimeSpan.FromSeconds(30);

    static readonly KeyValuePair<string, object?> SystemTag = new("db.system.name", "sqlite");

    readonly SqliteSession session;
    readonly int capacity;
    /// <summary>
    /// A monitor: a semaphore would spin before it sleeps, which on a busy machine takes the time of those who bring work.
    /// </summary>
    readonly object gate = new();
    readonly Queue<Work> interactive = new();
    readonly Queue<Work> background = new();
    readonly Thread thread;
    int waiting;
    long interactiveTicks, backgroundTicks;
    bool stopping;

    public SqliteWriter(SqliteSession session, int capacity)
    {
        this.session = session;
        this.capacity = capacity;
        thread = new(Loop) { IsBackground = true, Name = "flywheel-writer" };
        thread.Start();
    }

    /// <param name="weight">Rows that the work writes, roughly.</param>
    /// <exception cref="OverloadedException">Too much waits already.</exception>
    public Task<T> RunAsync<T>(Urgency urgency, int weight, Undo undo, Func<SqliteSession, Task<T>> work, CancellationToken ct)
    {
        var item = new Work<T>(weight, undo, work, ct);
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(stopping, this);
            if (urgency == Urgency.Interactive)
            {
                if (waiting > 0 && waiting + weight > capacity)
                    throw new OverloadedException(TimeSpan.FromSeconds(1));
                waiting += weight;
                interactive.Enqueue(item);
            }
            else
                background.Enqueue(item);
            Monitor.Pulse(gate);
        }
        return item.Task;
    }

    /// <summary>Writes what waits, then closes the connection.</summary>
    public void Dispose()
    {
        lock (gate)
        {
            if (stopping)
                return;
            stopping = true;
            Monitor.Pulse(gate);
        }
        thread.Join();
        session.Dispose();
    }

    void Loop()
    {
        var group = new List<Work>();
        while (Take(group) is { } isBackground)
        {
            var start = Stopwatch.GetTimestamp();
            try
            {
                Write(group);
            }
            catch (Exception fault)
            {
                // Whoever waits must hear of it; the next group starts afresh.
                foreach (var work in group)
                    work.Fail(fault);
                if (session.InTransaction)
                    session.Run("ROLLBACK");
            }
            Account(isBackground, Stopwatch.GetTimestamp() - start);
            FlywheelMeter.CommitDuration.Record(Stopwatch.GetElapsedTime(start).TotalSeconds, SystemTag);
            group.Clear();
        }
    }

    /// <summary>Waits for work and takes as much as goes into one commit.</summary>
    /// <returns>True when the group is background work; null when there is none and never will be.</returns>
    bool? Take(List<Work> group)
    {
        lock (gate)
        {
            while (interactive.Count + background.Count == 0)
            {
                if (stopping)
                    return null;
                Monitor.Wait(gate);
            }
            var isBackground = background.Count > 0
                && (interactive.Count == 0 || backgroundTicks < BackgroundShare * (interactiveTicks + backgroundTicks));
            var queue = isBackground ? background : interactive;
            var weight = 0;
            while (queue.TryPeek(out var next)
                && (group.Count == 0 || (isBackground ? group.Count < BackgroundGroup : weight + next.Weight <= GroupWeight)))
            {
                weight += next.Weight;
                group.Add(queue.Dequeue());
            }
            if (!isBackground)
                waiting -= weight;
            return isBackground;
        }
    }

    /// <summary>Remembers about the last second of writing, so that an old burst does not weigh for ever.</summary>
    void Account(bool isBackground, long ticks)
    {
        if (isBackground)
            backgroundTicks += ticks;
        else
            interactiveTicks += ticks;
        if (interactiveTicks + backgroundTicks > Stopwatch.Frequency)
        {
            interactiveTicks /= 2;
            backgroundTicks /= 2;
        }
    }

    void Write(List<Work> group)
    {
        group.RemoveAll(work => work.GiveUp());
        // When SQLite gives up a whole transaction over one piece of work, the others start over without it.
        while (group.Count > 0 && !TryWrite(group))
        {
        }
    }

    bool TryWrite(List<Work> group)
    {
        Begin();
        var alone = group.Count == 1;
        for (var i = 0; i < group.Count; i++)
        {
            var work = group[i];
            var savepoint = work.Undo == Undo.Savepoint && !alone;
            try
            {
                if (savepoint)
                    session.Run("SAVEPOINT work");
                work.Run(session);
                if (savepoint)
                    session.Run("RELEASE work");
            }
            catch (Exception fault)
            {
                work.Fail(
                    fault is SqliteException { SqliteExtendedErrorCode: SqliteForeignKey }
                        ? new KeyNotFoundException($"A row names one that is not there: {fault.Message}", fault)
                        : fault);
                group.RemoveAt(i--);
                if (!session.InTransaction)
                    return false;
                if (alone)
                {
                    session.Run("ROLLBACK");
                    return true;
                }
                if (savepoint)
                {
                    session.Run("ROLLBACK TO work");
                    session.Run("RELEASE work");
                }
                else if (work.Undo == Undo.Restart)
                {
                    session.Run("ROLLBACK");
                    return false;
                }
            }
        }
        session.Run("COMMIT");
        foreach (var work in group)
            work.Complete();
        group.Clear();
        return true;
    }

    void Begin()
    {
        var start = Stopwatch.GetTimestamp();
        while (true)
            try
            {
                session.Run("BEGIN IMMEDIATE");
                return;
            }
            catch (SqliteException busy) when (busy.SqliteErrorCode == SqliteBusy)
            {
                if (Stopwatch.GetElapsedTime(start) > LockWait)
                    throw new OverloadedException(TimeSpan.FromSeconds(5));
            }
    }

    abstract class Work(int weight, Undo undo)
    {
        public int Weight { get; } = weight;
        public Undo Undo { get; } = undo;

        public abstract void Run(SqliteSession session);
        public abstract void Complete();
        public abstract void Fail(Exception fault);

        /// <summary>True when nobody waits any more; once writing has begun, it is finished.</summary>
        public abstract bool GiveUp();
    }

    sealed class Work<T>(int weight, Undo undo, Func<SqliteSession, Task<T>> work, CancellationToken ct) : Work(weight, undo)
    {
        readonly TaskCompletionSource<T> answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
        T? result;

        public Task<T> Task => answer.Task;

        public override void Run(SqliteSession session)
        {
            // A SQLite session never suspends, so the work is over when the call returns.
            var task = work(session);
            if (!task.IsCompleted)
                throw new InvalidOperationException("Work on the writer waited for something else than the session.");
            result = task.GetAwaiter().GetResult();
        }

        public override void Complete() => answer.TrySetResult(result!);

        public override void Fail(Exception fault) => answer.TrySetException(fault);

        public override bool GiveUp() => ct.IsCancellationRequested && answer.TrySetCanceled(ct);
    }
}
