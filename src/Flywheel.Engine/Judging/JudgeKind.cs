using Flywheel.Engine.Metrics;

namespace Flywheel.Engine.Judging;

/// <summary>A language model answers one binary question about the text. No score; the reason is its critique.</summary>
sealed class JudgeKind(JudgeServices? services) : ValidatorKind("judge", 1, "A language model answers the metric's criterion, taught by people's labels.",
    new("model", "text", "Name of a configured provider.", "the default provider"),
    new("rules", "text or list of texts", "Guidelines beside the criterion.", "none"),
    new("examples", "integer", "How many approved labels to show, 0 to 16.", "6"),
    new("show_input", "true or false", "When an output is judged, also show what was asked.", "true"),
    new("temperature", "number", "Sampling temperature, 0 to 2; some models refuse one.", "the model's own"),
    new("max_output_tokens", "integer", "Limit of the reply, 50 to 8000.", "600"),
    new("max_characters", "integer", "Longer texts are skipped, not cut.", "200000"))
{
    public override bool CallsModel => true;

    protected override IValidator Create(ValidatorContext context, ValidatorSettings read, string version)
    {
        var model = read.Text("model");
        var settings = new JudgeSettings(
            [.. read.Texts("rules")],
            read.Integer("examples", 0, 16) ?? 6,
            read.Flag("show_input", true),
            (float?)read.Number("temperature", 0, 2),
            read.Integer("max_output_tokens", 50, 8_000) ?? 600,
            read.Integer("max_characters", 1, Core.Traces.SpanRules.MaxTextLength) ?? 200_000);
        if (string.IsNullOrWhiteSpace(context.Criterion))
            throw new ValidatorSettingsException("criterion", "`criterion` is empty: a judge needs the question in words, answerable by yes or no.");
        if (services is null)
            throw new ValidatorSettingsException("kind", "`judge` needs a language model, and none is at hand here.");

        return new JudgeValidator(version, context, settings, Open(read, services, model), services);
    }

    static JudgeModel Open(ValidatorSettings read, JudgeServices services, string? model)
    {
        try
        {
            return JudgeModel.Open(services, model);
        }
        catch (Exception error)
        {
            throw read.Wrong("model", $"cannot be used: {error.Message}");
        }
    }
}

/// <param name="Temperature">Null leaves it to the model.</param>
sealed record JudgeSettings(
    IReadOnlyList<string> Rules, int Examples, bool ShowInput, float? Temperature, int MaxOutputTokens, int MaxCharacters);
