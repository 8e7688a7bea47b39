using CsCheck;
using Flywheel.Core.Retrieval;

namespace Flywheel.Tests.Retrieval;

public class LexiconTests
{
    private static readonly Gen<string> Texts = Gen.OneOfConst("card", "lost", "card lost", "where is it", "", "42", "é").Array[0, 5]
        .Select(w => string.Join(' ', w));

    [Fact]
    public void Removing_what_was_added_leaves_what_was_there() =>
        Gen.Select(Texts.Array[0, 20], Texts.Array[0, 20]).Sample((kept, passing) =>
        {
            var lexicon = new Lexicon();
            var expected = new Lexicon();
            foreach (var text in kept)
            {
                expected.Add(text);
                lexicon.Add(text);
            }

            foreach (var text in passing)
                lexicon.Add(text);
            foreach (var text in passing)
                lexicon.Remove(text);

            Assert.Equal(expected.Documents, lexicon.Documents);
            foreach (var feature in TextFeatures.Of("card lost where is it 42 é").ToArray())
                Assert.Equal(expected.Rarity(feature), lexicon.Rarity(feature));
        });

    [Fact]
    public void A_word_in_every_document_says_least_and_a_new_word_most()
    {
        var lexicon = new Lexicon();
        foreach (var text in new[] { "my card", "my fee", "my my account" })
            lexicon.Add(text);

        float Rarity(string word) => lexicon.Rarity(TextFeatures.Of(word)[0]);

        Assert.Equal(3, lexicon.Documents);
        Assert.Equal(1, Rarity("my"));
        Assert.True(Rarity("fee") > Rarity("my"));
        Assert.True(Rarity("unseen") > Rarity("fee"));
    }

    [Fact]
    public void An_empty_lexicon_weighs_every_word_alike() =>
        Assert.Equal(1, new Lexicon().Rarity(TextFeatures.Of("anything")[0]));
}
