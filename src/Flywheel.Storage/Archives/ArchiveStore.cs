using System.Data.Common;
using System.Globalization;
using System.Text.Json;
using Flywheel.Core.Archives;
using Flywheel.Core.Projects;
using Flywheel.Storage.Projects;

namespace Flywheel.Storage.Archives;

internal sealed class ArchiveStore(Database database) : IArchiveStore
{
    public IReadOnlyList<ArchiveKind> Kinds { get; } = [.. ArchiveTables.All.Select(table => table.Kind)];

    public IReadOnlyDictionary<string, string> LeftOut => ArchiveTables.LeftOut;

    public Task ReadAsync(
        ProjectId project, IReadOnlyCollection<ArchiveKind> kinds, Func<IReadOnlyDictionary<string, long>, ValueTask> begin,
        Func<ArchiveRow, ValueTask> row,
        CancellationToken ct) => database.SnapshotAsync(
            async session =>
            {
                var tables = ArchiveTables.All.Where(table => kinds.Contains(table.Kind)).ToArray();
                var counts = new Dictionary<string, long>();
                foreach (var table in tables)
                    counts[table.Kind.Name] = await session.NumberAsync(
                        $"SELECT count(*) FROM {From(table)}", ct, ("project", project.Value)).ConfigureAwait(false) ?? 0;
                await begin(counts).ConfigureAwait(false);
                foreach (var table in tables)
                    if (table.Table == ArchiveTables.ReferenceSet)
                        // Few, and their spans are named by further questions.
                        foreach (var one in await session.QueryAsync(
                            Select(table), reader => Read(table, reader), ct, ("project", project.Value)).ConfigureAwait(false))
                            await row(await NameSpansAsync(session, project, one, ct).ConfigureAwait(false)).ConfigureAwait(false);
                    else
                        await session.ForEachAsync(Select(table), reader => row(Read(table, reader)), ct, ("project", project.Value))
                            .ConfigureAwait(false);
            },
            ct);

    public async Task<ArchiveWrite> WriteAsync(ProjectId project, IReadOnlyList<ArchiveRow> rows, CancellationToken ct)
    {
        if (rows.Count == 0)
            return new(0, []);
        var table = ArchiveTables.All.First(each => each.Kind == rows[0].Kind);
        try
        {
            return await database.WriteAsync(
                Urgency.Background, session => new ArchiveWriter(database, session, project, table).WriteAsync(rows, ct), ct)
                .ConfigureAwait(false);
        }
        catch (Exception refused) when (refused is DbException or KeyNotFoundException or StoreException)
        {
            // One row that the database refuses costs none of the others.
            if (rows.Count == 1)
                return new(0, [new(0, refused.Message)]);
            var half = rows.Count / 2;
            var (first, second) = (
                await WriteAsync(project, [.. rows.Take(half)], ct).ConfigureAwait(false),
                await WriteAsync(project, [.. rows.Skip(half)], ct).ConfigureAwait(false));
            return new(first.Added + second.Added,
                [.. first.Refused, .. second.Refused.Select(each => each with { Index = each.Index + half })]);
        }
    }

    public Task NoteAsync(
        ProjectId project, string author, string source, IReadOnlyDictionary<string, long> added, DateTimeOffset at,
        CancellationToken ct) =>
        database.WriteAsync(
            Urgency.Interactive,
            async session =>
            {
                await AuditStore.AppendAsync(
                    database, session, project, at, author, "project.import", source, JsonSerializer.Serialize(added), ct)
                        .ConfigureAwait(false);
                return true;
            },
            ct);

    static string Select(ArchiveTable table) =>
        $"SELECT {string.Join(", ", table.Kind.Fields.Select(field => Expression(table, field)))} FROM {From(table)} ORDER BY "
            + $"{string.Join(", ", table.Order.Split(", ").Select(column => "t." + column))}";

    static string Expression(ArchiveTable table, ArchiveField field) => field.Name switch
    {
        _ when table.Table == ArchiveTables.Metric && field.Name == "version" =>
            "(SELECT number FROM metric_version WHERE metric_version.id = t.current_version_id)",
        "metric" when table.Table == ArchiveTables.MetricVersion => "metric.name",
        "trace_id" or "span_id" when table.IsReference(field) => "span." + field.Name,
        "metric" when table.IsReference(field) => "metric.name",
        "metric_version" when table.IsReference(field) => "metric_version.number",
        _ => "t." + ArchiveTable.Column(field),
    };

    static string From(ArchiveTable table)
    {
        if (table.Table == ArchiveTables.Project)
            return "project AS t WHERE t.id = @project";
        if (table.Table == ArchiveTables.MetricVersion)
            return "metric_version AS t JOIN metric ON metric.id = t.metric_id WHERE metric.project_id = @project";
        var joins = "";
        if (table.Has(Reference.Span | Reference.MaybeSpan))
            joins += $" {(table.Has(Reference.MaybeSpan) ? "LEFT " : "")}JOIN span ON span.id = t.span_id AND span.project_id = "
                + "t.project_id";
        if (table.Has(Reference.MetricVersion))
            joins += " JOIN metric_version ON metric_version.id = t.metric_version_id JOIN metric ON metric.id = metric_version.metric_id";
        if (table.Has(Reference.Metric | Reference.MaybeMetric))
            joins += $" {(table.Has(Reference.MaybeMetric) ? "LEFT " : "")}JOIN metric ON metric.id = t.metric_id";
        return $"{table.Table} AS t{joins} WHERE t.project_id = @project";
    }

    static ArchiveRow Read(ArchiveTable table, DbDataReader reader)
    {
        var fields = table.Kind.Fields;
        var values = new object?[fields.Count];
        for (var i = 0; i < values.Length; i++)
            values[i] = reader.IsDBNull(i) ? null : fields[i].Form switch
            {
                ArchiveForm.Text or ArchiveForm.Json => reader.GetString(i),
                ArchiveForm.Number => Convert.ToDouble(reader.GetValue(i), CultureInfo.InvariantCulture),
                _ => Convert.ToInt64(reader.GetValue(i), CultureInfo.InvariantCulture),
            };
        return new(table.Kind, values);
    }

    /// <summary>A reference set names spans by row number; an archive by trace and span id.</summary>
    static async Task<ArchiveRow> NameSpansAsync(Session session, ProjectId project, ArchiveRow row, CancellationToken ct)
    {
        var at = row.Kind.Fields.ToList().FindIndex(field => field.Name == "spans");
        var ids = JsonSerializer.Deserialize<long[]>((string)row.Values[at]!) ?? [];
        var keys = (await session.QueryAsync(
            "SELECT id, trace_id, span_id FROM span WHERE project_id = @project AND id IN (@ids)",
            reader => (Id: reader.GetInt64(0), Key: new[] { reader.GetString(1), reader.GetString(2) }), ct, ("project", project.Value),
            ("ids", ids))
            .ConfigureAwait(false)).ToDictionary(each => each.Id, each => each.Key);
        var values = (object?[])row.Values.Clone();
        values[at] = JsonSerializer.Serialize(ids.Where(keys.ContainsKey).Select(id => keys[id]));
        return row with { Values = values };
    }
}
