namespace Flywheel.Storage.Tests;

// Every suite on PostgreSQL.
public sealed class SpansOnPostgres(PostgresCluster cluster) : SpanConformance(cluster);
public sealed class SpanTextsOnPostgres(PostgresCluster cluster) : SpanTextConformance(cluster);
public sealed class JobsOnPostgres(PostgresCluster cluster) : JobConformance(cluster);
public sealed class CountsOnPostgres(PostgresCluster cluster) : CountConformance(cluster);
public sealed class ReferencesOnPostgres(PostgresCluster cluster) : ReferenceConformance(cluster);
public sealed class MetricReviewsOnPostgres(PostgresCluster cluster) : MetricReviewConformance(cluster);
public sealed class MetricsOnPostgres(PostgresCluster cluster) : MetricConformance(cluster);
public sealed class BackfillsOnPostgres(PostgresCluster cluster) : BackfillConformance(cluster);
public sealed class PeopleOnPostgres(PostgresCluster cluster) : PeopleConformance(cluster);
public sealed class ReviewOnPostgres(PostgresCluster cluster) : ReviewConformance(cluster);
public sealed class DemonstrationsOnPostgres(PostgresCluster cluster) : DemonstrationConformance(cluster);
public sealed class EvalRunsOnPostgres(PostgresCluster cluster) : EvalRunConformance(cluster);
public sealed class PeriodicTasksOnPostgres(PostgresCluster cluster) : PeriodicTaskConformance(cluster);
public sealed class RevisionsOnPostgres(PostgresCluster cluster) : RevisionConformance(cluster);
public sealed class GatewayOnPostgres(PostgresCluster cluster) : GatewayConformance(cluster);
public sealed class AgentOnPostgres(PostgresCluster cluster) : AgentConformance(cluster);
public sealed class PromptsOnPostgres(PostgresCluster cluster) : PromptConformance(cluster);
public sealed class DatasetsOnPostgres(PostgresCluster cluster) : DatasetConformance(cluster);
public sealed class ErasuresOnPostgres(PostgresCluster cluster) : ErasureConformance(cluster);
public sealed class AlignmentOnPostgres(PostgresCluster cluster) : AlignmentConformance(cluster);
public sealed class AnchorsOnPostgres(PostgresCluster cluster) : AnchorConformance(cluster);
public sealed class JudgingOnPostgres(PostgresCluster cluster) : JudgingConformance(cluster);
public sealed class MigrationsOnPostgres(PostgresCluster cluster) : MigrationConformance(cluster);

public sealed class ProjectsOnPostgres(PostgresCluster cluster) : ProjectConformance(cluster)
{
    protected override string DropGuards => "DROP TRIGGER audit_keeps ON audit";
}

public sealed class SqlInsertOnPostgres(PostgresCluster cluster) : SqlInsertConformance(cluster)
{
    protected override string Pragmas => "SELECT 1";
}
