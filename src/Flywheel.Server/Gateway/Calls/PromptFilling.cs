using System.Text;
using System.Text.Json;
using Flywheel.Core.Prompts;
using Flywheel.Server.Gateway.Wire;

namespace Flywheel.Server.Gateway.Calls;

/// <summary>Puts a prompt of the registry into a request: what guards, demonstrations and the provider see is then one body.</summary>
/// <remarks>
/// The prompt's messages take the place of the request's leading instructions; the conversation stays behind them. Its config gives the
/// parameters that the request does not say. Values come from <c>prompt_variables</c>, which does not go to the provider, else from
/// <c>metadata</c>, else <c>end_user</c>, <c>session</c> and <c>node</c> are known.
/// </remarks>
static class PromptFilling
{
    /// <returns>The new body and what it says.</returns>
    public static (ReadOnlyMemory<byte> Body, RequestOutline Outline) Fill(
        ReadOnlyMemory<byte> body, RequestOutline outline, Protocol protocol, PromptVersion prompt, Func<string, string?> known)
    {
        var values = Values(body.Span, outline.PromptVariables) is { } own ? own : [];
        var metadata = outline.ParameterValues.Where(each => RequestOutline.Parameters[each.Parameter].Member == "metadata")
            .Select(each => Values(body.Span, each.Value)).FirstOrDefault() ?? [];
        var rendered = PromptTemplate.Render(
            prompt.Type, prompt.Template, name => values.GetValueOrDefault(name) ?? metadata.GetValueOrDefault(name) ?? known(name));
        if (rendered.Missing.Count > 0)
            throw GatewayError.Invalid(
                "prompt_variables",
                $"The prompt `{prompt.Name}` (version {prompt.Number}) asks for {string.Join(", ", rendered.Missing)}: send "
                    + $"{{\"prompt_variables\": {{\"{rendered.Missing[0]}\": \"...\"}}}} with the request.");
        if (outline.PromptVariablesMember.IsPresent)
        {
            body = Without(body.Span, outline.PromptVariablesMember);
            outline = RequestOutline.Read(body.Span, protocol.Prompt);
        }
        var edits = new BodyEdits();
        var messages = PromptTemplate.Write(rendered.Messages)[1..^1];
        var members = Members(prompt, outline) + PlaceMessages(body.Span, outline, protocol, messages, edits);
        if (outline.Instructions.IsString(body.Span))
            edits.Replace(outline.Instructions, "null"u8.ToArray());
        if (members.Length > 0)
            edits.Insert(outline.FirstMember, Encoding.UTF8.GetBytes(members));
        body = edits.Apply(body.Span);
        return (body, RequestOutline.Read(body.Span, protocol.Prompt));
    }

    /// <summary>The model that the prompt's config names; null when it names none.</summary>
    public static string? Model(PromptVersion prompt)
    {
        using var config = JsonDocument.Parse(prompt.Config);
        return config.RootElement.TryGetProperty("model", out var model)
            && model.ValueKind == JsonValueKind.String ? model.GetString() : null;
    }

    /// <returns>A member to add, when the request has no messages at all.</returns>
    static string PlaceMessages(ReadOnlySpan<byte> body, RequestOutline outline, Protocol protocol, string messages, BodyEdits edits)
    {
        var place = outline.Prompt;
        if (Conversation.TryFindInstructionsEnd(body, place, out var after, out var hasInstructions, out var hasMore))
            edits.Replace(new JsonSlice(place.Start + 1, after - place.Start - 1),
                Encoding.UTF8.GetBytes(messages + (!hasInstructions && hasMore ? "," : "")));
        else if (place.IsString(body))
        {
            edits.Insert(place.Start, Encoding.UTF8.GetBytes("[" + messages + ",{\"role\":\"user\",\"content\":"));
            edits.Insert(place.End, "}]"u8.ToArray());
        }
        else if (place.IsPresent)
            edits.Replace(place, Encoding.UTF8.GetBytes("[" + messages + "]"));
        else
            return $"\"{Encoding.UTF8.GetString(protocol.Prompt)}\":[{messages}],";
        return "";
    }

    /// <summary>
    /// Members of the config that are parameters of a call and that the request does not say, each with a comma behind it.
    /// </summary>
    static string Members(PromptVersion prompt, RequestOutline outline)
    {
        var said = outline.ParameterValues.Select(each => RequestOutline.Parameters[each.Parameter].Attribute).ToHashSet();
        using var config = JsonDocument.Parse(prompt.Config);
        return string.Concat(config.RootElement.EnumerateObject()
            .Where(member => RequestOutline.Parameters.Any(each => each.Member == member.Name && !said.Contains(each.Attribute)))
            .Select(member => $"\"{member.Name}\":{member.Value.GetRawText()},"));
    }

    static Dictionary<string, string>? Values(ReadOnlySpan<byte> body, JsonSlice slice)
    {
        if (!slice.IsPresent || slice.IsNull(body))
            return null;
        if (!slice.IsObject(body))
            throw GatewayError.Invalid("prompt_variables", "`prompt_variables` and `metadata` must be objects.");
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        var reader = new Utf8JsonReader(slice.Of(body), JsonText.Strict);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = JsonText.Decode(reader.ValueSpan);
            reader.Read();
            var text = reader.TokenType == JsonTokenType.String;
            var value = JsonSlice.Take(ref reader);
            values[name] = text ? JsonText.Text(value.Of(slice.Of(body)))! : Encoding.UTF8.GetString(value.Of(slice.Of(body)));
        }
        return values;
    }

    /// <summary>A member goes with the comma behind it, or the last one with the comma before it.</summary>
    static byte[] Without(ReadOnlySpan<byte> body, JsonSlice member)
    {
        int start = member.Start, end = member.End;
        while (IsSpace(body[end]))
            end++;
        if (body[end] == (byte)',')
            end++;
        else
            for (; start > 0 && body[start - 1] is var before && (before == (byte)',' || IsSpace(before)); start--)
                if (before == (byte)',')
                {
                    start--;
                    break;
                }
        return [.. body[..start], .. body[end..]];
    }

    static bool IsSpace(byte c) => c is (byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t';
}
