using Flywheel.Core;
using Flywheel.Storage.Schema;

namespace Flywheel.Storage;

/// <summary>What an acknowledgement is worth.</summary>
public enum Durability
{
    /// <summary>Acknowledged is on disk: it outlives a power loss.</summary>
    Full,

    /// <summary>Acknowledged is in the operating system's memory. Only the positive control of crash tests wants this.</summary>
    Off,
}

/// <summary>How a store is opened.</summary>
public sealed record StoreOptions
{
    public Durability Durability { get; init; } = Durability.Full;

    /// <summary>Rows that may wait to be written before callers are told to come back; a batch counts its spans.</summary>
    public int QueueCapacity { get; init; } = 20_000;

    /// <summary>How long one SQL expression of a metric may run over one span.</summary>
    public TimeSpan ExpressionTimeout { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>The clock of deadlines and of the migrations' dates; times in rows come with the calls.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>Migrations after the program's own. Tests show with them that an upgrade works.</summary>
    internal IReadOnlyList<Migration> FurtherMigrations { get; init; } = [];

    /// <summary>All that a database must have, in order.</summary>
    internal IReadOnlyList<Migration> Migrations(DatabaseKind kind) => [.. SchemaFiles.Migrations(kind), .. FurtherMigrations];
}
