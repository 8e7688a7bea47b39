using System.Runtime.CompilerServices;
using Flywheel.Core.Retrieval;
using Microsoft.Extensions.AI;

namespace Flywheel.Engine.Models.Offline;

/// <summary>
/// A model without a model: it answers with what the examples in its prompt say about similar questions, and knows
/// nothing else.
/// </summary>
/// <remarks>
/// <para>
/// Each (user, assistant) pair before the last user message votes for its answer with weight exp((s - s_best) / 0.1),
/// s being the cosine of its question to the one asked, after taking away what all user messages share. So does each
/// option that the prompt lists ("- name: meaning", "Options: ...", or an enum in the reply's schema). JSON replies
/// with a `verdict` vote by that property; a judge without examples is unsure; and where there is nothing to choose
/// from it says so. <see cref="Confidence"/> among the response's additional properties holds the winner's share.
/// </para>
/// <para>
/// Token counts are estimates (four characters a token). Rare words weigh more the more questions it has seen, unless
/// a lexicon is given: then answers depend on the prompt and that lexicon alone. Thread-safe.
/// </para>
/// </remarks>
public sealed class OfflineChatClient : IChatClient
{
    public const string Model = "offline/nearest-neighbour";

    /// <summary>Additional property of a response: the share of the vote behind it, a double in [0, 1].</summary>
    public const string Confidence = "flywheel.confidence";

    /// <summary>The whole answer when the prompt has neither examples nor options.</summary>
    public const string NoExample =
        "I have no example to go by: this is Flywheel's offline model, which can only repeat what its examples show.";

    private static readonly string[] CatchAllOptions = ["other", "general", "unknown", "unclear", "none", "oos"];

    private readonly IEmbedder _embedder;
    private readonly VectorCache _vectors;
    private readonly Lexicon? _given;
    private readonly SeenTexts _seen = new();
    private readonly ChatClientMetadata _metadata = new("offline", defaultModelId: Model);

    /// <param name="embedder">Measures similarity; null for the lexical one.</param>
    /// <param name="lexicon">Word statistics to use; null to learn them from the questions seen.</param>
    public OfflineChatClient(IEmbedder? embedder = null, Lexicon? lexicon = null)
    {
        (_embedder, _given) = (embedder ?? new LexicalEmbedder(), lexicon);
        _vectors = new(_embedder);
    }

    public async Task<ChatResponse> GetResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(messages);
        cancellationToken.ThrowIfCancellationRequested();
        var prompt = FewShotPrompt.Read(messages, options?.Instructions);
        var (text, share) = await AnswerAsync(prompt, ReplyShape.Of(options), cancellationToken);

        var input = Tokens(prompt.Instructions) + Tokens(prompt.Question)
            + prompt.Shots.Sum(shot => Tokens(shot.Question) + Tokens(shot.Answer));
        var output = Tokens(text);
        return new(new ChatMessage(ChatRole.Assistant, text))
        {
            ResponseId = Guid.CreateVersion7().ToString("n"),
            ModelId = Model,
            FinishReason = ChatFinishReason.Stop,
            Usage = new() { InputTokenCount = input, OutputTokenCount = output, TotalTokenCount = input + output },
            AdditionalProperties = new() { [Confidence] = share },
        };
    }

    /// <summary>The same answer word by word; usage and confidence come with the last update.</summary>
    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages,
        ChatOptions? options = null,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var response = await GetResponseAsync(messages, options, cancellationToken);
        var messageId = Guid.CreateVersion7().ToString("n");
        foreach (var piece in Words(response.Text))
        {
            cancellationToken.ThrowIfCancellationRequested();
            yield return Update(new TextContent(piece));
        }

        // Without a message id, so that its properties become those of the response and not of the message.
        var end = Update(new UsageContent(response.Usage!));
        end.MessageId = null;
        end.FinishReason = response.FinishReason;
        end.AdditionalProperties = response.AdditionalProperties;
        yield return end;

        ChatResponseUpdate Update(AIContent content) => new(ChatRole.Assistant, [content])
        {
            ResponseId = response.ResponseId,
            MessageId = messageId,
            ModelId = Model,
        };
    }

    public object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        if (serviceKey is not null)
            return null;
        return serviceType == typeof(ChatClientMetadata) ? _metadata : serviceType.IsInstanceOfType(this) ? this : null;
    }

    public void Dispose()
    {
    }

    private async ValueTask<(string Text, double Share)> AnswerAsync(FewShotPrompt prompt, ReplyShape? shape, CancellationToken ct)
    {
        if (prompt.Shots.Count == 0 && UnsureVerdict(prompt, shape) is { } unsure)
            return (unsure, 0);

        var options = Options(prompt, shape);
        var voters = Voters(prompt.Shots, options, shape);
        if (voters.Count == 0)
            return (NoExample, 0);

        var questions = SharedText.Strip([.. prompt.Shots.Select(shot => shot.Question), prompt.Question]);
        var texts = voters.Select((voter, i) => i < prompt.Shots.Count ? questions[i] : voter.Text).ToList();
        var query = await _embedder.EmbedQueryAsync(questions[^1], Learn(questions), ct);
        var similarities = (await _vectors.EmbedAsync(texts, ct)).Select(vector => VectorMath.Dot(query, vector)).ToList();
        var vote = SoftmaxVote.Of(voters.Select((voter, i) => (voter.Answer, similarities[i])))!;
        var spokesman = Enumerable.Range(0, voters.Count).Where(i => voters[i].Answer == vote.Answer).MaxBy(i => similarities[i]);
        if (spokesman >= prompt.Shots.Count)
        {
            var name = similarities.Max() > 0 ? vote.Answer : CatchAll(options);
            return (shape is { Options.Count: > 0 } ? shape.Reply(name, vote.Share, NoExample) : name, vote.Share);
        }

        var reply = prompt.Shots[spokesman].Answer;
        return (JudgeReply.VerdictOf(reply) is null ? reply : JudgeReply.Like(reply, vote.Share, shape), vote.Share);
    }

    // An option votes beside the examples, with its name and description as its text, if the examples answer with
    // options at all: so few examples do not make it forget what it was told.
    private static List<(string Text, string Answer)> Voters(
        IReadOnlyList<Shot> shots, IReadOnlyList<AnswerOption> options, ReplyShape? shape)
    {
        var names = options.ToDictionary(option => option.Name, option => option.Name, StringComparer.OrdinalIgnoreCase);
        var chosen = false;
        var voters = new List<(string Text, string Answer)>(shots.Count + options.Count);
        foreach (var (question, answer) in shots)
        {
            var text = shape?.ChoiceOf(answer) ?? answer.Trim();
            chosen |= names.ContainsKey(text);
            voters.Add((question, JudgeReply.VerdictOf(answer) ?? names.GetValueOrDefault(text, text)));
        }

        if (shots.Count == 0 || chosen && shape?.Property != JudgeReply.Verdict)
            voters.AddRange(options.Select(option => (option.Text, option.Name)));
        return voters;
    }

    private static string CatchAll(IReadOnlyList<AnswerOption> options) =>
        (options.FirstOrDefault(option => CatchAllOptions.Contains(option.Name, StringComparer.OrdinalIgnoreCase)) ?? options[0]).Name;

    // The schema says what is allowed; the prompt's own list may still say what each option stands for.
    private static IReadOnlyList<AnswerOption> Options(FewShotPrompt prompt, ReplyShape? shape)
    {
        var listed = OptionList.Find(prompt.Instructions);
        if (listed.Count == 0)
            listed = OptionList.Find(prompt.Question);
        return shape is { Options.Count: > 0 }
            ? [.. shape.Options.Select(name => listed.FirstOrDefault(option => option.Name == name) ?? new(name, ""))]
            : [.. listed.DistinctBy(option => option.Name, StringComparer.OrdinalIgnoreCase)];
    }

    private static string? UnsureVerdict(FewShotPrompt prompt, ReplyShape? shape)
    {
        const string unsure = "unsure";
        if (shape is { Property: JudgeReply.Verdict })
            return shape.Options.Contains(unsure) ? shape.Reply(unsure, 0, NoExample) : null;
        var asked = prompt.Instructions + "\n" + prompt.Question;
        return asked.Contains("\"verdict\"", StringComparison.Ordinal) && asked.Contains(unsure, StringComparison.Ordinal)
            ? $$"""{"verdict":"{{unsure}}","rationale":"{{NoExample}}"}"""
            : null;
    }

    private Lexicon Learn(IEnumerable<string> texts)
    {
        if (_given is not null)
            return _given;
        _seen.Add(texts);
        return _seen.Lexicon;
    }

    private static IEnumerable<string> Words(string text)
    {
        for (int start = 0, end; start < text.Length; start = end)
        {
            end = text.IndexOf(' ', start + 1);
            if (end < 0)
                end = text.Length;
            yield return text[start..end];
        }
    }

    private static int Tokens(string text) => (text.Length + 3) / 4;
}
