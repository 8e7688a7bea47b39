using Flywheel.Core.Archives;

namespace Flywheel.Storage.Archives;

/// <summary>How a kind is read from its table and written to it.</summary>
/// <param name="Key">Columns of the unique key, without the project; null for tables whose key is a row number.</param>
/// <param name="Refers">Joins that turn row numbers into names.</param>
internal sealed record ArchiveTable(ArchiveKind Kind, string Table, string? Key, Reference Refers, string Order)
{
    public bool Has(Reference reference) => (Refers & reference) != 0;

    /// <summary>The column behind a field; <c>type</c> is what each row of an archive calls its kind.</summary>
    public static string Column(ArchiveField field) => field.Name == "prompt_type" ? "type" : field.Name;

    /// <summary>True for fields that name a row of another table.</summary>
    public bool IsReference(ArchiveField field) => field.Name switch
    {
        "trace_id" or "span_id" => Has(Reference.Span | Reference.MaybeSpan),
        "metric" => Has(Reference.Metric | Reference.MaybeMetric | Reference.MetricVersion),
        "metric_version" => Has(Reference.MetricVersion),
        _ => false,
    };
}

[Flags]
internal enum Reference
{
    None = 0,
    Span = 1,
    Metric = 2,

    /// <summary>By the metric's name and the version's number.</summary>
    MetricVersion = 4,

    /// <summary>A span that may be none.</summary>
    MaybeSpan = 8,

    /// <summary>A metric that may be none, which is 0.</summary>
    MaybeMetric = 16,
}

internal static class ArchiveTables
{
    public const string Project = "project", Metric = "metric", MetricVersion = "metric_version", Span = "span",
    Demonstration = "demonstration",
        ReferenceSet = "reference_set", Audit = "audit", MetricReview = "metric_review", DatasetVersion = "dataset_version",
        DatasetItem = "dataset_item";

    public static IReadOnlyList<ArchiveTable> All { get; } =
    [
        // The chain goes first: whatever else notes something in the audit comes after it.
        Of(Audit, "id", Reference.None, "id", "id#", "at@", "actor", "action", "subject", "details{", "previous_hash", "hash"),
        Of(Project, null, Reference.None, "id", "name", "judge_calls_per_day#", "judge_usd_per_day.", "audit_rate.", "blind_share.",
            "canary_rate.", "protected_labels{", "metric_review_days#", "anchor_hours#",
            "created_at@"),
        Of(MetricVersion, null, Reference.None, "metric_id, number", "metric", "number#", "role", "criterion", "subject", "nodes{",
            "kinds{", "segments{",
            "sampling.", "labels_per_item#", "validator{", "on_fail", "on_error", "author", "created_at@"),
        Of(Metric, "name", Reference.None, "id", "name", "state", "version#", "review_days#"),
        Of("metric_budget", "metric_id", Reference.Metric, "metric_id", "metric", "calls_per_day#", "usd_per_day."),
        Of("prompt_version", "name, number", Reference.None, "name, number", "name", "number#", "prompt_type", "template", "config{",
            "note", "author", "created_at@"),
        Of("prompt_label", "name, label", Reference.None, "name, label", "name", "label", "number#", "author", "updated_at@"),
        Of("node_policy", "node", Reference.None, "node", "node", "retrieval{", "author", "updated_at@"),
        Of("gateway_policy", "node", Reference.None, "node", "node", "settings{", "author", "updated_at@"),
        Of(Span, "trace_id, span_id", Reference.None, "id", "trace_id", "span_id", "parent_id", "node", "kind", "started_at@",
            "duration_ms.", "received_at@",
            "session", "end_user", "model", "input_tokens#", "output_tokens#", "cost_usd.", "error", "input", "output", "demonstrations{",
            "attributes{",
            "response_id", "prompt", "prompt_version#", "turn#", "revision#"),
        Of("span_text", "trace_id, span_id, digest", Reference.None, "id", "trace_id", "span_id", "place", "at@", "ordinal#", "messages{",
            "text", "is_user?",
            "joined?", "received_at@", "digest"),
        Of("review_pick", "span_id, metric_id, reason", Reference.Span | Reference.MaybeMetric, "span_id, metric_id, reason", "trace_id",
            "span_id", "metric", "reason",
            "detail", "priority.", "propensity.", "created_at@", "shown_at@"),
        Of("review_served", "span_id, metric_id", Reference.Span | Reference.Metric, "span_id, metric_id", "trace_id", "span_id", "metric",
            "mode",
            "validator_version", "outcome", "created_at@"),
        Of("verdict", "span_id, metric_version_id, validator_version, revision", Reference.Span | Reference.MetricVersion,
            "span_id, metric_version_id, validator_version, revision", "trace_id", "span_id", "metric", "metric_version#",
            "validator_version", "revision#", "outcome", "score.", "confidence.", "reason", "cost_usd.", "latency_ms.",
            "model", "demonstrations{", "spans{", "label_chance.", "raw_confidence.", "stands?", "judge", "said{", "created_at@"),
        Of("label", "id", Reference.Span | Reference.Metric, "created_at, id", "id", "trace_id", "span_id", "metric", "passed?", "mode",
            "critique", "author",
            "propensity.", "adjudicates?", "repeat#", "created_at@"),
        Of("proposed_label", "span_id, metric_id, author", Reference.Span | Reference.Metric, "span_id, metric_id, author", "trace_id",
            "span_id", "metric", "author",
            "passed?", "critique", "confidence.", "created_at@"),
        Of("span_evaluation", "digest", Reference.None, "id", "trace_id", "span_id", "response_id", "name", "source", "score.",
            "score_label", "explanation", "error",
            "author", "evaluator", "blind?", "may_label?", "at@", "received_at@", "try_at@", "tries#", "joined?", "digest"),
        Of("correction", "id", Reference.Span, "created_at, id", "id", "trace_id", "span_id", "went_wrong", "corrected_output", "reasoning",
            "author", "created_at@"),
        Of("feedback", "id", Reference.None, "created_at, id", "id", "trace_id", "span_id", "session", "name", "value{", "comment",
            "end_user", "created_at@"),
        Of(Demonstration, "id", Reference.MaybeSpan, "created_at, id", "id", "purpose", "target", "trace_id", "span_id", "input", "output",
            "rejected_output",
            "reason", "disagreement.", "end_user", "state", "author", "created_at@", "approved_by", "approved_at@", "recalled_by",
            "recalled_at@",
            "source_correction", "source_label"),
        Of("guideline", "id", Reference.Metric, "created_at, id", "id", "metric", "text", "labels{", "state", "author", "created_at@",
            "approved_by",
            "approved_at@", "removed_by", "removed_at@"),
        Of("span_variant", "span_id, experiment", Reference.Span, "span_id, experiment", "trace_id", "span_id", "experiment", "variant",
            "unit", "chance."),
        Of("span_segment", "span_id, segment", Reference.Span, "span_id, segment", "trace_id", "span_id", "segment"),
        Of("span_tag", "span_id, tag", Reference.Span, "span_id, tag", "trace_id", "span_id", "tag", "author", "created_at@"),
        Of("canary", null, Reference.Span | Reference.Metric, "id", "trace_id", "span_id", "metric", "validator_version", "told_to_pass",
            "told_to_fail",
            "obeyed?", "created_at@"),
        Of("judge_alarm", null, Reference.Metric, "id", "metric", "kind", "validator_version", "detail", "raised_at@", "closed_at@",
            "closed_by"),
        Of(ReferenceSet, "metric_id, number", Reference.Metric, "metric_id, number", "metric", "number#", "node", "spans{", "total#",
            "state", "author",
            "created_at@", "decided_by", "decided_at@"),
        Of(MetricReview, "metric_id, number", Reference.MetricVersion, "metric_id, number", "metric", "number#", "metric_version#",
            "decision", "note", "author",
            "created_at@", "evidence{"),
        Of("proposal", null, Reference.None, "id", "kind", "action", "subject", "summary", "base{", "change{", "evidence{", "state",
            "author", "created_at@", "decided_by",
            "decided_at@", "reason"),
        Of("dataset", "name", Reference.None, "name", "name", "description", "next_ordinal#", "author", "created_at@"),
        Of("dataset_version", "dataset, number", Reference.None, "dataset, number", "dataset", "number#", "items#", "content_hash",
            "added#", "removed#",
            "erased#", "note", "author", "created_at@"),
        Of("dataset_item", "dataset, ordinal", Reference.None, "dataset, ordinal", "dataset", "ordinal#", "content_hash", "input",
            "expected", "attributes{",
            "split", "trace_id", "span_id", "end_user", "added_in#", "removed_in#"),
    ];

    public static IReadOnlyDictionary<string, string> LeftOut { get; } = new Dictionary<string, string>
    {
        ["api_key"] = "a credential", ["fan_out"] = "made again from the spans", ["fan_out_cursor"] = "a position in this database",
        ["job"] = "made again from the spans", ["gold"] = "follows from the labels",
        ["metric_delta"] = "follows from verdicts and labels", ["metric_count"] = "follows from verdicts and labels",
        ["embedding"] = "made again from the demonstrations", ["demonstration_change"] = "made again from the demonstrations",
        ["budget_use"] = "of one day", ["metric_budget_use"] = "of one day", ["judge_reply"] = "a cache",
        ["review_reservation"] = "of minutes",
        ["backfill"] = "a position in this database", ["alignment_run"] = "a search in this database; what it found is a proposal",
        ["judge_calibration"] = "fitted again to the labels", ["anchor_set"] = "of the judges of this database: freeze them anew",
        ["anchor"] = "of its set", ["anchor_replay"] = "of its set", ["anchor_answer"] = "of its set",
        ["periodic_task"] = "of minutes",
        ["eval_run"] = "results of this database: evaluate again", ["eval_output"] = "of its run", ["eval_case"] = "of its run",
        ["eval_result"] = "of its run",
        ["trace_completion"] = "found again from the spans", ["note"] = "not yet written by anything",
        ["evaluation_export"] = "what this database sends on", ["verdict_outbox"] = "what this database sends on",
    };

    static ArchiveTable Of(string table, string? key, Reference refers, string order, params string[] fields) => new(
        new(table, [.. fields.Select(field => field[^1] switch
        {
            '#' => new ArchiveField(field[..^1], ArchiveForm.Whole),
            '.' => new ArchiveField(field[..^1], ArchiveForm.Number),
            '?' => new ArchiveField(field[..^1], ArchiveForm.YesNo),
            '@' => new ArchiveField(field[..^1], ArchiveForm.Time),
            '{' => new ArchiveField(field[..^1], ArchiveForm.Json),
            _ => new ArchiveField(field, ArchiveForm.Text),
        })]),
        table, key, refers, order);
}
