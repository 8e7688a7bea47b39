using System.Text.Json;
using Flywheel.Core;
using Flywheel.Core.Archives;
using Flywheel.Core.Projects;
using Flywheel.Storage.Projects;

namespace Flywheel.Storage.Archives;

/// <summary>
/// Writes rows of one kind inside a transaction. Columns of what is given begin with <c>c_</c>, so that none is a word of SQL.
/// </summary>
internal sealed class ArchiveWriter(Database database, Session session, ProjectId project, ArchiveTable table)
{
    const string SpanOf =
        "(SELECT span.id FROM span WHERE span.project_id = given.c_project AND span.trace_id = given.c_trace_id AND span.span_id = "
            + "given.c_span_id)";
    const string MetricOf = "(SELECT metric.id FROM metric WHERE metric.project_id = given.c_project AND metric.name = given.c_metric)";

    const string VersionOf =
        """
        (SELECT metric_version.id FROM metric_version JOIN metric ON metric.id = metric_version.metric_id
            WHERE metric.project_id = given.c_project AND metric.name = given.c_metric AND metric_version.number = given.c_metric_version)
        """;

    public async Task<ArchiveWrite> WriteAsync(IReadOnlyList<ArchiveRow> rows, CancellationToken ct)
    {
        switch (table.Table)
        {
            case ArchiveTables.Audit:
                return await AuditAsync(rows, ct).ConfigureAwait(false);
            case ArchiveTables.Project:
                return new(await ProjectAsync(rows[0], ct).ConfigureAwait(false), []);
            case ArchiveTables.ReferenceSet:
                rows = await NumberSpansAsync(rows, ct).ConfigureAwait(false);
                break;
            case ArchiveTables.MetricVersion:
                await session.ExecuteGivenAsync(
                    "INSERT INTO metric (project_id, name, state) SELECT DISTINCT c_project, c_metric, 'proposed' FROM @given WHERE 1 = 1 "
                        + "ON CONFLICT (project_id, name) DO NOTHING",
                    ct, Given(rows, "metric")).ConfigureAwait(false);
                break;
        }
        if (table.Refers != Reference.None && database.Kind == DatabaseKind.Postgres && table.Has(Reference.Span | Reference.MaybeSpan))
            // Counts are changed by whoever holds the span.
            await session.QueryGivenAsync(
                """
                SELECT 1 FROM span
                WHERE (project_id, trace_id, span_id) IN (SELECT given.c_project, given.c_trace_id, given.c_span_id FROM @given)
                ORDER BY project_id, id
                FOR UPDATE
                """,
                _ => 0, ct, Given(rows, "trace_id", "span_id")).ConfigureAwait(false);

        var refused = await RefusedAsync(rows, ct).ConfigureAwait(false);
        if (refused.Count > 0)
        {
            var bad = refused.Select(each => each.Index).ToHashSet();
            rows = [.. rows.Where((_, i) => !bad.Contains(i))];
        }
        var added = rows.Count == 0 ? 0 : await session.ExecuteGivenAsync(Statement(), ct, Given(rows)).ConfigureAwait(false);
        return new(added, refused);
    }

    /// <summary>Rows of an archive may be without a field that has a default.</summary>
    static string Given(ArchiveField field) => field.Name switch
    {
        "revision" => "coalesce(given.c_revision, 1)",
        "repeat" => "coalesce(given.c_repeat, 0)",
        _ => "given.c_" + field.Name,
    };

    string Statement()
    {
        if (table.Table == ArchiveTables.Metric)
            // A metric that was there keeps its state: only one that came with its versions is without a current one.
            return """
                UPDATE metric
                SET state = given.c_state, review_days = given.c_review_days, current_version_id = (
                    SELECT metric_version.id FROM metric_version WHERE metric_version.metric_id = metric.id AND metric_version.number = given.c_version)
                FROM @given
                WHERE metric.project_id = given.c_project AND metric.name = given.c_name AND metric.current_version_id IS NULL
                """;
        var columns = table.Kind.Fields.Where(field => !table.IsReference(field))
            .Select(field => (Name: ArchiveTable.Column(field), Value: Given(field))).ToList();
        if (table.Table == ArchiveTables.MetricVersion)
            columns[columns.FindIndex(column => column.Name == "metric")] = ("metric_id", MetricOf);
        else
            columns.Insert(0, ("project_id", "given.c_project"));
        if (table.Has(Reference.Span | Reference.MaybeSpan))
            columns.Add(("span_id", SpanOf));
        if (table.Has(Reference.Metric | Reference.MetricVersion))
            columns.Add(("metric_id", MetricOf));
        if (table.Has(Reference.MaybeMetric))
            columns.Add(("metric_id", $"CASE WHEN given.c_metric IS NULL THEN 0 ELSE {MetricOf} END"));
        if (table.Has(Reference.MetricVersion))
            columns.Add(("metric_version_id", VersionOf));
        if (table.Table == ArchiveTables.MetricReview)
            columns.Add(("newest_span",
                "coalesce((SELECT max(span.id) FROM span WHERE span.project_id = given.c_project AND span.received_at <= "
                    + "given.c_created_at), 0)"));
        return $"""
            INSERT INTO {table.Table} ({string.Join(", ", columns.Select(column => column.Name))})
            SELECT {string.Join(", ", columns.Select(column => column.Value))}
            FROM @given
            WHERE {NotThere()}
            {OnConflict()}
            """;
    }

    /// <summary>Tables whose key is a row number are told by what they are about.</summary>
    string NotThere() => table.Table switch
    {
        "proposal" =>
            """
            NOT EXISTS (SELECT 1 FROM proposal AS there WHERE there.project_id = given.c_project AND there.kind = given.c_kind AND there.action = given.c_action
                AND there.subject = given.c_subject AND there.base = given.c_base AND there.author = given.c_author AND there.created_at = given.c_created_at)
            """,
        "canary" =>
            $"""
            NOT EXISTS (SELECT 1 FROM canary AS there WHERE there.project_id = given.c_project AND there.span_id = {SpanOf}
                AND there.metric_id = {MetricOf} AND there.validator_version = given.c_validator_version AND there.created_at = given.c_created_at)
            """,
        "judge_alarm" =>
            $"""
            NOT EXISTS (SELECT 1 FROM judge_alarm AS there WHERE there.project_id = given.c_project AND there.metric_id = {MetricOf}
                AND there.kind = given.c_kind AND there.raised_at = given.c_raised_at)
            """,
        _ => "1 = 1",
    };

    string OnConflict() => table.Table switch
    {
        // A trigger made it from its label or correction, pending: the archive knows what became of it. Whoever decided here meanwhile is
        // right.
        ArchiveTables.Demonstration =>
            $"""
            ON CONFLICT (project_id, id) DO UPDATE
            SET {string.Join(", ", table.Kind.Fields.Where(field => !table.IsReference(field) && field.Name != "id").Select(field => $"{field.Name} = excluded.{field.Name}"))}
            WHERE demonstration.state = 'pending' AND (excluded.state <> 'pending' OR excluded.disagreement <> demonstration.disagreement
                OR excluded.created_at <> demonstration.created_at OR excluded.author <> demonstration.author)
            """,
        // A newer version of the same data set removed it.
        ArchiveTables.DatasetItem =>
            """
            ON CONFLICT (project_id, dataset, ordinal) DO UPDATE
            SET removed_in = excluded.removed_in
            WHERE dataset_item.removed_in IS NULL AND excluded.removed_in IS NOT NULL AND dataset_item.content_hash = excluded.content_hash
            """,
        _ => "ON CONFLICT DO NOTHING",
    };

    /// <summary>Rows that name what is not there, or that have the key of something else.</summary>
    async Task<List<ArchiveRefusal>> RefusedAsync(IReadOnlyList<ArchiveRow> rows, CancellationToken ct)
    {
        var refused = new List<ArchiveRefusal>();
        if (table.Has(Reference.Span))
            await AddAsync($"{SpanOf} IS NULL", "it names a span that is not there", "trace_id", "span_id").ConfigureAwait(false);
        if (table.Has(Reference.Metric))
            await AddAsync($"{MetricOf} IS NULL", "it names a metric that is not there", "metric").ConfigureAwait(false);
        if (table.Has(Reference.MaybeMetric))
            await AddAsync($"given.c_metric IS NOT NULL AND {MetricOf} IS NULL", "it names a metric that is not there", "metric")
                .ConfigureAwait(false);
        if (table.Has(Reference.MetricVersion))
            await AddAsync($"{VersionOf} IS NULL", "it names a version of a metric that is not there", "metric", "metric_version")
                .ConfigureAwait(false);
        if (table.Table == ArchiveTables.MetricVersion)
            await AddAsync(
                $"EXISTS (SELECT 1 FROM metric_version AS there WHERE there.metric_id = {MetricOf} AND there.number = given.c_number AND "
                    + "(there.criterion <> given.c_criterion OR there.validator <> given.c_validator OR there.subject <> given.c_subject))",
                "the project's own version of that number is another one", "metric", "number", "criterion", "validator", "subject")
                    .ConfigureAwait(false);
        if (table.Table == ArchiveTables.DatasetVersion)
            await AddAsync(
                "EXISTS (SELECT 1 FROM dataset_version AS there WHERE there.project_id = given.c_project AND there.dataset = "
                    + "given.c_dataset AND there.number = given.c_number AND there.content_hash <> given.c_content_hash)",
                "the project's own version of that number has other items", "dataset", "number", "content_hash").ConfigureAwait(false);
        if (table.Table == "prompt_version")
            await AddAsync(
                "EXISTS (SELECT 1 FROM prompt_version AS there WHERE there.project_id = given.c_project AND there.name = given.c_name AND "
                    + "there.number = given.c_number AND (there.template <> given.c_template OR there.config <> given.c_config))",
                "the project's own version of that number is another one", "name", "number", "template", "config").ConfigureAwait(false);
        return refused;

        async Task AddAsync(string condition, string why, params string[] fields)
        {
            var known = refused.Select(each => each.Index).ToHashSet();
            var found = await session.QueryGivenAsync(
                $"SELECT given.c_index FROM @given WHERE {condition}", row => (int)row.GetInt64(0), ct,
                [.. Given(rows, fields), new("c_index", Enumerable.Range(0, rows.Count).Select(i => (long)i).ToArray())])
                    .ConfigureAwait(false);
            refused.AddRange(found.Where(index => !known.Contains(index)).Select(index => new ArchiveRefusal(index, why)));
        }
    }

    /// <param name="only">These fields; all when none is named.</param>
    Column[] Given(IReadOnlyList<ArchiveRow> rows, params string[] only) =>
    [
        new("c_project", rows.Select(_ => project.Value).ToArray()),
        .. table.Kind.Fields.Select((field, i) => (field, i)).Where(each => only.Length == 0 || only.Contains(each.field.Name))
        .Select(each => new Column(
            "c_" + each.field.Name,
            each.field.Form switch
            {
                ArchiveForm.Text or ArchiveForm.Json => rows.Select(row => (string?)row.Values[each.i]).ToArray(),
                ArchiveForm.Number => rows.Select(row => (double?)row.Values[each.i]).ToArray(),
                _ => rows.Select(row => (long?)row.Values[each.i]).ToArray(),
            })),
    ];

    /// <summary>Entries go on where the chain stands, hash by hash; a project with a history of its own keeps it.</summary>
    async Task<ArchiveWrite> AuditAsync(IReadOnlyList<ArchiveRow> rows, CancellationToken ct)
    {
        if (database.LockAudit is { } wait)
            await session.NumberAsync(wait, ct, ("project", project.Value)).ConfigureAwait(false);
        var (taken, refused) = (new List<ArchiveRow>(), new List<ArchiveRefusal>());
        var last = await session.FirstAsync(
            "SELECT id, hash FROM audit WHERE project_id = @project ORDER BY id DESC LIMIT 1", row =>
                new Entry(row.GetInt64(0), row.GetString(1)), ct,
            ("project", project.Value)).ConfigureAwait(false) ?? new Entry(0, AuditStore.Start);
        var there = (await session.QueryAsync(
            "SELECT id, hash FROM audit WHERE project_id = @project AND id IN (@ids)", row =>
                new Entry(row.GetInt64(0), row.GetString(1)), ct,
            ("project", project.Value), ("ids", rows.Select(row => (long)row.Values[0]!).ToArray())).ConfigureAwait(false)).ToHashSet();
        for (var i = 0; i < rows.Count; i++)
        {
            var it = rows[i].Values;
            var entry = new AuditEntry(
                (long)it[0]!, project, Timestamps.At((long)it[1]!), (string)it[2]!, (string)it[3]!, (string)it[4]!, (string)it[5]!,
                (string)it[6]!, (string)it[7]!);
            if (there.Contains(new(entry.Id, entry.Hash)))
                continue;
            if (entry.Id == last.Id + 1 && entry.PreviousHash == last.Hash && AuditStore.Hash(entry) == entry.Hash)
            {
                taken.Add(rows[i]);
                last = new(entry.Id, entry.Hash);
            }
            else
                refused.Add(new(i, IArchiveStore.OwnAudit));
        }
        return new(taken.Count == 0 ? 0 : await session.ExecuteGivenAsync(Statement(), ct, Given(taken)).ConfigureAwait(false), refused);
    }

    /// <summary>Settings are taken over by a project that has none of its own.</summary>
    Task<int> ProjectAsync(ArchiveRow row, CancellationToken ct)
    {
        string[] settings = ["judge_calls_per_day", "judge_usd_per_day", "audit_rate", "blind_share", "canary_rate", "protected_labels",
            "metric_review_days", "anchor_hours"];
        return session.ExecuteGivenAsync(
            $"""
            UPDATE project
            SET {string.Join(", ", settings.Select(name => $"{name} = given.c_{name}"))}
            FROM @given
            WHERE project.id = given.c_project AND project.judge_calls_per_day IS NULL AND project.judge_usd_per_day IS NULL AND project.audit_rate = 0.02
                AND project.blind_share = 0.25 AND project.canary_rate = 0.01 AND project.protected_labels IS NULL AND project.metric_review_days = 90
                AND project.anchor_hours = 24
                AND ({string.Join(" OR ", settings.Select(name => $"project.{name} IS DISTINCT FROM given.c_{name}"))})
            """,
            ct, Given([row], settings));
    }

    async Task<IReadOnlyList<ArchiveRow>> NumberSpansAsync(IReadOnlyList<ArchiveRow> rows, CancellationToken ct)
    {
        var at = table.Kind.Fields.ToList().FindIndex(field => field.Name == "spans");
        var numbered = new List<ArchiveRow>(rows.Count);
        foreach (var row in rows)
        {
            var ids = new List<long>();
            foreach (var key in JsonSerializer.Deserialize<string[][]>((string)row.Values[at]!) ?? [])
                if (key is [var trace, var span] && await session.NumberAsync(
                    "SELECT id FROM span WHERE project_id = @project AND trace_id = @trace AND span_id = @span",
                    ct, ("project", project.Value), ("trace", trace), ("span", span)).ConfigureAwait(false) is { } id)
                    ids.Add(id);
            var values = (object?[])row.Values.Clone();
            values[at] = JsonSerializer.Serialize(ids);
            numbered.Add(row with { Values = values });
        }
        return numbered;
    }

    sealed record Entry(long Id, string Hash);
}
