using System.Text.Json;
using Flywheel.Core.Prompts;
using Microsoft.Extensions.AI;

namespace Flywheel.Client;

/// <summary>One version of a prompt of the registry.</summary>
public sealed class FlywheelPrompt
{
    readonly PromptType type;
    readonly string template;

    /// <param name="template">As <see cref="PromptVersion.Template"/>.</param>
    /// <exception cref="ArgumentException">The template cannot be used; the message says why.</exception>
    public FlywheelPrompt(string name, int version, PromptType type, string template, JsonElement config = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(template);
        if (PromptTemplate.Wrong(type, template) is { } why)
            throw new ArgumentException($"The template of prompt {name} {why}", nameof(template));
        (Name, Version, Config) = (name, version, config.ValueKind == JsonValueKind.Object ? config : JsonElement.Parse("{}"));
        (this.type, this.template) = (type, template);
    }

    /// <summary>Its name in the registry.</summary>
    public string Name { get; }

    /// <summary>0 for one that the application brought along for the case that no server answers.</summary>
    public int Version { get; }

    /// <summary>Model, temperature and what else belongs to this wording; an object.</summary>
    public JsonElement Config { get; }

    /// <summary>Names of the placeholders.</summary>
    public IReadOnlyList<string> Variables => PromptTemplate.Variables(type, template);

    /// <summary>The messages with their placeholders filled; a node that gets them names the prompt on its span.</summary>
    /// <remarks>Filled in one pass: placeholders inside a value stay text.</remarks>
    /// <exception cref="ArgumentException">A placeholder has no value.</exception>
    public IReadOnlyList<ChatMessage> Messages(params (string Name, string Value)[] values)
    {
        ArgumentNullException.ThrowIfNull(values);
        var rendered = PromptTemplate.Render(type, template, name => values.LastOrDefault(each => each.Name == name).Value);
        if (rendered.Missing.Count > 0)
            throw new ArgumentException(
                $"Prompt {Name} (version {Version}) asks for {string.Join(", ", rendered.Missing)}.", nameof(values));
        return [.. rendered.Messages.Select(message => new ChatMessage(new ChatRole(message.Role), message.Content)
        {
            AdditionalProperties = new() { [FlywheelProperties.PromptName] = Name, [FlywheelProperties.PromptVersion] = Version },
        })];
    }
}
