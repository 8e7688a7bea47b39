using System.Text.Json;
using System.Text.Json.Serialization;

namespace Flywheel.Core.Sandboxing;

/// <summary>What a child of the sandbox is for; it does nothing else for the rest of its life.</summary>
public enum SandboxEngine
{
    Sqlite,
    Postgres,
    JavaScript,
    CSharp,
}

/// <summary>The first message to a child: what it may touch. Everything is opened, then the door is locked, then work begins.</summary>
/// <param name="Database">SQLite: a private copy's path. PostgreSQL: its address. C#: analyzers by path, or null. JavaScript: null.</param>
/// <param name="Settle">Of a fresh copy: take in the write-ahead log or journal copied with it, say how it went, and end.</param>
/// <param name="MemoryMb">Megabytes that work may take beyond what the idle child has.</param>
/// <param name="MaxRows">A result is cut after so many rows.</param>
/// <param name="MaxBytes">A result is cut after so many bytes of JSON.</param>
public sealed record SandboxOpening(SandboxEngine Engine, string? Database, int MemoryMb, int MaxRows, int MaxBytes, bool Settle = false);

/// <summary>The child's answer to its opening.</summary>
/// <param name="Problem">Why it cannot work, with the remedy; null when it can.</param>
/// <param name="Layers">Walls that were tried and held, in words.</param>
/// <param name="MissingLayers">Walls that this platform or database does not offer, in words.</param>
/// <param name="Tables">What the database holds; null without one.</param>
/// <param name="Functions">PostgreSQL: lower-case names of functions that a statement may not call. Otherwise null.</param>
public sealed record SandboxReady(
    string? Problem, IReadOnlyList<string> Layers, IReadOnlyList<string> MissingLayers, IReadOnlyList<SqlTable>? Tables = null,
    IReadOnlyList<string>? Functions = null);

/// <param name="Schema"><c>main</c> in SQLite.</param>
/// <param name="Links">Foreign keys to other tables.</param>
public sealed record SqlTable(string Schema, string Name, IReadOnlyList<string> Columns, IReadOnlyList<SqlLink> Links, bool IsView);

/// <summary>A foreign key of one column.</summary>
public sealed record SqlLink(string Column, string Table, string TargetColumn);

/// <summary>One statement to compile, and perhaps to run.</summary>
/// <param name="Parameters">Values by name without the sign before it; what is not given is NULL.</param>
public sealed record SqlTask(string Sql, bool Run, int Milliseconds, IReadOnlyDictionary<string, JsonElement>? Parameters = null);

/// <summary>What came of a statement.</summary>
/// <param name="Refused">Why it was not run: it does not compile, or does more than read; null when it may run.</param>
/// <param name="Failed">Why running it stopped; null when it did not.</param>
/// <param name="Overdue">It was stopped because its time was up.</param>
/// <param name="Rows">Null when it did not run or stopped. Numbers, texts, true and false, null; blobs as <c>{"x": "hex"}</c>.</param>
/// <param name="Cut">There were more rows or bytes than the limits allow.</param>
/// <param name="Tables">Tables and views that it reads; null when the engine cannot tell.</param>
public sealed record SqlResult(
    string? Refused = null, string? Failed = null, bool Overdue = false, IReadOnlyList<string>? Columns = null,
    IReadOnlyList<JsonElement[]>? Rows = null, bool Cut = false, IReadOnlyList<string>? Tables = null);

/// <summary>A script to parse, and tests to run on it.</summary>
/// <param name="Tests">Expressions or statements run one by one after the script; empty parses only.</param>
/// <param name="Module">Parse as an ECMAScript module instead of a script; modules are not run.</param>
public sealed record ScriptTask(string Script, IReadOnlyList<string> Tests, bool Module, int Milliseconds);

/// <param name="Refused">Why the script does not parse, with line and column.</param>
/// <param name="Failed">Why the script itself did not run to its end.</param>
/// <param name="Overdue">Time was up.</param>
/// <param name="Failures">What each test that failed said.</param>
public sealed record ScriptResult(
    string? Refused = null, string? Failed = null, bool Overdue = false, IReadOnlyList<TestFailure>? Failures = null);

/// <param name="Index">Which test, from 0.</param>
public sealed record TestFailure(int Index, string Reason);

/// <param name="Source">A whole C# file.</param>
public sealed record CompileTask(string Source, bool Nullable, int Milliseconds);

public sealed record CompileResult(IReadOnlyList<CodeDiagnostic> Diagnostics, bool Overdue = false);

/// <param name="Severity">3 error, 2 warning, 1 information, 0 hidden.</param>
/// <param name="Line">From 1.</param>
public sealed record CodeDiagnostic(string Id, int Severity, int Line, string Message);

/// <summary>How the messages read on the pipe.</summary>
[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, MaxDepth = 16)]
[JsonSerializable(typeof(SandboxOpening))]
[JsonSerializable(typeof(SandboxReady))]
[JsonSerializable(typeof(SqlTask))]
[JsonSerializable(typeof(SqlResult))]
[JsonSerializable(typeof(ScriptTask))]
[JsonSerializable(typeof(ScriptResult))]
[JsonSerializable(typeof(CompileTask))]
[JsonSerializable(typeof(CompileResult))]
public sealed partial class SandboxJson : JsonSerializerContext;
