namespace Flywheel.Storage.Tests;

// Every suite on SQLite.
public sealed class SpansOnSqlite(SqliteFiles files) : SpanConformance(files);
public sealed class SpanTextsOnSqlite(SqliteFiles files) : SpanTextConformance(files);
public sealed class JobsOnSqlite(SqliteFiles files) : JobConformance(files);
public sealed class CountsOnSqlite(SqliteFiles files) : CountConformance(files);
public sealed class ReferencesOnSqlite(SqliteFiles files) : ReferenceConformance(files);
public sealed class MetricReviewsOnSqlite(SqliteFiles files) : MetricReviewConformance(files);
public sealed class MetricsOnSqlite(SqliteFiles files) : MetricConformance(files);
public sealed class BackfillsOnSqlite(SqliteFiles files) : BackfillConformance(files);
public sealed class PeopleOnSqlite(SqliteFiles files) : PeopleConformance(files);
public sealed class ReviewOnSqlite(SqliteFiles files) : ReviewConformance(files);
public sealed class DemonstrationsOnSqlite(SqliteFiles files) : DemonstrationConformance(files);
public sealed class EvalRunsOnSqlite(SqliteFiles files) : EvalRunConformance(files);
public sealed class PeriodicTasksOnSqlite(SqliteFiles files) : PeriodicTaskConformance(files);
public sealed class RevisionsOnSqlite(SqliteFiles files) : RevisionConformance(files);
public sealed class GatewayOnSqlite(SqliteFiles files) : GatewayConformance(files);
public sealed class AgentOnSqlite(SqliteFiles files) : AgentConformance(files);
public sealed class PromptsOnSqlite(SqliteFiles files) : PromptConformance(files);
public sealed class DatasetsOnSqlite(SqliteFiles files) : DatasetConformance(files);
public sealed class ErasuresOnSqlite(SqliteFiles files) : ErasureConformance(files)
{
    [Fact]
    public Task A_compacted_file_holds_none_of_the_erased_bytes() => SearchFileAsync();
}

public sealed class AlignmentOnSqlite(SqliteFiles files) : AlignmentConformance(files);
public sealed class AnchorsOnSqlite(SqliteFiles files) : AnchorConformance(files);
public sealed class JudgingOnSqlite(SqliteFiles files) : JudgingConformance(files);
public sealed class MigrationsOnSqlite(SqliteFiles files) : MigrationConformance(files);

public sealed class ProjectsOnSqlite(SqliteFiles files) : ProjectConformance(files)
{
    protected override string DropGuards => "DROP TRIGGER audit_keeps; DROP TRIGGER audit_stays";
}

public sealed class SqlInsertOnSqlite(SqliteFiles files) : SqlInsertConformance(files)
{
    protected override string Pragmas => "PRAGMA foreign_keys = ON";
}
