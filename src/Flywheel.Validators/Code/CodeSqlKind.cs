using System.Collections.Frozen;
using Flywheel.Core;
using Flywheel.Core.Metrics;
using Flywheel.Core.Sandboxing;
using Flywheel.Core.Traces;
using Flywheel.Validators.Sandboxing;

namespace Flywheel.Validators.Code;

/// <summary>Passes when the text is one SQL query that the database can answer, and the answer is as expected. Score: its rows.</summary>
sealed class CodeSqlKind(Sandbox? sandbox, CodeDatabases? databases) : ValidatorKind("code.sql", 1,
    "The text is one SQL query that compiles against a database, runs in the sandbox, and gives what is expected.",
    new("database", "text", "A database of the server's settings (`Databases`); on the command line also a SQLite file or postgres://…",
        null),
    new("execute", "true or false", "Run it; otherwise it is only compiled against the schema.", "true"),
    new("timeout_ms", "integer", "Milliseconds that the statement may run, 10 to 5000.", "1000"),
    new("non_empty", "true or false", "The result must have a row.", "false"),
    new("max_rows", "integer", "The result may have at most so many rows, 0 to 10000.", "10000"),
    new("columns", "list of text", "Columns of the result in order: the schema's names, or `AS name` for one that the statement makes up.",
        "any"),
    new("tables", "list of text", "Tables that it may read.", "all of the schema"),
    new("reference", "text", "Path in the attributes of the reference: a SQL query, or its rows as a list.", "none"),
    new("order", "auto, always or never", "Whether rows must come in the reference's order; `auto`: when it has an ORDER BY.", "auto"),
    new("tolerance", "number", "Relative difference at which two numbers are the same.", "1e-9"),
    new("owner_column", "text",
        "Name of the column that says whose a row is, such as `customer_id`: only the caller's rows may be touched.", "none"),
    new("caller", "text", "Path in the attributes of who is asking; needed with `owner_column`.", "none"),
    new("parameters", "text", "Path in the attributes of an object with values for the statement's parameters; others are NULL.", "none"),
    new("allow_fence", "true or false", "Accept a statement in one Markdown code block.", "false"))
{
    const int DefaultMaxRows = 10_000;
    static readonly FrozenSet<NodeKind> Nodes = new[] { NodeKind.Codegen, NodeKind.Tool, NodeKind.Other }.ToFrozenSet();

    public override IReadOnlySet<NodeKind> NodeKinds => Nodes;

    protected override IValidator Create(ValidatorContext context, ValidatorSettings read, string version)
    {
        var name = read.RequiredText("database", "name a database of the server's settings, or on the command line a SQLite file.");
        if (sandbox is null || databases is null)
            throw read.Wrong("database", "cannot be used: no sandbox is at hand here.");
        var expectations = Expectations(read);
        try
        {
            var database = databases.Find(name);
            // The contract of Create is synchronous, and a misspelt column must be refused when a metric is saved.
            var ready = Task.Run(async () => await sandbox.ReadyAsync(await database.OpenAsync(sandbox, default), default)).GetAwaiter()
                .GetResult();
            if (expectations.Parameters is not null && database.Flavour == SqlFlavour.Postgres)
                throw read.Wrong("parameters", "is for SQLite only: PostgreSQL has no named parameters. Remove it.");
            Check(read, expectations, ready.Tables!);
            return new CodeSqlValidator(version, context.Subject, sandbox, database, ready, expectations);
        }
        catch (SandboxException e)
        {
            throw read.Wrong("database", e.Message);
        }
    }

    static SqlExpectations Expectations(ValidatorSettings read)
    {
        var expectations = new SqlExpectations
        {
            Execute = read.Flag("execute", true),
            Milliseconds = read.Integer("timeout_ms", 10, 5_000) ?? 1_000,
            NonEmpty = read.Flag("non_empty", false),
            MaxRows = read.Integer("max_rows", 0, DefaultMaxRows) ?? DefaultMaxRows,
            Columns = read.Texts("columns"),
            Tables = read.Texts("tables"),
            Reference = read.Text("reference"),
            Order = read.Choice("order", "auto", "auto", "always", "never"),
            Tolerance = read.Number("tolerance", 0, 1) ?? 1e-9,
            OwnerColumn = read.Text("owner_column"),
            Caller = read.Text("caller"),
            Parameters = read.Text("parameters"),
            AllowFence = read.Flag("allow_fence", false),
        };
        if (expectations.OwnerColumn is null != expectations.Caller is null)
            throw read.Missing(expectations.Caller is null ? "caller" : "owner_column",
                "`owner_column` and `caller` go together: whose a row is, and who is asking.");
        if (!expectations.Execute)
            foreach (var (setting, isGiven) in new[]
                     {
                         ("reference", expectations.Reference is not null), ("non_empty", expectations.NonEmpty),
                         ("owner_column", expectations.OwnerColumn is not null), ("max_rows", expectations.MaxRows < DefaultMaxRows),
                     })
                if (isGiven)
                    throw read.Wrong(setting, "needs the statement to run, but `execute` is false: remove one of the two.");
        return expectations.MaxRows == 0 && expectations.NonEmpty
            ? throw read.Wrong("max_rows", "is 0 while `non_empty` is true: no result can pass.")
            : expectations;
    }

    static void Check(ValidatorSettings read, SqlExpectations expectations, IReadOnlyList<SqlTable> tables)
    {
        var columns = tables.SelectMany(table => table.Columns).Distinct(StringComparer.OrdinalIgnoreCase).ToArray();
        foreach (var table in expectations.Tables)
            if (!tables.Any(known => known.Name.Equals(table, StringComparison.OrdinalIgnoreCase)))
                throw read.Wrong("tables",
                    $"names {Quote.Short(table)}, which the database does not "
                        + $"have.{NearMiss.Hint(table, tables.Select(each => each.Name))}");
        foreach (var column in expectations.Columns)
            if (SqlExpectations.MadeUp(column) is null && !columns.Contains(column, StringComparer.OrdinalIgnoreCase))
                throw read.Wrong("columns",
                    $"names {Quote.Short(column)}, which no table has.{NearMiss.Hint(column, columns)} Write `AS {column}` for a name "
                        + "that the statement makes up.");
        if (expectations.OwnerColumn is { } owner && !columns.Contains(owner, StringComparer.OrdinalIgnoreCase))
            throw read.Wrong("owner_column", $"is {Quote.Short(owner)}, which no table has.{NearMiss.Hint(owner, columns)}");
    }
}

/// <summary>The settings of <c>code.sql</c>, checked.</summary>
sealed record SqlExpectations
{
    public required bool Execute { get; init; }
    public required int Milliseconds { get; init; }
    public required bool NonEmpty { get; init; }
    public required int MaxRows { get; init; }
    public required IReadOnlyList<string> Columns { get; init; }
    public required IReadOnlyList<string> Tables { get; init; }
    public required string? Reference { get; init; }
    public required string Order { get; init; }
    public required double Tolerance { get; init; }
    public required string? OwnerColumn { get; init; }
    public required string? Caller { get; init; }
    public required string? Parameters { get; init; }
    public required bool AllowFence { get; init; }

    /// <summary><c>AS total</c> gives <c>total</c>; null for a column of the schema.</summary>
    public static string? MadeUp(string column) => column.StartsWith("as ", StringComparison.OrdinalIgnoreCase) ? column[3..].Trim() : null;
}
