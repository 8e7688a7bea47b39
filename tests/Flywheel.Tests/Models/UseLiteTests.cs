using System.Text.Json;
using Flywheel.Core;
using Flywheel.Engine.Models;
using Flywheel.Engine.Models.UseLite;

namespace Flywheel.Tests.Models;

/// <summary>Against vectors that the JavaScript original (@energetic-ai/embeddings 0.2.0) gave for our own sentences.</summary>
public sealed class UseLiteTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private sealed record Reference(string Text, int[] Pieces, float[] Vector);

    private static List<Reference> References { get; } = JsonSerializer.Deserialize<List<Reference>>(
        File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Models", "use-lite-reference.json")), JsonSerializerOptions.Web)!;

    [Fact]
    public async Task Its_pieces_are_those_of_the_original()
    {
        var model = await InstalledModels.UseLiteAsync();

        Assert.True(References.Count > 10);
        Assert.All(References, reference => Assert.Equal(reference.Pieces, model.Pieces(reference.Text)));
    }

    [Fact]
    public async Task Its_vectors_point_where_the_originals_do()
    {
        var model = await InstalledModels.UseLiteAsync();

        foreach (var reference in References)
        {
            var cosine = VectorMath.Dot(model.Embed(reference.Text), reference.Vector) / Math.Sqrt(
                VectorMath.Dot(reference.Vector, reference.Vector));
            Assert.True(cosine >= 0.999, $"{cosine:f5} for {reference.Text}");
        }
    }

    [Fact]
    public async Task Vectors_have_length_one_and_an_empty_text_gives_zeros()
    {
        var model = await InstalledModels.UseLiteAsync();

        var vectors = await model.EmbedDocumentsAsync(["hello", "", " ", "\0\ud800"], Ct);

        Assert.Equal([1, 0, 1, 1], vectors.Select(vector => Math.Round(VectorMath.Dot(vector, vector), 4)));
        Assert.All(vectors, vector => Assert.Equal(512, vector.Length));
    }

    [Fact]
    public async Task A_paraphrase_without_common_words_is_closer_than_an_unrelated_text()
    {
        var model = await InstalledModels.UseLiteAsync();
        var question = model.Embed("I forgot my password");

        var paraphrase = VectorMath.Dot(question, model.Embed("Cannot remember how to log in"));
        var unrelated = VectorMath.Dot(question, model.Embed("The parcel arrived with a broken lid"));

        Assert.True(paraphrase > unrelated + 0.1, $"{paraphrase:f3} against {unrelated:f3}");
    }

    [Fact]
    public async Task Only_the_first_128_pieces_count_and_a_huge_text_takes_no_longer()
    {
        var model = await InstalledModels.UseLiteAsync();
        var start = string.Concat(Enumerable.Repeat("the order came late again ", 40));

        Assert.Equal(model.Embed(start), model.Embed(start + "and something else entirely"));
        Assert.Equal(model.Embed(start), model.Embed(start + new string('x', 5_000_000)));
    }

    [Fact]
    public async Task Many_threads_get_the_same_vectors()
    {
        var model = await InstalledModels.UseLiteAsync();
        var texts = Enumerable.Range(0, 64).Select(i => $"order {i} is {i * 7} days late, please refund {i} euros").ToList();
        var alone = texts.ConvertAll(model.Embed);

        var together = texts.AsParallel().AsOrdered().WithDegreeOfParallelism(8).Select(model.Embed).ToList();

        Assert.Equal(alone, together);
    }

    [Fact]
    public void A_product_is_the_same_for_every_number_of_rows()
    {
        var random = new Random(5);
        const int inputs = 96, outputs = 64, rows = 23;
        var matrix = QuantizedMatrix.From(inputs, outputs, Floats(random, inputs * outputs), Floats(random, outputs));
        var from = Floats(random, rows * inputs);
        var all = new float[rows * outputs];
        matrix.Multiply(from, rows, all);

        for (var count = 1; count <= rows; count++)
        {
            var some = new float[count * outputs];
            matrix.Multiply(from, count, some);
            Assert.Equal(all[..(count * outputs)], some);
        }
    }

    [Fact]
    public void A_product_is_near_that_of_the_unrounded_weights()
    {
        var random = new Random(6);
        const int inputs = 256, outputs = 32;
        var weights = Floats(random, inputs * outputs);
        var bias = Floats(random, outputs);
        var from = Floats(random, inputs);
        var to = new float[outputs];

        QuantizedMatrix.From(inputs, outputs, weights, bias).Multiply(from, 1, to);

        for (var output = 0; output < outputs; output++)
        {
            var exact = (double)bias[output];
            for (var input = 0; input < inputs; input++)
                exact += from[input] * weights[input * outputs + output];
            Assert.Equal(exact, to[output], tolerance: 0.1);
        }
    }

    [Theory]
    [InlineData("plain ASCII", "plain ASCII")]
    [InlineData("ﬁne … ½", "fine ... 1⁄2")]
    [InlineData("cafe\u0301", "café")]
    [InlineData("ｆｕｌｌ\u00a0ｗｉｄｔｈ", "full width")]
    [InlineData("𝐁𝐨𝐥𝐝", "Bold")]
    public void The_compatible_form_is_that_of_Unicode(string text, string expected) =>
        Assert.Equal(expected, UnicodeForms.Compatible(text));

    [Theory]
    [InlineData("Café", "Cafe")]
    [InlineData("Cafe\u0301", "Cafe")]
    [InlineData("Ünïcödé ǘ ж", "Unicode u ж")]
    public void Marks_come_off_letters(string text, string expected) => Assert.Equal(expected, UnicodeForms.WithoutMarks(text));

    private static float[] Floats(Random random, int count) => [.. Enumerable.Range(0, count).Select(_ => random.NextSingle() - 0.5f)];
}
