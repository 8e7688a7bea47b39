using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Flywheel.Core;
using Flywheel.Core.Projects;
using Flywheel.Core.Prompts;
using Flywheel.Core.Retrieval;
using Flywheel.Engine.Evaluation;
using Flywheel.Engine.Loop;
using Flywheel.Engine.Models;
using Flywheel.Engine.Retrieval;
using Flywheel.Engine.Telemetry;
using Flywheel.Engine.Prompts;
using Flywheel.Server.Files;
using Flywheel.Server.Hosting;
using Microsoft.Extensions.AI;

namespace Flywheel.Server.Cli.Eval;

/// <summary>What made the outputs of a run, as it is kept with the run; all null when they were in the file.</summary>
/// <param name="Name">What people call the run.</param>
/// <param name="Prompt">NAME@NUMBER, or a file's name with the beginning of its hash.</param>
sealed record EvalAbout(
    string? Name, string? Dataset = null, int? DatasetVersion = null, string? Model = null, string? ModelId = null, string? Prompt = null,
    string? Demonstrations = null, int? K = null)
{
    public string Json() => JsonSerializer.Serialize(this, FileJson.Lines);

    public static EvalAbout Of(string? json) => json is null ? new EvalAbout(Name: null) : JsonSerializer.Deserialize<EvalAbout>(json, FileJson.Lines)!;

    /// <summary>What tells runs apart, in few words.</summary>
    public string Title()
    {
        var parts = new[] { Name, Model, Prompt, Demonstrations is null ? null : string.Create(CultureInfo.InvariantCulture, $"{K} of {Demonstrations}") }
            .OfType<string>().ToArray();
        return parts.Length == 0 ? "outputs of the file" : string.Join(", ", parts);
    }
}

/// <summary>The model, prompt and demonstrations that the command line names, ready to make outputs.</summary>
/// <param name="Fingerprint">Everything that decides the outputs.</param>
sealed record EvalModel(GenerationPlan Plan, EvalAbout About, string Fingerprint, bool HasPrice)
{
    /// <param name="model">A configured model by its name, by its provider's name, or PROVIDER/MODEL; null for the prompt's, else the default.</param>
    public static async Task<EvalModel> OpenAsync(
        CommandEngine engine, IFlywheelStore? store, Project? project, string? model, string? prompt, string? promptFile, string? node, int? k,
        IReadOnlySet<string> hidden, CancellationToken ct)
    {
        var models = engine.Get<ModelRegistry>();
        var (type, template, config, title) = await PromptAsync(store, project, prompt, promptFile, ct);
        var settings = JsonElement.Parse(config);
        var (name, id) = Find(models, model ?? Text(settings, "model"));
        var price = models.Price(name) is var own && own != ModelPrice.Free ? own
            : PriceTable.Read(Settings.Load().GetSection("Prices").AsEnumerable(makePathsRelative: true)).Find(id);
        var about = new EvalAbout(null, Model: name, ModelId: id, Prompt: title, Demonstrations: node, K: node is null ? null : k);
        Func<string, CancellationToken, Task<IReadOnlyList<ChosenDemonstration>>>? demonstrate = null;
        var policy = RetrievalPolicy.Default;
        if (node is not null)
        {
            policy = RetrievalPolicies.Override(await engine.Get<NodePolicies>().ForNodeAsync(project!.Id, node, ct), null, k);
            demonstrate = await DemonstrationsAsync(engine, project, node, policy, ct);
            about = about with { K = policy.Count };
        }
        var offline = models.ModelId(name) == Engine.Models.Offline.OfflineChatClient.Model;
        var plan = new GenerationPlan(
            models.Chat(name), id, usage => price?.CostUsd(usage) ?? 0, template is null ? null : (type, template), Call(settings), demonstrate, hidden);
        return new(
            plan, about,
            Hash(id, name, type.ToString(), template ?? "", config, node ?? "", node is null ? "" : JsonSerializer.Serialize(RetrievalPolicies.Describe(policy)), string.Join(",", hidden.Order())),
            offline || price is not null);
    }

    static async Task<(PromptType Type, string? Template, string Config, string? Title)> PromptAsync(
        IFlywheelStore? store, Project? project, string? prompt, string? promptFile, CancellationToken ct)
    {
        if (prompt is not null && promptFile is not null)
            throw new UsageException("Give either --prompt or --prompt-file.");
        if (prompt is not null)
        {
            var (name, which) = prompt.LastIndexOf('@') is var at and > 0 ? (prompt[..at], prompt[(at + 1)..]) : (prompt, PromptLabel.Latest);
            var version = await new PromptService(store!.Prompts, TimeProvider.System).GetAsync(CommandCaller.Of(project!), name, which, ct);
            return (version.Type, version.Template, version.Config, $"{version.Name}@{version.Number}");
        }
        if (promptFile is null)
            return (PromptType.Text, null, "{}", null);
        if (!File.Exists(promptFile))
            throw new UsageException($"There is no file {promptFile}: --prompt-file names a text, or a JSON file of messages.");
        var text = await File.ReadAllTextAsync(promptFile, ct);
        var (type, template, config) = (PromptType.Text, text, "{}");
        if (Path.GetExtension(promptFile).Equals(".json", StringComparison.OrdinalIgnoreCase))
            (type, template, config) = OfJson(promptFile, text);
        if (PromptTemplate.Wrong(type, template) is { } wrong)
            throw new UsageException($"{promptFile} {wrong}");
        return (type, template, config, $"{Path.GetFileName(promptFile)}@{Hash(template, config)[..8]}");
    }

    /// <summary>A list of messages, or an object with <c>template</c> and <c>config</c> as POST /api/v1/prompts/NAME/versions takes it.</summary>
    static (PromptType, string, string) OfJson(string path, string text)
    {
        JsonElement json;
        try
        {
            json = JsonElement.Parse(text);
        }
        catch (JsonException e)
        {
            throw new UsageException($"{path} is no JSON: {e.Message.Split(" Path:")[0]}");
        }
        var config = "{}";
        if (json.ValueKind == JsonValueKind.Object && json.TryGetProperty("template", out var template))
        {
            config = json.TryGetProperty("config", out var given) && given.ValueKind == JsonValueKind.Object ? given.GetRawText() : "{}";
            json = template;
        }
        return json.ValueKind == JsonValueKind.String ? (PromptType.Text, json.GetString()!, config) : (PromptType.Chat, json.GetRawText(), config);
    }

    static (string Name, string Id) Find(ModelRegistry models, string? wanted)
    {
        if (wanted is null)
            return (models.DefaultName, models.ModelId(models.DefaultName));
        if (models.ChatNames.FirstOrDefault(name => name.Equals(wanted, StringComparison.OrdinalIgnoreCase)) is { } exact)
            return (exact, models.ModelId(exact));
        var found = models.ChatNames.Where(name => models.ModelId(name) == wanted || $"{models.Provider(name)}/{models.ModelId(name)}" == wanted).ToArray();
        return found switch
        {
            [var one] => (one, models.ModelId(one)),
            [] => throw new UsageException($"There is no chat model `{wanted}`: add Models:Chat:NAME to the settings, or use {string.Join(", ", models.ChatNames.Select(name => models.ModelId(name) == name ? name : $"{name} ({models.Provider(name)}/{models.ModelId(name)})"))}."),
            _ => throw new UsageException($"`{wanted}` is the model of several: name one of {string.Join(", ", found)}."),
        };
    }

    /// <summary>
    /// Searches as the gateway does. A demonstration with the very input of a row would tell its answer, so it is left out and the next
    /// one taken.
    /// </summary>
    static async Task<Func<string, CancellationToken, Task<IReadOnlyList<ChosenDemonstration>>>> DemonstrationsAsync(
        CommandEngine engine, Project project, string node, RetrievalPolicy policy, CancellationToken ct)
    {
        const int MostSpare = 100;
        await engine.Get<DemonstrationEmbedding>().RunOnceAsync(ct);
        var retriever = engine.Get<DemonstrationRetriever>();
        if (policy.Count > 0 && (await retriever.IndexAsync(project.Id, DemonstrationPurpose.Task, node, ct))?.Count is null or 0)
            throw new UsageException($"Node `{node}` has no approved demonstration: approve some, or leave --demonstrations out.");
        return async (input, stop) =>
        {
            var chosen = await SearchAsync(policy.Count);
            var same = chosen.Count(each => IsSame(each.Text, input));
            if (same > 0 && policy.Count + same <= MostSpare)
                chosen = await SearchAsync(policy.Count + same);
            return [.. chosen.Where(each => !IsSame(each.Text, input)).TakeLast(policy.Count).Select(EmbeddedLoop.Chosen)];

            async Task<IReadOnlyList<RetrievedDemonstration>> SearchAsync(int count) =>
                (await retriever.SearchAsync(project.Id, DemonstrationPurpose.Task, node, input, policy with { Count = count }, stop)).Chosen;
        };
    }

    static bool IsSame(string one, string other) => one.AsSpan().Trim().SequenceEqual(other.AsSpan().Trim());

    /// <summary>Parameters of a call that every provider knows; others of the config are the gateway's business.</summary>
    static ChatOptions Call(JsonElement config) => new()
    {
        Temperature = (float?)Number(config, "temperature"),
        TopP = (float?)Number(config, "top_p"),
        MaxOutputTokens = (int?)(Number(config, "max_completion_tokens") ?? Number(config, "max_output_tokens") ?? Number(config, "max_tokens")),
        Seed = (long?)Number(config, "seed"),
        StopSequences = config.TryGetProperty("stop", out var stop)
            ? stop.ValueKind == JsonValueKind.Array ? [.. stop.EnumerateArray().Select(each => each.ToString())] : [stop.ToString()]
            : null,
        ResponseFormat = config.TryGetProperty("response_format", out var format) && Text(format, "type") == "json_object" ? ChatResponseFormat.Json : null,
    };

    static double? Number(JsonElement config, string name) =>
        config.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number ? value.GetDouble() : null;

    static string? Text(JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    static string Hash(params string[] parts) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(JsonSerializer.Serialize(parts))));
}
