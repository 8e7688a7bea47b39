using System.Text;
using System.Text.Encodings.Web;
using Flywheel.Core;
using Flywheel.Core.Guarding;
using Flywheel.Core.Retrieval;
using Flywheel.Engine.Guarding;
using Flywheel.Engine.Loop;
using Flywheel.Engine.Retrieval;
using Flywheel.Server.Gateway.Wire;

namespace Flywheel.Server.Gateway.Calls;

/// <summary>Guards the input and puts demonstrations into the prompt: what happens before a provider is called.</summary>
sealed class PromptPreparation(InputGuard guard, DemonstrationRetriever retriever, TimeProvider clock, ILogger<PromptPreparation> log)
{
    /// <summary>An answer without demonstrations now is worth more than one with them later.</summary>
    static readonly TimeSpan RetrievalDeadline = TimeSpan.FromMilliseconds(250);

    /// <returns>False when a guard blocks.</returns>
    public async Task<bool> PrepareAsync(GatewayCall call, BodyEdits edits, CancellationToken ct)
    {
        var settings = call.Rules.Settings;
        var guards = settings.Guards == true;
        var retrieves = settings.Demonstrations == true && call.Protocol.HasMessages && call.Rules.Retrieval.Count > 0
            && !ContinuesAResponse(call);
        if (!guards && !retrieves)
            return true;
        call.Question = Conversation.Question(call.Original.Span, call.Outline.Prompt);
        if (guards && !await GuardAsync(call, edits, ct))
            return false;
        if (retrieves && call.Question.Length > 0)
            await DemonstrateAsync(call, edits, ct);
        return true;
    }

    async Task<bool> GuardAsync(GatewayCall call, BodyEdits edits, CancellationToken ct)
    {
        var question = call.Question!;
        var answer = await guard.CheckAsync(
            call.Caller.Project, new GuardQuery(call.Node, call.Kind, question, call.EndUser, call.Session), ct);
        call.Guarded = answer;
        if (answer.Decision == GuardDecision.Block)
            return false;
        if (answer.Decision != GuardDecision.Redact || answer.Input == question)
            return true;
        var text = Conversation.QuestionText(call.Original.Span, call.Outline.Prompt);
        if (!text.IsPresent)
        {
            // The text is spread over parts: a message whose findings cannot be taken out must not leave.
            call.Guarded = answer with { Decision = GuardDecision.Block };
            return false;
        }
        edits.Replace(text, Quoted(answer.Input));
        return true;
    }

    async Task DemonstrateAsync(GatewayCall call, BodyEdits edits, CancellationToken ct)
    {
        var started = clock.GetTimestamp();
        try
        {
            var searching = retriever.SearchAsync(
                call.Caller.Project, DemonstrationPurpose.Task, call.Node, call.Guarded?.Input ?? call.Question!, call.Rules.Retrieval, ct);
            var result = searching.IsCompleted ? await searching : await searching.WaitAsync(RetrievalDeadline, clock, ct);
            call.Demonstrations = Affordable(
                [.. result.Chosen.Select(EmbeddedLoop.Chosen)], call.Rules.Settings.DemonstrationTokens!.Value);
            if (call.Demonstrations.Count > 0)
                Insert(call, edits);
        }
        catch (Exception fault) when (!ct.IsCancellationRequested)
        {
            // Demonstrations are a help, never a reason to refuse a call.
            call.RetrievalProblem = fault is TimeoutException ? "timeout" : "failed";
            if (fault is not TimeoutException)
                log.LogWarning(fault, "Finding demonstrations for {Node} failed", call.Node);
        }
        call.RetrievalMs = clock.GetElapsedTime(started).TotalMilliseconds;
    }

    /// <summary>The last ones, which resemble the question most, within the budget.</summary>
    static IReadOnlyList<ChosenDemonstration> Affordable(IReadOnlyList<ChosenDemonstration> chosen, int tokens)
    {
        var first = chosen.Count;
        while (first > 0 && (tokens -= TokenEstimate.Of(chosen[first - 1].Input) + TokenEstimate.Of(chosen[first - 1].Output)) >= 0)
            first--;
        return first == 0 ? chosen : [.. chosen.Skip(first)];
    }

    static void Insert(GatewayCall call, BodyEdits edits)
    {
        var body = call.Original.Span;
        var prompt = call.Outline.Prompt;
        var shots = new StringBuilder();
        foreach (var one in call.Demonstrations)
        {
            shots.Append(shots.Length > 0 ? "," : "");
            Append("user", one.Input);
            shots.Append(',');
            Append("assistant", one.Output);
        }
        if (Conversation.TryFindInstructionsEnd(body, prompt, out var after, out var hasInstructions, out var hasMore))
        {
            edits.Insert(after, Encoding.UTF8.GetBytes((hasInstructions ? "," : "") + shots + (!hasInstructions && hasMore ? "," : "")));
        }
        else if (prompt.IsString(body))
        {
            // A bare text becomes a list of messages, the text its last one.
            edits.Insert(prompt.Start, Encoding.UTF8.GetBytes("[" + shots + ",{\"role\":\"user\",\"content\":"));
            edits.Insert(prompt.End, "}]"u8.ToArray());
        }

        void Append(string role, string text) => shots.Append("{\"role\":\"").Append(role).Append("\",\"content\":\"")
            .Append(JavaScriptEncoder.UnsafeRelaxedJsonEscaping.Encode(text)).Append("\"}");
    }

    /// <summary>The provider would keep demonstrations as things that its user said.</summary>
    static bool ContinuesAResponse(GatewayCall call) =>
        call.Outline.ParameterValues.Any(
            each => RequestOutline.Parameters[each.Parameter].Member == "previous_response_id" && !each.Value.IsNull(call.Original.Span));

    public static byte[] Quoted(string text) =>
        Encoding.UTF8.GetBytes("\"" + JavaScriptEncoder.UnsafeRelaxedJsonEscaping.Encode(text) + "\"");
}
