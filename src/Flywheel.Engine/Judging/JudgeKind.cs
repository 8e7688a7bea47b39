using System.Text.Json;
using Flywheel.Core.Metrics;

namespace Flywheel.Engine.Judging;

/// <summary>A language model answers one binary question about the text. No score; the reason is its critique.</summary>
sealed class JudgeKind(JudgeServices? services) : ValidatorKind(
    "judge", 1, "A language model answers the metric's criterion, taught by people's labels.",
    new("model", "text", "Name of a configured provider.", "the default provider"),
    new("rules", "text or list of texts", "Guidelines beside the criterion.", "none"),
    new("examples", "integer", "How many approved labels to show, 0 to 16.", "6"),
    new("show_input", "true or false", "When an output is judged, also show what was asked.", "true"),
    new("reference", "text",
        "Path of a reference answer in the span's attributes, such as `reference.answer`; shown to the judge where there is one.", "none"),
    new("temperature", "number", "Sampling temperature, 0 to 2; some models refuse one.", "the model's own"),
    new("max_output_tokens", "integer", "Limit of the reply, 50 to 8000.", "600"),
    new("max_characters", "integer", "Longer texts are skipped, not cut.", "200000"),
    new("annotators", "integer", "Prompts with different examples that vote, 1 to 9; the share of the vote is the confidence.", "1"),
    new("escalate", "object", "{\"below\": 0.8, \"model\": NAME}: verdicts less confident are asked of that model, and then of a person.",
        "none"),
    new("guarantee", "object",
        "{\"alpha\": 0.1, \"delta\": 0.1, \"below\": \"person\" | \"escalate\" | \"nothing\"}: once labels show from which confidence on "
            + "verdicts agree with people 1 - alpha of the time, what becomes of those below.", "alpha 0.1, delta 0.1, below nothing"),
    new("cascade", "list of texts",
        "Names of configured providers, cheapest first, in place of `model`: what stands below the line of one is asked of the next, and "
            + "then of a person.", "none"),
    new("second", "object", "{\"model\": NAME}: a cheap second judge, whose word tells how far the verdict can be trusted.", "none"))
{
    const int MostJudges = 5;

    public override bool CallsModel => true;

    protected override IValidator Create(ValidatorContext context, ValidatorSettings read, string version)
    {
        var settings = new JudgeSettings(
            [.. read.Texts("rules")],
            read.Integer("examples", 0, 16) ?? 6,
            read.Flag("show_input", true),
            (float?)read.Number("temperature", 0, 2),
            read.Integer("max_output_tokens", 50, 8_000) ?? 600,
            read.Integer("max_characters", 1, Core.Traces.SpanRules.MaxTextLength) ?? 200_000,
            read.Integer("annotators", 1, 9) ?? 1,
            read.Text("reference"));
        if (settings.Reference is { } path && string.IsNullOrWhiteSpace(path))
            throw read.Wrong("reference", "is empty: give a path such as `reference.answer`.");
        if (string.IsNullOrWhiteSpace(context.Criterion))
            throw new ValidatorSettingsException(
                "criterion", "`criterion` is empty: a judge needs the question in words, answerable by yes or no.");
        if (services is null)
            throw new ValidatorSettingsException("kind", "`judge` needs a language model, and none is at hand here.");

        var cascade = CascadeOf(read);
        var guarantee = GuaranteeSetting.Read(read, cascade is not null);
        var escalation = EscalationOf(read, services);
        Check(read, cascade, guarantee, escalation);
        JudgeModel[] models = cascade is null
            ? [Open(read, "model", services, read.Text("model"))]
            : [.. cascade.Select(name => Open(read, "cascade", services, name))];
        return new JudgeValidator(version, context, settings, models, escalation, SecondOf(read, services, models[0]), guarantee, services);
    }

    static void Check(ValidatorSettings read, IReadOnlyList<string>? cascade, GuaranteeSetting? guarantee, Escalation? escalation)
    {
        if (cascade is not null && read.Text("model") is not null)
            throw read.Wrong("cascade", "names all judges, the first included: leave out `model`.");
        if (escalation is not null && (cascade is not null || guarantee is not null))
            throw read.Wrong("escalate",
                "passes on below a fixed confidence, while `guarantee` and `cascade` find it from labels: use one or the other.");
        if (cascade is not null && guarantee is not { Below: BelowLine.Escalate })
            throw read.Wrong("cascade",
                "needs a `guarantee` that says when a verdict is passed on, such as {\"alpha\": 0.1, \"delta\": 0.1, \"below\": "
                    + "\"escalate\"}.");
        if (cascade is null && guarantee is { Below: BelowLine.Escalate })
            throw read.Wrong("guarantee",
                "escalates, but there is no `cascade`: name the judges, such as [\"cheap\", \"strong\"], or use \"below\": \"person\".");
    }

    static IReadOnlyList<string>? CascadeOf(ValidatorSettings read)
    {
        if (read.Json("cascade") is null)
            return null;
        var names = read.Texts("cascade");
        return names.Count is >= 2 and <= MostJudges && names.Distinct(StringComparer.Ordinal).Count() == names.Count
            ? names
            : throw read.Wrong("cascade", $"must be a list of 2 to {MostJudges} different names of configured providers, cheapest first.");
    }

    static JudgeModel? SecondOf(ValidatorSettings read, JudgeServices services, JudgeModel first)
    {
        const string remedy = "must be an object such as {\"model\": \"cheap\"}";
        if (read.Json("second") is not { } json)
            return null;
        if (json.ValueKind != JsonValueKind.Object || json.EnumerateObject().Any(property => property.Name != "model")
            || !json.TryGetProperty("model", out var model) || model.ValueKind != JsonValueKind.String)
            throw read.Wrong("second", remedy + ", with the name of a configured `model`.");
        return model.GetString() != first.Name
            ? Open(read, "second", services, model.GetString())
            : throw read.Wrong("second", "is the judge itself, and would say the same: name another model.");
    }

    static Escalation? EscalationOf(ValidatorSettings read, JudgeServices services)
    {
        const string remedy = "must be an object such as {\"below\": 0.8, \"model\": \"stronger\"}";
        if (read.Json("escalate") is not { } json)
            return null;
        if (json.ValueKind != JsonValueKind.Object || json.EnumerateObject().Any(property => property.Name is not ("below" or "model")))
            throw read.Wrong("escalate", remedy + ".");
        if (!json.TryGetProperty("below", out var below) || below.ValueKind != JsonValueKind.Number
            || below.GetDouble() is not (> 0 and <= 1))
            throw read.Wrong("escalate", remedy + ", with a `below` above 0 and at most 1.");
        if (!json.TryGetProperty("model", out var model) || model.ValueKind != JsonValueKind.String)
            throw read.Wrong("escalate", remedy + ", with the name of a configured `model`.");
        return new(below.GetDouble(), Open(read, "escalate", services, model.GetString()));
    }

    static JudgeModel Open(ValidatorSettings read, string setting, JudgeServices services, string? model)
    {
        try
        {
            return JudgeModel.Open(services, model);
        }
        catch (Exception error)
        {
            throw read.Wrong(setting, $"cannot be used: {error.Message}");
        }
    }
}
