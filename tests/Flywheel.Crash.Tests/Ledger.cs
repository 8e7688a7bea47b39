using System.Collections.Concurrent;

namespace Flywheel.Crash.Tests;

/// <summary>A verdict that the server showed: from then on it may neither go nor change.</summary>
readonly record struct SeenVerdict(long Span, string Metric, string Outcome, DateTimeOffset At);

/// <summary>What the server has promised, kept outside it.</summary>
sealed class Ledger
{
    readonly ConcurrentQueue<Item> _unanswered = new();
    readonly ConcurrentQueue<long> _forPeople = new();
    readonly ConcurrentQueue<long> _forWatcher = new();
    long _issued;

    public ConcurrentQueue<long> Spans { get; } = new();
    public ConcurrentQueue<LabelItem> Labels { get; } = new();
    public ConcurrentQueue<CorrectionItem> Corrections { get; } = new();
    public ConcurrentQueue<SeenVerdict> Verdicts { get; } = new();

    /// <summary>Sent, and the server died before it answered: kept or not, as the server pleases, but never half or twice.</summary>
    public int Unanswered => _unanswered.Count;

    public int Repeated { get; private set; }

    public int Acknowledged => Spans.Count + Labels.Count + Corrections.Count;

    /// <summary>More than so many of every kind: labels, corrections, verdicts.</summary>
    public bool HasMoreThan(int count) => Labels.Count > count && Corrections.Count > count && Verdicts.Count > count;

    public SpanItem NewSpans(int count) => new(Interlocked.Add(ref _issued, count) - count + 1, count);

    /// <summary>The next acknowledged span that no person has looked at; null when there is none yet.</summary>
    public Item? NewOpinion() =>
        !_forPeople.TryDequeue(out var span) ? null : span % 2 == 0 ? new LabelItem(span) : new CorrectionItem(span);

    public long? NewToWatch() => _forWatcher.TryDequeue(out var span) ? span : null;

    /// <summary>What an earlier life of the server left unanswered; senders repeat it.</summary>
    public Item? Repeat() => _unanswered.TryDequeue(out var item) ? item : null;

    public void Unknown(Item item)
    {
        Repeated++;
        _unanswered.Enqueue(item);
    }

    public void Acknowledge(Item item)
    {
        switch (item)
        {
            case SpanItem spans:
                foreach (var number in spans.Numbers)
                {
                    Spans.Enqueue(number);
                    _forPeople.Enqueue(number);
                    _forWatcher.Enqueue(number);
                }
                break;
            case LabelItem label:
                Labels.Enqueue(label);
                break;
            case CorrectionItem correction:
                Corrections.Enqueue(correction);
                break;
        }
    }
}
