using Flywheel.Core.Guarding;
using Flywheel.Core.Metrics;

namespace Flywheel.Tests.Guarding;

public sealed class RedactionTests
{
    [Fact]
    public void Each_span_becomes_its_type_in_brackets()
    {
        var redaction = new Redaction("mail a@b.de or call 030 1", [new(20, 5, "phone"), new(5, 6, "email")]);

        Assert.Equal("mail [email] or call [phone]", redaction.Text);
    }

    [Fact]
    public void Overlapping_spans_become_one_and_no_letter_of_them_is_left()
    {
        var redaction = new Redaction("0123456789", [new(2, 3, "a"), new(4, 4, "b"), new(3, 1, "c")]);

        Assert.Equal("01[a]89", redaction.Text);
        Assert.Equal([new FoundSpan(2, 6, "a")], redaction.Replaced);
    }

    [Fact]
    public void Positions_move_with_the_text()
    {
        const string text = "one 4111 two 4222 three";
        var redaction = new Redaction(text, [new(4, 4, "card"), new(13, 4, "card")]);

        foreach (var word in new[] { "one", "two", "three" })
        {
            var moved = redaction.Move(new(text.IndexOf(word, StringComparison.Ordinal), word.Length, "word"));
            Assert.Equal(word, redaction.Text.Substring(moved.Start, moved.Length));
        }
        var second = redaction.Move(new(14, 2, "card"));
        Assert.Equal("[card]", redaction.Text.Substring(second.Start, second.Length));
        Assert.True(second.Start > redaction.Text.IndexOf("two", StringComparison.Ordinal));
        var across = redaction.Move(new(0, text.Length, "all"));
        Assert.Equal(redaction.Text, redaction.Text.Substring(across.Start, across.Length));
    }

    [Fact]
    public void A_span_outside_the_text_is_a_mistake_of_the_caller() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new Redaction("abc", [new(2, 2, "x")]));
}
