using System.Text.Json;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Traces;
using Flywheel.Engine.Composition;
using Flywheel.Validators;

namespace Flywheel.Tests.Metrics;

/// <summary>Short ways to make a validator from JSON settings and to run it.</summary>
static class Checks
{
    public static readonly DateTimeOffset Noon = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    public static CancellationToken Ct => TestContext.Current.CancellationToken;

    public static JsonElement Json(string json) => JsonElement.Parse(json);

    public static IValidator Make(
        string kind, string settings, MetricSubject subject = MetricSubject.Output, ValidatorRegistry? registry = null) =>
        (registry ?? EngineValidators.Registry(
            new LetterTokens(), new SqliteEvaluator(), further: LeafValidators.All(new() { Tokens = new LetterTokens() })))
        .Create(new(kind, Json(settings)), new("metric", "Is it good?", subject));

    public static Finding Check(string kind, string settings, string? text, NewSpan? span = null)
    {
        var check = Make(kind, settings).CheckAsync(new(text, span is null ? null : Stored(span)), Ct);
        return check.AsTask().GetAwaiter().GetResult();
    }

    public static ValidatorSettingsException Refused(string kind, string settings) =>
        Assert.Throws<ValidatorSettingsException>(() => Make(kind, settings));

    public static NewSpan NewSpan(string? output, string? attributes = null) =>
        new() { Key = new("t", "s"), Node = "writer", Kind = NodeKind.Writer, StartedAt = Noon, Output = output, Attributes = attributes };

    public static Span Stored(NewSpan content) => new(new(1), ProjectId.Default, content, Noon);

    /// <summary>A token a letter: enough to see that the counter is asked.</summary>
    sealed class LetterTokens : ITokenCounter
    {
        public string Name => "letters";

        public int Count(string text) => text.Count(char.IsLetter);
    }
}
