using System.Text.Json;
using Flywheel.Client.Messages;
using Flywheel.Client.Tracing;
using Flywheel.Core.Traces;

namespace Flywheel.Client;

/// <summary>A step that is no model call: a query, a search, a tool, or the request as a whole.</summary>
/// <remarks>
/// Recorded as a span when it is disposed; calls and steps made until then are its children. It never throws into the
/// application, except for a node name that no store would take.
/// </remarks>
public sealed class FlywheelScope : IDisposable
{
    readonly Position? before;
    readonly Position here;
    readonly string? parent;
    readonly FlywheelConnection? connection;
    readonly TimeProvider time;
    readonly DateTimeOffset startedAt;
    readonly long start;
    Dictionary<string, object?>? attributes;
    bool ended;

    FlywheelScope(string node, NodeKind kind, FlywheelConnection? given)
    {
        NodeName = node;
        Kind = kind;
        before = Position.Current;
        var outer = Position.CurrentOrNew();
        parent = outer.SpanId;
        here = outer.Child();
        connection = given ?? outer.Trace?.Connection;
        time = connection?.Time ?? TimeProvider.System;
        startedAt = time.GetUtcNow();
        start = time.GetTimestamp();
        Position.Current = here;
    }

    /// <summary>What the step is called in the graph of nodes.</summary>
    public string NodeName { get; }

    /// <summary>What the step does.</summary>
    public NodeKind Kind { get; }

    /// <summary>Names the step in feedback, labels and corrections.</summary>
    public SpanKey Key => here.Key;

    /// <summary>What went in; null when nothing did.</summary>
    public string? Input { get; set; }

    /// <summary>What came out; null when nothing did, or it failed before.</summary>
    public string? Output { get; set; }

    /// <summary>Why the step failed; null when it did not.</summary>
    public string? Error { get; set; }

    /// <summary>Opens a step.</summary>
    /// <param name="connection">What records it; null takes the trace's, or the default.</param>
    /// <exception cref="ArgumentException">The name is empty, too long or holds a control character.</exception>
    public static FlywheelScope Node(string node, NodeKind kind, FlywheelConnection? connection = null)
    {
        if (SpanRules.Name(node, SpanRules.MaxNameLength) is { } why)
            throw new ArgumentException("The node's name " + why, nameof(node));
        return new(node, kind, connection);
    }

    /// <summary>Runs a step: what goes in, what comes out, how long it took, and what it threw, which is thrown on unchanged.</summary>
    /// <param name="input">Text as it is; anything else as JSON; null for none.</param>
    /// <param name="step">Its result is the output: text as it is, anything else as JSON.</param>
    /// <param name="connection">What records it; null takes the trace's, or the default.</param>
    /// <exception cref="ArgumentException">The name is empty, too long or holds a control character.</exception>
    public static Task<T> RunAsync<T>(
        string node, NodeKind kind, object? input, Func<CancellationToken, Task<T>> step, FlywheelConnection? connection = null,
        CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(step);
        return RunAsync(node, kind, input, (_, token) => step(token), connection, ct);
    }

    /// <summary>The same for a step that adds attributes, or sets its output itself.</summary>
    public static async Task<T> RunAsync<T>(
        string node, NodeKind kind, object? input, Func<FlywheelScope, CancellationToken, Task<T>> step,
        FlywheelConnection? connection = null,
        CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(step);
        using var scope = Node(node, kind, connection);
        scope.Input = TextOf(input);
        try
        {
            var output = await step(scope, ct).ConfigureAwait(false);
            scope.Output ??= TextOf(output);
            return output;
        }
        catch (Exception failure)
        {
            scope.Fail(failure);
            throw;
        }
    }

    /// <summary>The same for a step that gives no result.</summary>
    public static Task RunAsync(
        string node, NodeKind kind, object? input, Func<CancellationToken, Task> step, FlywheelConnection? connection = null,
        CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(step);
        return RunAsync<object?>(
            node, kind, input,
            async (_, token) =>
            {
                await step(token).ConfigureAwait(false);
                return null;
            }, connection, ct);
    }

    /// <summary>The same for a step that does not wait for anything.</summary>
    public static T Run<T>(string node, NodeKind kind, object? input, Func<T> step, FlywheelConnection? connection = null)
    {
        ArgumentNullException.ThrowIfNull(step);
        using var scope = Node(node, kind, connection);
        scope.Input = TextOf(input);
        try
        {
            var output = step();
            scope.Output = TextOf(output);
            return output;
        }
        catch (Exception failure)
        {
            scope.Fail(failure);
            throw;
        }
    }

    /// <summary>Says that the step failed, for use in a catch clause.</summary>
    public void Fail(Exception exception)
    {
        ArgumentNullException.ThrowIfNull(exception);
        Error = Failure.Describe(exception);
        Set("error.type", exception.GetType().FullName);
    }

    /// <summary>Adds an attribute: text, number, boolean, or what System.Text.Json can write.</summary>
    public void Set(string name, object? value) => (attributes ??= [])[name] = value;

    /// <summary>Ends the step and hands its span on. A second time does nothing.</summary>
    public void Dispose()
    {
        if (ended)
            return;
        ended = true;
        if (Position.Current == here)
            Position.Current = before;

        var recorder = connection ?? here.Trace?.Connection ?? DefaultOrNull();
        if (recorder is null)
        {
            FlywheelConnection.CountUnrecordedStep();
            return;
        }
        try
        {
            recorder.Record(new()
            {
                Key = Key,
                ParentId = parent,
                Node = NodeName,
                Kind = Kind,
                Input = StorableText.Of(Input),
                Output = StorableText.Of(Output),
                Error = StorableText.Of(Error),
                StartedAt = startedAt,
                DurationMs = time.GetElapsedTime(start).TotalMilliseconds,
                Session = here.Trace?.Session,
                EndUser = here.Trace?.EndUser,
                Attributes = attributes is null ? null : AttributeJson.Write(WriteAttributes),
            });
        }
        catch (Exception fault)
        {
            recorder.Failed("Recording a step failed", fault);
        }
    }

    /// <summary>Whatever it is, describing it must not break the step.</summary>
    static string? TextOf(object? value)
    {
        if (value is null or string)
            return (string?)value;
        try
        {
            return AttributeJson.Text(json => AttributeJson.WriteValue(json, value));
        }
        catch (Exception fault)
        {
            return $"({value.GetType()} could not be written: {fault.GetType()})";
        }
    }

    void WriteAttributes(Utf8JsonWriter json)
    {
        foreach (var (name, value) in attributes!)
        {
            json.WritePropertyName(name);
            AttributeJson.WriteValue(json, value);
        }
    }

    static FlywheelConnection? DefaultOrNull()
    {
        try
        {
            return FlywheelConnection.FindDefault();
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }
}
