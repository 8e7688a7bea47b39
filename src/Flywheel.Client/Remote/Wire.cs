using System.Text.Json;
using System.Text.Json.Serialization;
using Flywheel.Core.Traces;

namespace Flywheel.Client.Remote;

internal sealed record WireSpans(IReadOnlyList<WireSpan> Spans);

/// <param name="Attributes">A JSON object, sent as such.</param>
internal sealed record WireSpan(
    string TraceId, string SpanId, string? ParentId, string Node, string Kind, string? Input, string? Output, string? Error,
    DateTimeOffset StartedAt, double DurationMs, string? Session, string? EndUser, string? Model, int? InputTokens,
    int? OutputTokens, double? CostUsd,
    [property: JsonConverter(typeof(RawJson))] string? Attributes,
    IReadOnlyList<Guid>? Demonstrations)
{
    public static WireSpan Of(NewSpan span) => new(
        span.Key.Trace, span.Key.Span, span.ParentId, span.Node, span.Kind.ToString().ToLowerInvariant(), span.Input, span.Output,
        span.Error, span.StartedAt.ToUniversalTime(), span.DurationMs, span.Session, span.EndUser, span.Model, span.InputTokens,
        span.OutputTokens, span.CostUsd, span.Attributes, span.Demonstrations.Count == 0 ? null : span.Demonstrations);

    /// <exception cref="ArgumentException">The kind is none that this version knows.</exception>
    public NewSpan ToSpan() => new()
    {
        Key = new(TraceId, SpanId), ParentId = ParentId, Node = Node, Kind = Enum.Parse<NodeKind>(Kind, ignoreCase: true), Input = Input,
        Output = Output, Error = Error, StartedAt = StartedAt, DurationMs = DurationMs, Session = Session, EndUser = EndUser, Model = Model,
        InputTokens = InputTokens, OutputTokens = OutputTokens, CostUsd = CostUsd, Attributes = Attributes,
        Demonstrations = Demonstrations ?? [],
    };
}

/// <summary>One line of an outbox: a span, or a call under its idempotency key.</summary>
internal sealed record WireEntry(WireSpan? Span, string? Post, string? Key, JsonElement? Body, int? Refusals);

/// <param name="Accepted">Null when the answer is not one to spans.</param>
internal sealed record WireReceipt(int? Accepted, IReadOnlyList<WireRejection>? Rejected);

internal sealed record WireRejection(int Index, string? Code, string? Message);

internal sealed record WireQuery(string Node, string Input, int? K, string? Strategy, string? EndUser);

internal sealed record WireChosen(IReadOnlyList<WireDemonstration>? Demonstrations);

internal sealed record WireDemonstration(
    Guid Id, string Input, string Output, bool Fixed, double Score, Dictionary<string, double>? Parts);

internal sealed record WireGuardQuery(
    string Node, string Kind, string Input, string? EndUser, string? Session,
    [property: JsonConverter(typeof(RawJson))] string? Attributes);

internal sealed record WireGuardAnswer(string? Decision, string? Input, IReadOnlyList<JsonElement>? Findings, double Milliseconds);

internal sealed record WireFeedback(
    string? TraceId, string? SpanId, string Name, JsonElement Value, string? Comment, string? EndUser, string? Session = null,
    string? ResponseId = null);

internal sealed record WireLabel(
    string TraceId, string SpanId, string Metric, bool Passed, string Mode, string? Critique, string? Author);

internal sealed record WireCorrection(
    string TraceId, string SpanId, string? WentWrong, string CorrectedOutput, string? Reasoning, string? Author);

internal sealed record WirePrompt(string Name, int Version, JsonElement Template, JsonElement Config);

/// <summary>What a server answers to something it stored.</summary>
internal sealed record WireStored(Guid? Id);

/// <summary>A call that a server refused for good, as it is kept for people to read.</summary>
internal sealed record WireRefused(DateTimeOffset At, string Post, string Key, JsonElement Body, string Reason);

/// <summary>RFC 9457, as far as it is read here.</summary>
internal sealed record WireProblem(string? Code, string? Title, string? Detail);

/// <summary>JSON text as a value of its own, not as a string.</summary>
internal sealed class RawJson : JsonConverter<string>
{
    public override string Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        using var document = JsonDocument.ParseValue(ref reader);
        return document.RootElement.GetRawText();
    }

    public override void Write(Utf8JsonWriter writer, string value, JsonSerializerOptions options)
    {
        try
        {
            writer.WriteRawValue(value);
        }
        catch (JsonException invalid)
        {
            throw new ArgumentException("A span's attributes are no JSON.", invalid);
        }
    }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(WireSpans))]
[JsonSerializable(typeof(WireEntry))]
[JsonSerializable(typeof(JsonElement))]
[JsonSerializable(typeof(WireRefused))]
[JsonSerializable(typeof(WireReceipt))]
[JsonSerializable(typeof(WireQuery))]
[JsonSerializable(typeof(WireChosen))]
[JsonSerializable(typeof(WireGuardQuery))]
[JsonSerializable(typeof(WireGuardAnswer))]
[JsonSerializable(typeof(WireFeedback))]
[JsonSerializable(typeof(WireLabel))]
[JsonSerializable(typeof(WireCorrection))]
[JsonSerializable(typeof(WirePrompt))]
[JsonSerializable(typeof(WireStored))]
[JsonSerializable(typeof(WireProblem))]
[JsonSerializable(typeof(double))]
[JsonSerializable(typeof(string))]
internal sealed partial class Wire : JsonSerializerContext;
