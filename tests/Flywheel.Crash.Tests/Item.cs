using System.Globalization;

namespace Flywheel.Crash.Tests;

/// <summary>Something that a client sends. All of it follows from its number, so a repeat is the same and a check needs no copy.</summary>
abstract record Item(string Path)
{
    public abstract object Body { get; }

    /// <summary>What a server that took all of it says.</summary>
    public virtual string? Expected => null;
}

/// <param name="First">Number of the first span; the others follow.</param>
sealed record SpanItem(long First, int Count) : Item("/api/v1/spans")
{
    static readonly string[] Words =
        "order invoice refund the a is not my please when card charged twice delivery late account login password reset broken".Split(' ');

    static readonly DateTimeOffset Start = new(2026, 6, 1, 0, 0, 0, TimeSpan.Zero);

    public IEnumerable<long> Numbers => Enumerable.Range(0, Count).Select(i => First + i);

    public override string Expected => $"\"accepted\":{Count},";

    public override object Body => new
    {
        spans = Numbers.Select(n => new
        {
            trace_id = Trace(n), span_id = Id(n), node = "node-" + n % 3, kind = n % 3 == 0 ? "classifier" : "writer",
            input = Input(n), output = Output(n), started_at = Start.AddSeconds(n), duration_ms = 100 + n % 900,
        }),
    };

    public static string Trace(long number) => "trace-" + number.ToString(CultureInfo.InvariantCulture);

    public static string Id(long number) => number.ToString("x16", CultureInfo.InvariantCulture);

    /// <summary>0.5 to 1 KB.</summary>
    public static string Input(long number) => Text(number, 80 + (int)(number % 80));

    /// <summary>Up to 1 KB.</summary>
    public static string Output(long number) => Text(number * 7, 1 + (int)(number % 150));

    static string Text(long from, int words) =>
        from.ToString(CultureInfo.InvariantCulture)
            + string.Concat(Enumerable.Range(0, words).Select(i => " " + Words[(from + i * i) % Words.Length]));
}

sealed record LabelItem(long Span) : Item("/api/v1/labels")
{
    public bool Passed => Span % 3 == 0;

    public Guid Id => new(1, 0, 0, BitConverter.GetBytes(Span));

    public override object Body => new
    {
        trace_id = SpanItem.Trace(Span), span_id = SpanItem.Id(Span), metric = "short", passed = Passed, author = "ana", id = Id,
    };
}

sealed record CorrectionItem(long Span) : Item("/api/v1/corrections")
{
    public string Output => "better " + Span.ToString(CultureInfo.InvariantCulture);

    public Guid Id => new(2, 0, 0, BitConverter.GetBytes(Span));

    public override object Body => new
    {
        trace_id = SpanItem.Trace(Span), span_id = SpanItem.Id(Span), corrected_output = Output, went_wrong = "too long", author = "ana",
        id = Id,
    };
}
