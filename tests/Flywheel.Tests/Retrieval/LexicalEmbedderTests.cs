using CsCheck;
using Flywheel.Core.Retrieval;
using static Flywheel.Tests.Retrieval.Pool;

namespace Flywheel.Tests.Retrieval;

public class LexicalEmbedderTests
{
    [Fact]
    public void Every_text_with_a_letter_or_digit_has_a_unit_vector_and_every_other_the_zero_vector() =>
        Gen.String.Sample(text =>
        {
            var length = Math.Sqrt(Dot(Embedder.EmbedDocument(text), Embedder.EmbedDocument(text)));

            Assert.True(length == 0 || Math.Abs(length - 1) < 1e-5, $"length {length}");
            if (text.Any(char.IsAsciiLetterOrDigit))
                Assert.NotEqual(0, length);
        });

    [Theory]
    [InlineData("")]
    [InlineData("  ?! … 🙂")]
    [InlineData("\ud800\udc00\ud800")]
    public void A_text_without_words_is_similar_to_nothing(string text)
    {
        var vector = Embedder.EmbedDocument(text);

        if (text.Length < 3 || text[0] == ' ')
            Assert.All(vector, x => Assert.Equal(0, x));
        Assert.All(vector, x => Assert.True(float.IsFinite(x)));
    }

    [Theory]
    [InlineData("CAFÉ au lait", "cafe AU Lait")]
    [InlineData("cafe\u0301 au lait", "café au lait")]
    [InlineData("Ｃａｒｄ ４２", "card 42")]
    [InlineData("Łódź, Ångström", "lodz angstrom")]
    [InlineData("zero\u200bwidth", "zerowidth")]
    [InlineData("ПРИВЕТ мир", "привет МИР")]
    public void Case_accents_and_forms_do_not_tell_texts_apart(string one, string other) =>
        Assert.Equal(Embedder.EmbedDocument(one), Embedder.EmbedDocument(other));

    [Fact]
    public void Ideographs_are_words_of_their_own()
    {
        var query = Embedder.EmbedQuery("退款", null);

        Assert.True(Dot(query, Embedder.EmbedDocument("我要退款")) > Dot(query, Embedder.EmbedDocument("我要开户")) + 0.2);
    }

    [Fact]
    public void A_misspelt_word_is_still_near()
    {
        var query = Embedder.EmbedQuery("my card did not arive", null);

        Assert.True(Dot(query, Embedder.EmbedDocument("the card has not arrived")) > Dot(
            query, Embedder.EmbedDocument("the fee is too high")) + 0.2);
    }

    [Fact]
    public void A_vector_is_the_same_on_every_machine_and_in_every_version_of_this_fingerprint()
    {
        var vector = new LexicalEmbedder(64).EmbedDocument("Where is my card? 42 Straße 退款");

        var digest = vector.Select((x, i) => (long)MathF.Round(x * 1_000) * (i + 1)).Sum();

        Assert.Equal("lexical/1;d=64;word1.3+pair.3+char3-5/1.2,.6,.4;sqrt-tf;idf^.7=query", new LexicalEmbedder(64).Fingerprint);
        Assert.Equal(GoldenDigest, digest);
    }

    [Fact]
    public void Rare_words_weigh_more_in_a_query_and_documents_never_change()
    {
        var lexicon = new Lexicon();
        var before = Embedder.EmbedDocument("my card");
        var unweighted = Embedder.EmbedQuery("my card", lexicon);
        for (var i = 0; i < 50; i++)
            lexicon.Add("my account");

        var query = Embedder.EmbedQuery("my card", lexicon);

        Assert.Equal(before, unweighted);
        Assert.Equal(before, Embedder.EmbedDocument("my card"));
        Assert.True(Dot(query, Embedder.EmbedDocument("card")) > Dot(unweighted, Embedder.EmbedDocument("card")));
    }

    [Fact]
    public async Task The_seam_gives_the_same_vectors_in_order()
    {
        var documents = await Embedder.EmbedDocumentsAsync(["one", "two"], TestContext.Current.CancellationToken);
        var query = await Embedder.EmbedQueryAsync("two", null, TestContext.Current.CancellationToken);

        Assert.Equal([Embedder.EmbedDocument("one"), Embedder.EmbedDocument("two")], documents);
        Assert.Equal(documents[1], query);
        Assert.Equal(512, Embedder.Dimensions);
    }

    private const long GoldenDigest = -42_165;
}
