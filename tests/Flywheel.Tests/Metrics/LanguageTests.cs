using Flywheel.Core.Metrics;
using Flywheel.Tests.Models;
using static Flywheel.Tests.Metrics.Checks;

namespace Flywheel.Tests.Metrics;

public sealed class LanguageTests
{
    const string Kind = "input.language";

    static Outcome Of(string text, string languages) => Check(Kind, $$"""{"languages":[{{languages}}]}""", text).Outcome;

    [Theory]
    [InlineData("I would like to know when my order will arrive, please.", "\"en\",\"de\"", Outcome.Pass)]
    [InlineData("Wann kommt meine Bestellung endlich bei mir an?", "\"en\",\"de\"", Outcome.Pass)]
    [InlineData("¿Cuándo llegará mi pedido? Llevo esperando dos semanas.", "\"en\",\"de\"", Outcome.Fail)]
    [InlineData("Hvornår kommer min bestilling? Jeg har ventet i to uger.", "\"en\",\"de\"", Outcome.Fail)]
    [InlineData("Когда придёт мой заказ? Я жду уже две недели.", "\"en\",\"de\"", Outcome.Fail)]
    [InlineData("私の注文はいつ届きますか。もう二週間待っています。", "\"ja\"", Outcome.Pass)]
    [InlineData("Når kommer bestillingen min? Jeg har ventet i to uker nå.", "\"no\"", Outcome.Pass)]
    [InlineData("hi", "\"en\"", Outcome.Unsure)]
    [InlineData("12345 67890 --- !!!", "\"en\"", Outcome.Unsure)]
    [InlineData("taxi hotel menu bus", "\"fr\"", Outcome.Unsure)]
    public void A_text_is_told_by_its_language(string text, string languages, Outcome expected) =>
        Assert.Equal(expected, Of(text, languages));

    [Theory]
    [InlineData("{}", "languages")]
    [InlineData("""{"languages":["english"]}""", "languages")]
    [InlineData("""{"languages":[]}""", "languages")]
    public void Settings_that_cannot_work_are_refused(string settings, string setting) =>
        Assert.Equal(setting, Refused(Kind, settings).Setting);

    /// <summary>The figures of docs/guards.md, on the rows that are shared.</summary>
    [Theory]
    [InlineData("\"en\",\"de\"", 0.015, 0.99)]
    [InlineData("\"fr\",\"nl\"", 0.015, 0.99)]
    public void Sentences_are_let_in_and_kept_out_as_promised(string languages, double mayReject, double mustCatch)
    {
        int ours = 0, rejected = 0, foreign = 0, caught = 0;
        foreach (var row in SharedData.Table("langid_lingua", "test.csv").Where(row => row[1] == "sentence"))
        {
            var outcome = Of(row[2], languages);
            if (languages.Contains($"\"{row[0]}\"", StringComparison.Ordinal))
                (ours, rejected) = (ours + 1, rejected + (outcome == Outcome.Fail ? 1 : 0));
            else
                (foreign, caught) = (foreign + 1, caught + (outcome == Outcome.Pass ? 0 : 1));
        }

        Assert.True(rejected <= mayReject * ours, $"{rejected} of {ours} rejected");
        Assert.True(caught >= mustCatch * foreign, $"{caught} of {foreign} caught");
    }
}
