using System.Text.Json;
using Flywheel.Core;
using Flywheel.Core.Metrics;
using Flywheel.Core.Sandboxing;
using Flywheel.Validators.Sandboxing;

namespace Flywheel.Validators.Code;

/// <summary>Looks at a statement, has it compiled, run and compared, in this order, and stops at the first that fails.</summary>
sealed class CodeSqlValidator(
    string version, MetricSubject subject, Sandbox sandbox, CodeDatabase database, SandboxReady ready, SqlExpectations wanted) : IValidator
{
    readonly SqlNames _names = new(ready);
    readonly CallersRows? _callersRows = wanted.OwnerColumn is { } column ? new(ready.Tables!, column) : null;

    public string Version => version;

    public async ValueTask<Finding> CheckAsync(Examinee examinee, CancellationToken ct)
    {
        if (examinee.Text is not { } output)
            return TextValidator.NothingToCheck(subject, examinee);
        var fenced = CodeFence.Inside(output, "sql", "sqlite", "postgres", "postgresql");
        var sql = wanted.AllowFence ? fenced ?? output : output;
        var text = SqlText.Read(sql, database.Flavour, out var problem);
        if ((problem ?? _names.WhyRefused(text, database.Flavour)) is { } refused)
            return Finding.Fail($"refused: {refused}{(fenced is not null && !wanted.AllowFence ? "; it is in a code block (see `allow_fence`)" : "")}");

        if (StrayGrouping.In(text, ready.Tables!) is { } stray)
            return Finding.Fail($"does not compile: {stray}");

        var attributes = examinee.Span?.Content.Attributes;
        var parameters = Parameters(attributes);
        var opening = await database.OpenAsync(sandbox, ct);
        var (result, ended) = await AskAsync(opening, sql, wanted.Execute, parameters, ct);
        if (Stopped(result, ended) is { } stopped)
            return Finding.Fail(stopped);
        if (NotAllowed(text, result!) is { } table)
            return Finding.Fail($"reads `{table}`, which is not among the allowed tables {NearMiss.List(wanted.Tables)}");
        if (WrongColumns(result!.Columns!) is { } columns)
            return Finding.Fail(columns);
        if (!wanted.Execute)
            return Finding.Pass();

        var rows = result.Rows!;
        if (result.Cut || rows.Count > wanted.MaxRows)
            return Finding.Fail($"gives {(result.Cut ? "more rows or bytes than the sandbox takes" : ResultComparison.Rows(rows.Count))}; "
                + $"at most {ResultComparison.Rows(wanted.MaxRows)} are allowed", rows.Count);
        if (wanted.NonEmpty && rows.Count == 0)
            return Finding.Fail("gives no row", 0);
        if (_callersRows is not null && await TouchesOthersAsync(opening, text, rows, attributes, parameters, ct) is { } others)
            return others;
        return wanted.Reference is null
            ? Finding.Pass(rows.Count)
            : await CompareAsync(opening, rows, attributes, parameters, ct);
    }

    async Task<(SqlResult? Result, string? Ended)> AskAsync(
        SandboxOpening opening, string sql, bool run, IReadOnlyDictionary<string, JsonElement>? parameters, CancellationToken ct)
    {
        var answer = await sandbox.AskAsync(
            opening, new SqlTask(sql, run, wanted.Milliseconds, parameters), SandboxJson.Default.SqlTask, SandboxJson.Default.SqlResult,
            wanted.Milliseconds, ct);
        return (answer.Result, answer.Ended);
    }

    static string? Stopped(SqlResult? result, string? ended) =>
        result is null ? $"stopped: it {ended}"
        : result.Refused is { } refused ? $"does not compile: {refused}"
        : result.Failed is { } failed ? (result.Overdue ? $"stopped: it {failed}" : $"fails when it runs: {failed}")
        : null;

    Dictionary<string, JsonElement>? Parameters(string? attributes) =>
        wanted.Parameters is { } path && AttributeText.ElementAt(attributes, path) is { ValueKind: JsonValueKind.Object } values
            ? values.EnumerateObject().ToDictionary(each => each.Name, each => each.Value)
            : null;

    /// <summary>What the database says that it reads, or where it does not say, what the statement names.</summary>
    string? NotAllowed(SqlText text, SqlResult result)
    {
        if (wanted.Tables.Count == 0)
            return null;
        var read = result.Tables ?? [.. text.Pieces.Where(piece => piece.IsName).Select(piece => piece.Value).Where(_names.IsTable)];
        return read.FirstOrDefault(table => _names.IsTable(table) && !wanted.Tables.Contains(table, StringComparer.OrdinalIgnoreCase));
    }

    string? WrongColumns(IReadOnlyList<string> found)
    {
        if (wanted.Columns.Count == 0)
            return null;
        var names = wanted.Columns.Select(column => SqlExpectations.MadeUp(column) ?? column).ToArray();
        return names.SequenceEqual(found, StringComparer.OrdinalIgnoreCase)
            ? null
            : $"gives the columns {NearMiss.List(found)} instead of {NearMiss.List(names)}";
    }

    async Task<Finding?> TouchesOthersAsync(
        SandboxOpening opening, SqlText text, IReadOnlyList<JsonElement[]> rows, string? attributes,
        IReadOnlyDictionary<string, JsonElement>? parameters,
        CancellationToken ct)
    {
        if (AttributeText.ElementAt(attributes, wanted.Caller!) is not { ValueKind: JsonValueKind.String or JsonValueKind.Number } caller)
            return Finding.Skipped($"nobody is asking: the span's attributes have no text or number `{wanted.Caller}`");
        if (_callersRows!.Opaque(text) is { } view)
            return Finding.Unsure($"it reads the view `{view}`, which has no `{wanted.OwnerColumn}`: whose rows it touches cannot be told");
        if (_callersRows.Restricted(text, caller) is not { } restricted)
            return null;
        var (result, ended) = await AskAsync(opening, restricted, true, parameters, ct);
        if (Stopped(result, ended) is { } stopped)
            return Finding.Unsure($"whose rows it touches cannot be told: on the caller's rows alone it {stopped}");
        return result!.Cut || ResultComparison.Difference(rows, result.Rows!, inOrder: false, wanted.Tolerance) is { } difference
            ? Finding.Fail($"touches rows that are not the caller's ({wanted.OwnerColumn} {caller.GetRawText()}): with those alone the "
            + "result differs", rows.Count)
            : null;
    }

    async Task<Finding> CompareAsync(
        SandboxOpening opening, IReadOnlyList<JsonElement[]> rows, string? attributes, IReadOnlyDictionary<string, JsonElement>? parameters,
        CancellationToken ct)
    {
        switch (AttributeText.ElementAt(attributes, wanted.Reference!))
        {
            case null:
                return Finding.Skipped($"no reference: the span's attributes have no `{wanted.Reference}`");
            case { ValueKind: JsonValueKind.Array } given:
                return ReferenceRows.Read(given) is { } reference
                    ? Compared(rows, reference, wanted.Order == "always")
                    : Finding.Error($"the reference `{wanted.Reference}` is a list, but not of rows: give lists or objects");
            case { ValueKind: JsonValueKind.String } sql:
                var text = SqlText.Read(sql.GetString()!, database.Flavour, out var problem);
                if ((problem ?? _names.WhyRefused(text, database.Flavour)) is { } refused)
                    return Finding.Error($"the reference is refused: {refused}");
                var (result, ended) = await AskAsync(opening, sql.GetString()!, true, parameters, ct);
                return Stopped(result, ended) is { } stopped
                    ? Finding.Error($"the reference {stopped}")
                    : result!.Cut
                        ? Finding.Error("the reference gives more rows or bytes than the sandbox takes")
                        : Compared(rows, result.Rows!, wanted.Order == "always" || wanted.Order == "auto" && text.IsOrdered);
            default:
                return Finding.Error($"the reference `{wanted.Reference}` is neither a SQL query nor a list of rows");
        }
    }

    Finding Compared(IReadOnlyList<JsonElement[]> rows, IReadOnlyList<JsonElement[]> reference, bool inOrder) =>
        ResultComparison.Difference(rows, reference, inOrder, wanted.Tolerance) is { } difference
            ? Finding.Fail($"differs from the reference: {difference}", rows.Count)
            : Finding.Pass(rows.Count);
}

/// <summary>Rows that came with the span instead of a reference query.</summary>
static class ReferenceRows
{
    /// <summary>Lists, objects (their values in order) or bare values (one column); null when mixed with something else.</summary>
    public static IReadOnlyList<JsonElement[]>? Read(JsonElement rows) => [.. rows.EnumerateArray().Select(row => row.ValueKind switch
    {
        JsonValueKind.Array => row.EnumerateArray().ToArray(),
        JsonValueKind.Object => [.. row.EnumerateObject().Select(cell => cell.Value)],
        _ => [row],
    })];
}
