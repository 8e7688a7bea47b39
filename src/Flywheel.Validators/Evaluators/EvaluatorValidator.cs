using Flywheel.Core.Metrics;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.AI.Evaluation;

namespace Flywheel.Validators.Evaluators;

/// <summary>Asks an evaluator that needs no model: the question as the user's message, the text as the reply.</summary>
class EvaluatorValidator(string version, MetricSubject subject, IEvaluator evaluator, EvaluatorVerdict verdict) : IValidator
{
    public string Version => version;

    public virtual ValueTask<Finding> CheckAsync(Examinee examinee, CancellationToken ct) => AskAsync(examinee, null, ct);

    protected Finding? NothingToCheck(Examinee examinee) => examinee.Text is null ? TextValidator.NothingToCheck(subject, examinee) : null;

    protected async ValueTask<Finding> AskAsync(Examinee examinee, ChatConfiguration? chat, CancellationToken ct)
    {
        if (NothingToCheck(examinee) is { } nothing)
            return nothing;
        var asked = examinee.Span?.Content.Input ?? examinee.Input;
        ChatMessage[] messages = asked is null ? [] : [new(ChatRole.User, asked)];
        return verdict.Of(await evaluator.EvaluateAsync(
            messages, new ChatResponse(new ChatMessage(ChatRole.Assistant, examinee.Text)), chat, cancellationToken: ct));
    }
}

/// <summary>The same with a model; what its calls cost is metered.</summary>
/// <remarks>A check is booked as one call, however many the evaluator makes, at the dearest check seen so far; the first at 0.</remarks>
sealed class ModelEvaluatorValidator(
    string version, MetricSubject subject, IEvaluator evaluator, EvaluatorVerdict verdict, IChatClient chat,
    Func<string?, UsageDetails, double>? costUsd, string? model)
    : EvaluatorValidator(version, subject, evaluator, verdict), IPricedValidator
{
    double _dearest;

    public Finding? WithoutCall(Examinee examinee) => NothingToCheck(examinee);

    public double ExpectedCostUsd(Examinee examinee) => Volatile.Read(ref _dearest);

    public override async ValueTask<Finding> CheckAsync(Examinee examinee, CancellationToken ct)
    {
        var metered = new Metered(chat, costUsd);
        var finding = await AskAsync(examinee, new ChatConfiguration(metered), ct);
        var cost = metered.CostUsd;
        if (cost > Volatile.Read(ref _dearest))
            Volatile.Write(ref _dearest, cost);
        return finding with { CostUsd = cost, Model = metered.Model ?? model };
    }

    /// <summary>Of one check. Not disposed: the client within belongs to whoever keeps the models.</summary>
    sealed class Metered(IChatClient inner, Func<string?, UsageDetails, double>? costUsd) : DelegatingChatClient(inner)
    {
        readonly Lock _gate = new();
        double _costUsd;

        public double CostUsd
        {
            get
            {
                lock (_gate)
                    return _costUsd;
            }
        }

        public string? Model { get; private set; }

        public override async Task<ChatResponse> GetResponseAsync(
            IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
        {
            var response = await base.GetResponseAsync(messages, options, cancellationToken);
            lock (_gate)
            {
                Model = response.ModelId ?? Model;
                if (response.Usage is { } usage)
                    _costUsd += costUsd?.Invoke(response.ModelId, usage) ?? 0;
            }
            return response;
        }

        /// <summary>As one reply, so that it is metered too.</summary>
        public override async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
            IEnumerable<ChatMessage> messages, ChatOptions? options = null,
            [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken = default)
        {
            foreach (var update in (await GetResponseAsync(messages, options, cancellationToken)).ToChatResponseUpdates())
                yield return update;
        }
    }
}
