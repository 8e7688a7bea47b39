namespace Flywheel.SandboxChild.Databases;

/// <summary>Knows the product's own database, by whatever address it was named.</summary>
static class OwnSchema
{
    public const string Refusal = "is a database of Flywheel itself, which foreign statements must never see: name another one.";

    public static readonly string[] Tables = ["fan_out", "metric_delta", "demonstration_change"];

    public static bool Holds(IReadOnlySet<string> tables) => Array.TrueForAll(Tables, tables.Contains);
}
