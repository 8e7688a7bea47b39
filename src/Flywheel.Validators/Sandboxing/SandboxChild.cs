using System.Diagnostics;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Flywheel.Core.Sandboxing;

namespace Flywheel.Validators.Sandboxing;

/// <summary>A process that runs foreign code, one task at a time, and is killed when it overruns.</summary>
sealed class SandboxChild : IAsyncDisposable
{
    /// <summary>Until a child is ready; a compiler on a busy machine takes seconds.</summary>
    static readonly TimeSpan StartDeadline = TimeSpan.FromSeconds(45);

    /// <summary>Beyond a task's own time, for its answer to arrive.</summary>
    static readonly TimeSpan Grace = TimeSpan.FromMilliseconds(400);

    /// <summary>A look at the memory costs about 50 µs, so short tasks are over before the first.</summary>
    static readonly TimeSpan MemoryLooks = TimeSpan.FromMilliseconds(50);

    readonly Process _process;
    readonly Stream _to, _from;
    readonly SandboxOpening _opening;
    readonly StringBuilder _said = new();
    readonly Task _listening;
    long _idleBytes;

    SandboxChild(Process process, SandboxOpening opening)
    {
        _process = process;
        _opening = opening;
        _to = process.StandardInput.BaseStream;
        _from = process.StandardOutput.BaseStream;
        _listening = ListenAsync();
    }

    public SandboxReady Ready { get; private set; } = null!;

    /// <summary>False once it was killed or ended.</summary>
    public bool IsUsable { get; private set; }

    /// <exception cref="SandboxException">It did not start, or cannot open what it was told to.</exception>
    public static async Task<SandboxChild> StartAsync(SandboxOpening opening, CancellationToken ct)
    {
        var process = Process.Start(SandboxProgram.StartInfo(opening))
            ?? throw new SandboxException("The sandbox's process did not start.");
        var child = new SandboxChild(process, opening);
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(ct);
        deadline.CancelAfter(StartDeadline);
        try
        {
            var ready = await child.ExchangeAsync(
                JsonSerializer.SerializeToUtf8Bytes(opening, SandboxJson.Default.SandboxOpening), SandboxJson.Default.SandboxReady,
                deadline.Token);
            child.Ready = ready ?? throw new SandboxException($"The sandbox's process ended at its start. {await child.LastWordsAsync()}");
            if (ready.Problem is { } problem)
                throw new SandboxException(problem);
            process.Refresh();
            child._idleBytes = process.WorkingSet64;
            child.IsUsable = true;
            return child;
        }
        catch (Exception e)
        {
            await child.DisposeAsync();
            if (e is OperationCanceledException && !ct.IsCancellationRequested)
                throw new SandboxException($"The sandbox's process was not ready within {StartDeadline.TotalSeconds} s.", e);
            throw;
        }
    }

    /// <summary>Gives one task; kills the process when its time is up or it takes too much memory.</summary>
    public async Task<SandboxAnswer<TResult>> AskAsync<TTask, TResult>(
        TTask task, JsonTypeInfo<TTask> taskType, JsonTypeInfo<TResult> resultType, int milliseconds, CancellationToken ct)
            where TResult : class
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var exchange = ExchangeAsync(JsonSerializer.SerializeToUtf8Bytes(task, taskType), resultType, over.Token);
        var stopwatch = Stopwatch.StartNew();
        string? why = null;
        while (why is null && await Task.WhenAny(exchange, Task.Delay(MemoryLooks, CancellationToken.None)) != exchange)
            why = ct.IsCancellationRequested ? "was stopped"
                : stopwatch.Elapsed > TimeSpan.FromMilliseconds(milliseconds) + Grace ? $"took longer than {milliseconds} ms"
                : IsTooBig() ? $"used more than {_opening.MemoryMb} MB of memory" : null;
        var overdue = why is not null;
        if (overdue)
        {
            Kill();
            await over.CancelAsync();
        }
        try
        {
            var result = await exchange;
            if (!overdue && result is not null)
                return new(result, null);
        }
        catch (Exception e) when (overdue && e is OperationCanceledException or IOException || e is InvalidDataException or IOException)
        {
            why ??= e is InvalidDataException ? "gave a result that is too large" : null;
        }
        Kill();
        ct.ThrowIfCancellationRequested();
        return new(null, why ?? "ended its process, as a lack of memory or a fault does");
    }

    async Task<TResult?> ExchangeAsync<TResult>(byte[] message, JsonTypeInfo<TResult> resultType, CancellationToken ct)
        where TResult : class
    {
        await Frames.WriteAsync(_to, message, ct);
        var limit = 4 * _opening.MaxBytes + (16 << 20);
        return await Frames.ReadAsync(_from, limit, ct) is { } answer ? JsonSerializer.Deserialize(answer, resultType) : null;
    }

    bool IsTooBig()
    {
        try
        {
            _process.Refresh();
            return _process.WorkingSet64 - _idleBytes > (long)_opening.MemoryMb << 20;
        }
        catch (InvalidOperationException)
        {
            return false; // it has ended; the exchange tells
        }
    }

    void Kill()
    {
        IsUsable = false;
        try
        {
            _process.Kill();
        }
        catch (Exception e) when (e is InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            // It has ended by itself.
        }
    }

    /// <summary>What it says in error must be read, or it would wait; a little is kept for when it does not start.</summary>
    async Task ListenAsync()
    {
        var buffer = new char[1024];
        int read;
        while ((read = await _process.StandardError.ReadAsync(buffer)) > 0)
            if (_said.Length < 4_000)
                _said.Append(buffer, 0, read);
    }

    async Task<string> LastWordsAsync()
    {
        await Task.WhenAny(_listening, Task.Delay(1_000));
        return _said.ToString().Trim();
    }

    public async ValueTask DisposeAsync()
    {
        Kill();
        await _process.WaitForExitAsync();
        await Task.WhenAny(_listening, Task.Delay(1_000));
        _process.Dispose();
    }
}

/// <param name="Result">Null when the process was ended.</param>
/// <param name="Ended">Why it was: <c>took longer than 1000 ms</c>.</param>
public sealed record SandboxAnswer<T>(T? Result, string? Ended) where T : class;
