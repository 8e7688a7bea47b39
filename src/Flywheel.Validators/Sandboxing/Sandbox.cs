using System.Text.Json.Serialization.Metadata;
using Flywheel.Core.Sandboxing;

namespace Flywheel.Validators.Sandboxing;

/// <summary>The one place where foreign code runs: processes of their own, kept warm, killed when they overrun.</summary>
/// <remarks>
/// A child belongs to one opening (an engine and its database) for life and does one task at a time. One that was killed is replaced
/// while the others work on. Children end when this process ends, since their pipe does.
/// </remarks>
public sealed class Sandbox : IAsyncDisposable
{
    readonly SandboxOptions _options;
    readonly SemaphoreSlim _places;
    readonly Lock _lock = new();
    readonly List<(SandboxOpening Opening, Task<SandboxChild> Child)> _idle = []; // oldest first
    readonly PrivateCopies _copies;
    bool _closed;

    public Sandbox(SandboxOptions? options = null)
    {
        _options = options ?? new();
        _places = new(_options.MaxAtWork);
        _copies = new(SettleAsync);
    }

    /// <summary>
    /// An opening of a SQLite file: of its private copy, made anew when the file has changed. The file itself is only read.
    /// </summary>
    /// <exception cref="SandboxException">The file is not there, or is being written all the time.</exception>
    public async Task<SandboxOpening> SqliteAsync(string file, CancellationToken ct) =>
        Opening(SandboxEngine.Sqlite, await _copies.OfAsync(file, ct));

    /// <param name="url">As configured: <c>postgres://…</c>.</param>
    public SandboxOpening Postgres(string url) => Opening(SandboxEngine.Postgres, url);

    /// <summary>Of an engine that has no database.</summary>
    public SandboxOpening Language(SandboxEngine engine) =>
        Opening(engine, engine == SandboxEngine.CSharp
            && _options.Analyzers.Count > 0 ? string.Join(Path.PathSeparator, _options.Analyzers) : null);

    SandboxOpening Opening(SandboxEngine engine, string? database) =>
        new(engine, database, engine == SandboxEngine.CSharp ? 2 * _options.MemoryMb : _options.MemoryMb, _options.MaxRows,
            _options.MaxBytes);

    /// <summary>What a child of this opening says of itself: its walls, its tables.</summary>
    public Task<SandboxReady> ReadyAsync(SandboxOpening opening, CancellationToken ct) =>
        WithChildAsync(opening, child => Task.FromResult(child.Ready), ct);

    /// <param name="milliseconds">Of the task's own; a child that has not answered shortly after is killed.</param>
    /// <exception cref="SandboxException">No child can be had.</exception>
    public Task<SandboxAnswer<TResult>> AskAsync<TTask, TResult>(
        SandboxOpening opening, TTask task, JsonTypeInfo<TTask> taskType, JsonTypeInfo<TResult> resultType, int milliseconds,
        CancellationToken ct)
        where TResult : class => WithChildAsync(opening, child => child.AskAsync(task, taskType, resultType, milliseconds, ct), ct);

    async Task<T> WithChildAsync<T>(SandboxOpening opening, Func<SandboxChild, Task<T>> use, CancellationToken ct)
    {
        await _places.WaitAsync(ct);
        try
        {
            var child = await TakeAsync(opening, ct);
            try
            {
                return await use(child);
            }
            finally
            {
                await PutBackAsync(opening, child);
            }
        }
        finally
        {
            _places.Release();
        }
    }

    async Task<SandboxChild> TakeAsync(SandboxOpening opening, CancellationToken ct)
    {
        while (true)
        {
            Task<SandboxChild>? waiting = null;
            lock (_lock)
            {
                ObjectDisposedException.ThrowIf(_closed, this);
                var at = _idle.FindLastIndex(idle => idle.Opening == opening && idle.Child.IsCompletedSuccessfully);
                if (at < 0)
                    at = _idle.FindIndex(idle => idle.Opening == opening);
                if (at >= 0)
                {
                    waiting = _idle[at].Child;
                    _idle.RemoveAt(at);
                }
            }
            var child = await (waiting ?? SandboxChild.StartAsync(opening, ct));
            if (child.IsUsable)
                return child;
            await child.DisposeAsync();
        }
    }

    async Task PutBackAsync(SandboxOpening opening, SandboxChild child)
    {
        var dropped = new List<Task<SandboxChild>>();
        var usable = child.IsUsable;
        lock (_lock)
        {
            if (_closed)
                dropped.Add(Task.FromResult(child));
            else
            {
                _idle.Add((opening, usable ? Task.FromResult(child) : SandboxChild.StartAsync(opening, CancellationToken.None)));
                // Who killed one may kill the next: a spare spares the next check the wait.
                if (!usable && _idle.Count(idle => idle.Opening == opening) == 1)
                    _idle.Add((opening, SandboxChild.StartAsync(opening, CancellationToken.None)));
                while (_idle.Count > Math.Max(1, _options.MaxIdle))
                {
                    dropped.Add(_idle[0].Child);
                    _idle.RemoveAt(0);
                }
            }
        }
        if (!usable)
            await child.DisposeAsync();
        foreach (var each in dropped)
            await EndAsync(each);
    }

    async Task SettleAsync(string copy, CancellationToken ct)
    {
        await using var child = await SandboxChild.StartAsync(Opening(SandboxEngine.Sqlite, copy) with { Settle = true }, ct);
    }

    /// <summary>Also of one that never came up: its fault was told to whoever asked for it, or to nobody.</summary>
    static async Task EndAsync(Task<SandboxChild> starting)
    {
        try
        {
            await (await starting).DisposeAsync();
        }
        catch (SandboxException)
        {
        }
    }

    public async ValueTask DisposeAsync()
    {
        (SandboxOpening Opening, Task<SandboxChild> Child)[] idle;
        lock (_lock)
        {
            if (_closed)
                return;
            _closed = true;
            idle = [.. _idle];
            _idle.Clear();
        }
        await Task.WhenAll(idle.Select(each => EndAsync(each.Child)));
        _copies.Dispose();
        _places.Dispose();
    }
}
