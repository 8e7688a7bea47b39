using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Flywheel.Core.Traces;

/// <summary>Completes a span with messages that came apart from it.</summary>
/// <remarks>
/// Pure, and the same whatever order they came in: the span is completed from all its texts each time. Text that the span itself
/// brought is never replaced; the mark <c>flywheel.text_from: logs</c> tells the two apart.
/// </remarks>
public static class LateText
{
    public const string Mark = "flywheel.text_from";

    static readonly string[] Keys = ["gen_ai.system_instructions", "gen_ai.input.messages", "gen_ai.output.messages"];

    static readonly JsonSerializerOptions Writing = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Input, output and attributes of the span with its texts.</summary>
    public static (string? Input, string? Output, string? Attributes) Complete(NewSpan span, IReadOnlyList<SpanText> texts)
    {
        var attributes = Parse(span.Attributes);
        var marked = attributes.ContainsKey(Mark);
        var ordered = texts.OrderBy(text => text.At).ThenBy(text => text.Ordinal).ToArray();
        var (input, output) = (span.Input, span.Output);
        Put(TextPlace.System, Keys[0]);
        if (Put(TextPlace.Input, Keys[1]))
            input = (ordered.LastOrDefault(text => text is { Place: TextPlace.Input, IsUser: true, Text: not null })
                ?? ordered.LastOrDefault(text => text is { Place: TextPlace.Input, Text: not null }))?.Text ?? input;
        if (Put(TextPlace.Output, Keys[2]))
            output = ordered.LastOrDefault(text => text is { Place: TextPlace.Output, Text: not null })?.Text ?? output;
        attributes[Mark] = "logs";
        return (input, output, attributes.ToJsonString(Writing));

        bool Put(TextPlace place, string key)
        {
            var ofPlace = ordered.Where(text => text.Place == place).ToArray();
            if (ofPlace.Length == 0 || (attributes.ContainsKey(key) && !marked))
                return false;
            var all = new JsonArray();
            foreach (var text in ofPlace)
                foreach (var message in JsonNode.Parse(text.Messages)!.AsArray())
                    all.Add(message?.DeepClone());
            attributes[key] = all;
            return true;
        }
    }

    /// <summary>Whether a span that arrives is the stored one again, what logs added to the stored one left aside.</summary>
    public static bool IsSameBeside(NewSpan stored, NewSpan arriving)
    {
        var (kept, sent) = (Parse(stored.Attributes), Parse(arriving.Attributes));
        if (!kept.Remove(Mark))
            return false;
        foreach (var key in Keys)
            if (!sent.ContainsKey(key))
                kept.Remove(key);
        return JsonNode.DeepEquals(kept, sent)
            && (arriving.Input is null || arriving.Input == stored.Input)
            && (arriving.Output is null || arriving.Output == stored.Output)
            && (stored.Node, stored.Kind, stored.ParentId, stored.Error) == (
                arriving.Node, arriving.Kind, arriving.ParentId, arriving.Error);
    }

    static JsonObject Parse(string? attributes)
    {
        try
        {
            return attributes is null ? [] : JsonNode.Parse(attributes) as JsonObject ?? [];
        }
        catch (JsonException)
        {
            return [];
        }
    }
}
