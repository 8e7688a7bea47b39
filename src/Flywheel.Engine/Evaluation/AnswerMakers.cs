using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Flywheel.Core;
using Flywheel.Core.Projects;
using Flywheel.Core.Prompts;
using Flywheel.Core.Retrieval;
using Flywheel.Engine.Loop;
using Flywheel.Engine.Models;
using Flywheel.Engine.Prompts;
using Flywheel.Engine.Retrieval;
using Flywheel.Engine.Telemetry;
using Microsoft.Extensions.AI;

namespace Flywheel.Engine.Evaluation;

/// <summary>Prepares what makes the outputs of a run.</summary>
/// <param name="prices">Of models whose configuration has none.</param>
public sealed class AnswerMakers(
    ModelRegistry models, PriceTable prices, PromptService prompts, NodePolicies policies, DemonstrationEmbedding embedding,
    DemonstrationRetriever retriever)
{
    /// <param name="hidden">Fields of a row that no prompt may show.</param>
    /// <exception cref="RequestException">
    /// <c>invalid_model</c>, <c>invalid_demonstrations</c>, <c>unknown_prompt</c>, <c>unknown_prompt_version</c>.
    /// </exception>
    public async Task<AnswerMaker> OpenAsync(Caller caller, AnswerRequest request, IReadOnlySet<string> hidden, CancellationToken ct)
    {
        var prompt = request.Text ?? await PromptAsync(caller, request.Prompt, ct);
        var settings = JsonElement.Parse(prompt.Config);
        var (name, id) = Find(request.Model ?? Text(settings, "model"));
        var price = models.Price(name) is var own && own != ModelPrice.Free ? own : prices.Find(id);
        var (node, policy) = (request.Demonstrations, RetrievalPolicy.Default);
        if (node is not null)
            policy = RetrievalPolicies.Override(await policies.ForNodeAsync(caller.Project, node, ct), null, request.K);
        var plan = new GenerationPlan(
            models.Chat(name), id, usage =>
                price?.CostUsd(usage) ?? 0, prompt.Template is null ? null : (prompt.Type, prompt.Template), Call(settings),
            node is null ? null : await DemonstrateAsync(caller, node, policy, ct), hidden);
        return new(
            plan,
            new(null, Model: name, ModelId: id, Prompt: prompt.Title, Demonstrations: node, K: node is null ? null : policy.Count),
            Hash(
                id, name, prompt.Type.ToString(), prompt.Template ?? "", prompt.Config, node ?? "",
                node is null ? "" : JsonSerializer.Serialize(RetrievalPolicies.Describe(policy)), string.Join(",", hidden.Order())),
            id == Models.Offline.OfflineChatClient.Model || price is not null);
    }

    async Task<PromptText> PromptAsync(Caller caller, string? prompt, CancellationToken ct)
    {
        if (prompt is null)
            return PromptText.None;
        var (name, which) = prompt.LastIndexOf('@') is var at and > 0 ? (prompt[..at], prompt[(at + 1)..]) : (prompt, PromptLabel.Latest);
        var version = await prompts.GetAsync(caller, name, which, ct);
        return new(version.Type, version.Template, version.Config, $"{version.Name}@{version.Number}");
    }

    (string Name, string Id) Find(string? wanted)
    {
        if (wanted is null)
            return (models.DefaultName, models.ModelId(models.DefaultName));
        if (models.ChatNames.FirstOrDefault(name => name.Equals(wanted, StringComparison.OrdinalIgnoreCase)) is { } exact)
            return (exact, models.ModelId(exact));
        var found = models.ChatNames.Where(
            name => models.ModelId(name) == wanted || $"{models.Provider(name)}/{models.ModelId(name)}" == wanted).ToArray();
        return found switch
        {
            [var one] => (one, models.ModelId(one)),
            [] => throw RequestException.BadField(
                "model", $"There is no chat model `{wanted}`: add Models:Chat:NAME to the settings, or use "
                    + $"{string.Join(", ", models.ChatNames.Select(name => models.ModelId(name) == name ? name : $"{name} ({models.Provider(name)}/{models.ModelId(name)})"))}."),
            _ => throw RequestException.BadField("model", $"`{wanted}` is the model of several: name one of {string.Join(", ", found)}."),
        };
    }

    /// <summary>
    /// Searches as the gateway does. A demonstration with the very input of a row would tell its answer, so it is left out and the next
    /// one taken.
    /// </summary>
    async Task<Func<string, CancellationToken, Task<IReadOnlyList<ChosenDemonstration>>>> DemonstrateAsync(
        Caller caller, string node, RetrievalPolicy policy, CancellationToken ct)
    {
        const int MostSpare = 100;
        await embedding.RunOnceAsync(ct);
        if (policy.Count > 0 && (await retriever.IndexAsync(caller.Project, DemonstrationPurpose.Task, node, ct))?.Count is null or 0)
            throw RequestException.BadField(
                "demonstrations", $"Node `{node}` has no approved demonstration: approve some, or leave --demonstrations out.");
        return async (input, stop) =>
        {
            var chosen = await SearchAsync(policy.Count);
            var same = chosen.Count(each => IsSame(each.Text, input));
            if (same > 0 && policy.Count + same <= MostSpare)
                chosen = await SearchAsync(policy.Count + same);
            return [.. chosen.Where(each => !IsSame(each.Text, input)).TakeLast(policy.Count).Select(EmbeddedLoop.Chosen)];

            async Task<IReadOnlyList<RetrievedDemonstration>> SearchAsync(int count) =>
                (await retriever.SearchAsync(caller.Project, DemonstrationPurpose.Task, node, input, policy with { Count = count }, stop))
                    .Chosen;
        };
    }

    static bool IsSame(string one, string other) => one.AsSpan().Trim().SequenceEqual(other.AsSpan().Trim());

    /// <summary>Parameters of a call that every provider knows; others of the config are the gateway's business.</summary>
    static ChatOptions Call(JsonElement config) => new()
    {
        Temperature = (float?)Number(config, "temperature"),
        TopP = (float?)Number(config, "top_p"),
        MaxOutputTokens = (int?)(
            Number(config, "max_completion_tokens") ?? Number(config, "max_output_tokens") ?? Number(config, "max_tokens")),
        Seed = (long?)Number(config, "seed"),
        StopSequences = config.TryGetProperty("stop", out var stop)
            ? stop.ValueKind == JsonValueKind.Array ? [.. stop.EnumerateArray().Select(each => each.ToString())] : [stop.ToString()]
            : null,
        ResponseFormat = config.TryGetProperty("response_format", out var format)
            && Text(format, "type") == "json_object" ? ChatResponseFormat.Json : null,
    };

    static double? Number(JsonElement config, string name) =>
        config.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number ? value.GetDouble() : null;

    static string? Text(JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value)
            && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    static string Hash(params string[] parts) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(JsonSerializer.Serialize(parts))));
}
