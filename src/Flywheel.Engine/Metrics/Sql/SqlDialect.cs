namespace Flywheel.Engine.Metrics.Sql;

public enum SqlDialect
{
    Sqlite,
    Postgres,
}
