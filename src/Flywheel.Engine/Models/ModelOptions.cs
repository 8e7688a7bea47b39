namespace Flywheel.Engine.Models;

/// <summary>Which models there are, by name; checked when it is read.</summary>
/// <param name="Chat">By name, ignoring case. `offline` is always there.</param>
/// <param name="Default">The chat model that is meant when none is named.</param>
/// <param name="Folder">Where installed models live.</param>
public sealed record ModelOptions(
    IReadOnlyDictionary<string, ChatModelOptions> Chat, string Default, EmbeddingOptions Embeddings, string Folder)
{
    public const string OfflineName = "offline";

    /// <summary>The offline models only.</summary>
    public static ModelOptions Offline { get; } = Read([]);

    /// <summary>
    /// Reads settings such as `chat:judge:kind = openai`, `chat:judge:api_key_env = OPENAI_API_KEY`, `default = judge`,
    /// `embeddings:provider = onnx`, `folder = /var/lib/flywheel/models`.
    /// </summary>
    /// <param name="settings">
    /// Paths relative to the models section, parts separated by a colon; case and underscores do not matter. Null
    /// values, as configuration gives for a section, are skipped.
    /// </param>
    /// <exception cref="ModelSetupException">A setting is unknown, missing or out of range; the message names it.</exception>
    public static ModelOptions Read(IEnumerable<KeyValuePair<string, string?>> settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        var root = new SettingReader("models", settings);
        var chat = new Dictionary<string, ChatModelOptions>(StringComparer.OrdinalIgnoreCase)
        {
            [OfflineName] = new(ChatProvider.Offline),
        };
        foreach (var (name, section) in root.Sections("chat"))
            chat[name] = ModelSettings.Chat(section);
        foreach (var group in chat.Where(model => model.Value.LimitGroup is not null)
            .GroupBy(model => model.Value.LimitGroup, StringComparer.Ordinal))
            if (group.Select(model => model.Value.RequestsPerSecond).Distinct().ToArray() is not [not null])
                throw new ModelSetupException(
                    $"The models {string.Join(", ", group.Select(model => model.Key))} share the limit_group {group.Key}: give each of "
                        + "them the same requests_per_second, which they share.");

        var first = chat.Keys.Where(name => name != OfflineName).Take(2).ToList();
        var @default = root.Text("default") ?? (first.Count == 1 ? first[0] : OfflineName);
        if (!chat.ContainsKey(@default))
            throw new ModelSetupException(
                $"models.default names {@default}, but there is no models.chat.{@default}. Known: {string.Join(", ", chat.Keys)}.");

        var folder = root.Text("folder") ?? ModelFolder.Default;
        var embeddings = ModelSettings.Embeddings(root.Section("embeddings"));
        root.NothingElse();
        return new(chat, @default, embeddings, folder);
    }
}
