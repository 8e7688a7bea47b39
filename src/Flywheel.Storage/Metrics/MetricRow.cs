using System.Data.Common;
using System.Text.Json;
using System.Text.Json.Nodes;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Traces;

namespace Flywheel.Storage.Metrics;

/// <summary>A metric in one of its versions as a row.</summary>
internal static class MetricRow
{
    public const string Columns =
        "metric.id, version.id, metric.project_id, metric.name, version.number, metric.state, version.role, version.criterion, "
        + "version.subject, version.nodes, version.kinds, version.sampling, version.validator, version.author, version.created_at, "
        + "version.on_fail, "
        + "version.on_error, version.segments, version.labels_per_item";

    public static Metric Read(DbDataReader row) => new(
        new(row.GetInt64(0)), new(row.GetInt64(1)), new(row.GetInt64(2)), row.GetString(3), row.GetInt32(4),
        row.Word<MetricState>(5), row.Word<MetricRole>(6), row.GetString(7), row.Word<MetricSubject>(8),
        row.IsDBNull(9) ? null : JsonSerializer.Deserialize<string[]>(row.GetString(9)),
        row.IsDBNull(10)
            ? null
            : JsonSerializer.Deserialize<string[]>(row.GetString(10))!.Select(Wire.Parse<NodeKind>).OfType<NodeKind>().ToArray(),
        row.GetDouble(11), Validator(row.GetString(12)), row.GetString(13), row.Moment(14),
        row.IsDBNull(15) ? null : row.Word<GuardAction>(15), row.IsDBNull(16) ? null : row.Word<GuardFault>(16),
        row.IsDBNull(17) ? null : JsonSerializer.Deserialize<string[]>(row.GetString(17)), row.GetInt32(18));

    /// <summary>Metrics that every span is paired with: not those that are judged elsewhere.</summary>
    public static async Task<List<Metric>> ActiveAsync(Session session, ProjectId project, CancellationToken ct)
    {
        var active = await session.QueryAsync(
            $"""
            SELECT {Columns}
            FROM metric
            JOIN metric_version AS version ON version.id = metric.current_version_id
            WHERE metric.project_id = @project AND metric.state = 'active'
            ORDER BY metric.id
            """,
            Read, ct, ("project", project.Value)).ConfigureAwait(false);
        active.RemoveAll(metric => metric.Validator.Kind == ValidatorSpec.External);
        return active;
    }

    /// <summary>A validator as the user writes it: settings and kind in one object.</summary>
    public static string Json(ValidatorSpec validator)
    {
        var json = new JsonObject { ["kind"] = validator.Kind };
        if (validator.Settings.ValueKind == JsonValueKind.Object)
            foreach (var setting in validator.Settings.EnumerateObject())
                if (setting.Name != "kind")
                    json[setting.Name] = JsonNode.Parse(setting.Value.GetRawText());
        return json.ToJsonString();
    }

    internal static ValidatorSpec Validator(string text)
    {
        var json = JsonNode.Parse(text)!.AsObject();
        var kind = (string?)json["kind"] ?? "";
        json.Remove("kind");
        return new(kind, JsonSerializer.SerializeToElement(json));
    }
}
