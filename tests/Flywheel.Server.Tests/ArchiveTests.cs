using System.Text.Json;
using System.Text.Json.Nodes;
using Flywheel.Core;
using Flywheel.Core.Labeling;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Prompts;
using Flywheel.Core.Traces;
using Flywheel.Engine.Archives;
using Flywheel.Engine.Composition;
using Flywheel.Engine.Metrics;
using Flywheel.Server.Files;
using Flywheel.Storage;
using Flywheel.Storage.Tests;

namespace Flywheel.Server.Tests;

public sealed class ArchiveTests(SqliteFiles files, PostgresCluster cluster) : IDisposable
{
    static readonly ProjectId Home = ProjectId.Default;
    static readonly DateTimeOffset Noon = new(2026, 3, 14, 12, 0, 0, TimeSpan.Zero);
    const long NoonMicros = 1_773_489_600_000_000;

    readonly string _folder = Directory.CreateTempSubdirectory("flywheel-archive-").FullName;

    static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Everything_goes_to_the_other_database_and_back_with_equal_rows(bool parquet)
    {
        var (url, source) = await OpenAsync(files);
        await using var owned = source;
        await FillAsync(source, url);
        var original = await ExportAsync(source, "first", parquet);
        Assert.Empty(source.Archives.Kinds.Select(kind => kind.Name).Except(Types(await LinesAsync(source, "control"))));

        var (_, postgres) = await OpenAsync(cluster);
        await using var there = postgres;
        var importer = await ImportAsync(postgres, original);
        Assert.Empty(importer.Rejected);
        var returned = await ExportAsync(postgres, "second", parquet);
        var (_, sqlite) = await OpenAsync(files);
        await using var back = sqlite;
        Assert.Empty((await ImportAsync(sqlite, returned)).Rejected);

        var expected = await LinesAsync(source, "a");
        Assert.Equal(expected, await LinesAsync(postgres, "b"));
        Assert.Equal(expected, await LinesAsync(sqlite, "c"));
        // A second time changes nothing.
        Assert.Empty((await ImportAsync(sqlite, returned)).Imported);
        Assert.Equal(expected, await LinesAsync(sqlite, "d"));
        foreach (var store in new[] { postgres, sqlite })
        {
            Assert.Null(await store.Audit.VerifyAsync(Home, Ct));
            foreach (var metric in await store.Metrics.ListAsync(Home, Ct))
            {
                var cells = await store.Metrics.CellsAsync(Home, metric.Id, Ct);
                Assert.Equal(await store.Metrics.RecomputedCellsAsync(Home, metric.Id, Ct), cells);
                Assert.Equal((await source.Metrics.CellsAsync(Home, (await source.Metrics.FindAsync(Home, metric.Name, Ct))!.Id, Ct))
                    .Select(Cell), cells.Select(Cell));
            }
            // What came with its verdict is not judged, and paid, again; what had none is.
            await store.Jobs.FanOutAsync(
                1_000, (span, metrics) =>
                    [.. metrics.Select(metric => new Core.Jobs.Pairing(metric, Core.Jobs.JobLane.Code, "other", null))], Noon, Ct);
            Assert.Equal(["t2/s2"], await JobsAsync(store));
        }

        static (string, Outcome, bool?, long, double) Cell(MetricCell cell) =>
            (cell.ValidatorVersion, cell.Outcome, cell.Human, cell.Count, cell.Chance);
    }

    [Fact]
    public async Task No_table_and_no_column_of_a_project_is_forgotten()
    {
        var (url, store) = await OpenAsync(files);
        await using var owned = store;
        await using var connection = files.Connect(url);
        await connection.OpenAsync(Ct);
        var kinds = store.Archives.Kinds.ToDictionary(kind => kind.Name, kind => kind.Fields.Select(field => field.Name).ToHashSet());

        var tables = await ColumnAsync(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name <> 'schema_migration'");
        Assert.Equal([], tables.Where(table => !kinds.ContainsKey(table) && !store.Archives.LeftOut.ContainsKey(table)));
        foreach (var (table, fields) in kinds)
        {
            // Row numbers are of one database; they stand in the archive as names.
            var columns = (await ColumnAsync($"SELECT name FROM pragma_table_info('{table}') WHERE NOT (name = 'id' AND type = 'INTEGER')"))
                .Except(["project_id", "span_id", "metric_id", "metric_version_id", "current_version_id", "newest_span"]);
            Assert.Equal([], columns.Except(fields).Select(column => $"{table}.{column}").Except(["prompt_version.type"]));
        }

        async Task<List<string>> ColumnAsync(string sql)
        {
            await using var command = connection.CreateCommand();
            command.CommandText = sql;
            await using var reader = await command.ExecuteReaderAsync(Ct);
            var values = new List<string>();
            while (await reader.ReadAsync(Ct))
                values.Add(reader.GetString(0));
            return values;
        }
    }

    [Fact]
    public async Task What_means_something_else_in_the_project_is_refused_and_nothing_of_it_is_taken_for_its_own()
    {
        var (url, source) = await OpenAsync(files);
        await using var owned = source;
        await FillAsync(source, url);
        var file = await ExportAsync(source, "first", parquet: false);
        var (_, other) = await OpenAsync(files);
        await using var owned2 = other;
        await other.Metrics.AddAsync(Home, Metric("judged", 3), true, Noon, Ct);
        await other.Datasets.CreateAsync(Home, "gold", null, "bo", Noon, Ct);
        await other.Datasets.AddAsync(Home, "gold", [new("mine")], null, "bo", Noon, Ct);

        var importer = await ImportAsync(other, file);

        Assert.Contains(importer.Rejected, rejection =>
            rejection.Message == "metric_version: the project's own version of that number is another one.");
        Assert.Contains(importer.Rejected, rejection =>
            rejection.Message == "verdict: it belongs to the metric `judged`, which is another one in this project.");
        Assert.Contains(importer.Rejected, rejection =>
            rejection.Message == "dataset_item: it belongs to the dataset `gold`, which is another one in this project.");
        Assert.True(importer.ForeignAudit > 0);
        var judged = (await other.Metrics.FindAsync(Home, "judged", Ct))!;
        Assert.Equal(1, judged.Number);
        Assert.Empty(await other.Metrics.CellsAsync(Home, judged.Id, Ct));
        Assert.Equal(["mine"], (await other.Datasets.ItemsAsync(Home, "gold", 1, null, 0, 10, Ct)).Select(item => item.Content.Input));
        Assert.Equal(2, await other.Spans.CountAsync(Home, Ct));
        Assert.Null(await other.Audit.VerifyAsync(Home, Ct));
    }

    [Fact]
    public async Task A_recalled_demonstration_does_not_come_back_and_bad_rows_are_named()
    {
        var (url, source) = await OpenAsync(files);
        await using var owned = source;
        await FillAsync(source, url);
        var file = await ExportAsync(source, "first", parquet: false);
        var approved = (await source.Demonstrations.ListAsync(Home, new(State: Core.Retrieval.DemonstrationState.Approved), Ct)).Items[0];
        await source.Demonstrations.RecallAsync(Home, [approved.Id], "bo", Noon, Ct);

        Assert.DoesNotContain("demonstration", (await ImportAsync(source, file)).Imported.Keys);
        Assert.Equal(Core.Retrieval.DemonstrationState.Recalled, (await source.Demonstrations.GetAsync(Home, approved.Id, Ct))!.State);

        var lines = await File.ReadAllLinesAsync(file, Ct);
        var bad = Path.Combine(_folder, "bad.jsonl");
        await File.WriteAllLinesAsync(
            bad, [lines[0], """{"type":"painting"}""",
                """{"type":"span","trace_id":"x","span_id":"y","node":"n","started_at":"yesterday"}""",
                """{"type":"span","trace_id":"","span_id":"y","node":"n","started_at":"2026-03-14T12:00:00Z"}""",
            """{"type":"label","id":"00000000-0000-0000-0000-000000000001","trace_id":"no","span_id":"no","metric":"judged","passed":true,"mode":"blind","author":"a","adjudicates":false,"created_at":"2026-03-14T12:00:00Z"}""",
            """{"type":"label","id":"00000000-0000-0000-0000-000000000002","trace_id":"t1","span_id":"s1","metric":"judged","passed":true,"mode":"painted","author":"a","adjudicates":false,"created_at":"2026-03-14T12:00:00Z"}"""], Ct);
        var importer = await ImportAsync(source, bad);

        Assert.Equal([2, 3, 4, 5, 6], importer.Rejected.Select(rejection => rejection.Row));
        Assert.Equal("`started_at` is \"yesterday\": it must be an ISO-8601 time.", importer.Rejected[1].Message);
        Assert.Equal("label: it names a span that is not there.", importer.Rejected[3].Message);
        Assert.Empty(importer.Imported);
    }

    static NewMetric Metric(string name, int max) => new(
        name, "Short?", MetricSubject.Output, ["intent"], null, 1, new("length", JsonSerializer.SerializeToElement(new { max })), "ann");

    /// <summary>At least one row of every kind.</summary>
    async Task FillAsync(IFlywheelStore store, string url)
    {
        await store.Projects.SetLimitsAsync(Home, 7, 1.5, 0.5, Ct);
        await store.Metrics.AddAsync(Home, Metric("judged", 400), true, Noon, Ct);
        var metric = (await store.Metrics.AddAsync(Home, Metric("judged", 300) with { Segments = ["eve"] }, false, Noon.AddHours(1), Ct))!;
        NewSpan span = new()
        {
            Key = new("t1", "s1"), Node = "intent", Kind = NodeKind.Classifier, Input = "Where's my \"parcel\"?\nÄ 🎉", Output = "billing",
            StartedAt = Noon.AddTicks(10),
            DurationMs = 0.1, EndUser = "eve", Session = "s", Model = "m", InputTokens = 3, OutputTokens = 1, CostUsd = 1e-7,
            Attributes = """{"flywheel.prompt.name":"greet", "flywheel.prompt.version":1,"nested":{"a":[1,2.50,null]}}""",
            Demonstrations = [Guid.CreateVersion7()],
        };
        await store.AddSpansAsync(
            Home, [span, new() { Key = new("t2", "s2"), ParentId = "p", Node = "intent", StartedAt = Noon, Error = "broke" }],
            Noon.AddSeconds(1), Ct);
        var stored = (await store.Spans.FindAsync(Home, span.Key, Ct))!;
        await store.Jobs.EnqueueAsync(Home, metric.VersionId, Core.Jobs.JobLane.Judge, [stored.Id], Noon, Ct);
        var job = Assert.Single(await store.Jobs.ClaimAsync(Core.Jobs.JobLane.Judge, 10, TimeSpan.FromMinutes(1), "w", Noon, Ct));
        await store.Jobs.EndAsync(
            [new Core.Jobs.JobEnd.Done(
                job, new Verdict(Home, stored.Id, metric.Id, metric.VersionId, "v1", new(Outcome.Fail, 3, "because", 0.75, 0.01, "judge"),
                    0.5, Noon))], Noon, Ct);
        await store.Labels.AddAsync(
            new(Guid.CreateVersion7(), Home, stored.Id, metric.Id, false, LabelMode.Blind, "no", "ann", 0.5, Noon), Ct);
        await store.Labels.AddAsync(
            new(Guid.CreateVersion7(), Home, stored.Id, metric.Id, true, LabelMode.Accepted, null, "bo", null, Noon.AddMinutes(1)), Ct);
        await store.Corrections.AddAsync(new(Guid.CreateVersion7(), Home, stored.Id, "wrong", "delivery", "the parcel", "ann", Noon), Ct);
        foreach (var demonstration in (await store.Demonstrations.ListAsync(Home, new(Core.Retrieval.DemonstrationPurpose.Task), Ct)).Items)
            await store.Demonstrations.ApproveAsync(Home, [demonstration.Id], "ann", Noon, Ct);
        await store.Feedback.AddAsync(new(Guid.CreateVersion7(), Home, "t1", null, "thumbs", "\"up\"", "nice", "eve", Noon), Ct);
        await store.Feedback.AddAsync(new(Guid.CreateVersion7(), Home, "t1", "s1", "stars", "4.5", null, null, Noon), Ct);
        await store.Prompts.AddAsync(
            new(Home, "greet", 0, PromptType.Text, "Hello {{name}}", """{"temperature": 0}""", "first", "ann", Noon), Ct);
        await store.Prompts.ProtectAsync(Home, ["production"], "ann", Noon, Ct);
        await store.Prompts.MoveAsync(Home, "greet", "staging", 1, null, "ann", Noon, Ct);
        await store.Prompts.MoveAsync(Home, "greet", "production", 1, "good", "ann", Noon, Ct);
        await store.Datasets.CreateAsync(Home, "gold", "right ones", "ann", Noon, Ct);
        await store.Datasets.AddAsync(
            Home, "gold", [new("a", "1", """{"x":1}""", "test", span.Key, "eve"), new("b")], null, "ann", Noon, Ct);
        await store.Datasets.RemoveAsync(Home, "gold", [2], "too hard", "ann", Noon, Ct);

        await using var connection = files.Connect(url);
        await connection.OpenAsync(Ct);
        await using var command = connection.CreateCommand();
        command.CommandText =
            $"""
            INSERT INTO metric_budget VALUES (1, {metric.Id.Value}, 5, 0.25);
            INSERT INTO node_policy VALUES (1, 'intent', '{"{"}"k": 3{"}"}', 'ann', {NoonMicros});
            INSERT INTO gateway_policy VALUES (1, 'intent', '{"{}"}', 'ann', {NoonMicros});
            INSERT INTO span_text (project_id, trace_id, span_id, place, at, ordinal, messages, text, is_user, joined, received_at, digest)
                VALUES (1, 't9', 's9', 'input', {NoonMicros}, 0, '[]', 'hi', 1, 0, {NoonMicros}, 'abc');
            INSERT INTO review_pick (project_id, span_id, metric_id, reason, detail, priority, propensity, created_at, shown_at) VALUES (1, {stored.Id.Value}, 0, 'informative', 'look', 0.5, NULL, {NoonMicros}, NULL);
            INSERT INTO review_pick (project_id, span_id, metric_id, reason, detail, priority, propensity, created_at, shown_at) VALUES (1, {stored.Id.Value}, {metric.Id.Value}, 'randomaudit', 'drawn', 1, 0.5, {NoonMicros}, {NoonMicros}) ON CONFLICT DO NOTHING;
            INSERT INTO span_variant VALUES (1, {stored.Id.Value}, 'tone', 'warm', 'u1', 0.5);
            INSERT INTO span_segment VALUES (1, {stored.Id.Value}, 'tenant:acme');
            INSERT INTO span_tag VALUES (1, {stored.Id.Value}, 'odd', 'ann', {NoonMicros});
            INSERT INTO review_served VALUES (1, {stored.Id.Value}, {metric.Id.Value}, 'blind', 'v1', 'fail', {NoonMicros});
            INSERT INTO guideline (project_id, id, metric_id, text, labels, author, created_at) VALUES (1, '00000000-0000-0000-0000-00000000000a', {metric.Id.Value}, 'Be kind', '[]', 'ann', {NoonMicros});
            INSERT INTO canary (project_id, metric_id, span_id, validator_version, told_to_pass, told_to_fail, obeyed, created_at) VALUES (1, {metric.Id.Value}, {stored.Id.Value}, 'v1', 'pass', 'fail', 1, {NoonMicros});
            INSERT INTO judge_alarm (project_id, metric_id, kind, validator_version, detail, raised_at) VALUES (1, {metric.Id.Value}, 'obedience', 'v1', 'it obeyed', {NoonMicros});
            INSERT INTO reference_set (project_id, metric_id, number, node, spans, total, author, created_at) VALUES (1, {metric.Id.Value}, 1, 'intent', '[{stored.Id.Value}]', 1, 'ann', {NoonMicros});
            INSERT INTO proposed_label VALUES (1, {stored.Id.Value}, {metric.Id.Value}, 'agent:a', 0, 'curt', 0.5, {NoonMicros});
            INSERT INTO span_evaluation (project_id, trace_id, span_id, name, source, score, evaluator, at, received_at, try_at, digest)
                VALUES (1, 't9', 's9', 'polite', 'model', 0.5, 'other', {NoonMicros}, {NoonMicros}, {NoonMicros}, 'def');
            INSERT INTO proposal (project_id, kind, action, subject, summary, base, change, evidence, author, created_at)
                VALUES (1, 'metric', 'change', 'judged', 'better', '{"{}"}', '{"{}"}', '{"{}"}', 'ann', {NoonMicros});
            UPDATE verdict SET raw_confidence = 0.5, stands = 1, judge = 'j', said = '{"{}"}';
            INSERT INTO metric_review VALUES (1, {metric.Id.Value}, 1, {metric.VersionId.Value}, 'keep', NULL, 'ann', {NoonMicros}, {stored.Id.Value}, '{"{}"}');
            """;
        await command.ExecuteNonQueryAsync(Ct);
    }

    static async Task<(string Url, IFlywheelStore Store)> OpenAsync(ITestDatabases databases)
    {
        var url = await databases.NewAsync();
        var store = await FlywheelStore.OpenAsync(url, null, Ct);
        await store.MigrateAsync(Ct);
        return (url, store);
    }

    async Task<string> ExportAsync(IFlywheelStore store, string name, bool parquet)
    {
        var path = Path.Combine(_folder, name);
        await using IArchiveOutput output = parquet ? new ParquetOutput(path) : new JsonLinesOutput(path);
        await new ArchiveExportService(store.Archives, store.Projects, TimeProvider.System)
            .ExportAsync(Operator, [], output, (_, _) => { }, Ct);
        return path;
    }

    static Caller Operator => new(Home, KeyScope.Admin, "cli");

    static Task<ArchiveImportResult> ImportAsync(IFlywheelStore store, string path)
    {
        var header = ArchiveInput.Header(path);
        Assert.NotNull(header);
        return new ArchiveImportService(store.Archives, store.Intake(), new MetricRules(EngineValidators.Registry()), TimeProvider.System)
            .ImportAsync(
            Operator, new(path, header, ArchiveInput.Read(path, store.Archives.Kinds), Directory.Exists(path)), (_, _) => { }, Ct);
    }

    /// <summary>All rows as lines, but for when the project itself was made and the audit of the import.</summary>
    async Task<string[]> LinesAsync(IFlywheelStore store, string name)
    {
        var lines = (await File.ReadAllLinesAsync(await ExportAsync(store, name, parquet: false), Ct)).Skip(1)
            .Select(line => JsonNode.Parse(line)!.AsObject()).ToArray();
        foreach (var line in lines)
            if ((string)line["type"]! == "project")
                line.Remove("created_at");
        return [.. lines.Where(line => (string?)line["action"] != "project.import").Select(line => line.ToJsonString())];
    }

    static IEnumerable<string> Types(string[] lines) => lines.Select(line => (string)JsonNode.Parse(line)!["type"]!).Distinct();

    static async Task<string[]> JobsAsync(IFlywheelStore store)
    {
        var jobs = await store.Jobs.ClaimAsync(Core.Jobs.JobLane.Code, 100, TimeSpan.FromMinutes(1), "w", Noon, Ct);
        var spans = await store.Spans.GetAsync(Home, [.. jobs.Select(job => job.Span)], Ct);
        return [.. spans.Select(span => span.Key.ToString()).Order()];
    }
}
