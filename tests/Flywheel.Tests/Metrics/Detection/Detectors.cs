using System.Text.Json;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Retrieval;
using Flywheel.Core.Traces;
using Flywheel.Validators;
using Flywheel.Validators.Detection;
using Microsoft.Extensions.Time.Testing;

namespace Flywheel.Tests.Metrics.Detection;

/// <summary>Short ways to make detectors and to ask them.</summary>
static class Detectors
{
    public static IValidator Make(string kind, object settings, TimeProvider? clock = null, IApprovedReferences? references = null,
        MetricSubject subject = MetricSubject.Input) =>
        new ValidatorRegistry(
            LeafValidators.All(new() { Detection = new(
                () => new LexicalEmbedder(), clock ?? new FakeTimeProvider(), References: references) }))
            .Create(new(kind, JsonSerializer.SerializeToElement(settings)), new("guard", "Is it fine?", subject, ProjectId.Default));

    public static string Refused(string kind, object settings) =>
        Assert.Throws<ValidatorSettingsException>(() => Make(kind, settings)).Message;

    public static async Task<Finding> AskAsync(this IValidator validator, string? text, string? user = null)
    {
        var span = user is null ? null : new Span(default, ProjectId.Default, new NewSpan
        {
            Key = new("guard", "guard"), Node = "answer", Kind = NodeKind.Writer, StartedAt = Checks.Noon, Input = text, EndUser = user,
        }, Checks.Noon);
        return await validator.CheckAsync(new Examinee(text, span), Checks.Ct);
    }
}
