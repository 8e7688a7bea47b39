using Flywheel.Core.Retrieval;
using Flywheel.Engine.Models;
using Flywheel.TestServer;

namespace Flywheel.Tests.Models;

/// <summary>The hybrid of meaning and wording, and embedders behind an endpoint.</summary>
public sealed class EmbedderTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_hybrid_similarity_is_the_mean_of_both()
    {
        var meaning = await InstalledModels.UseLiteAsync();
        var wording = new LexicalEmbedder();
        var hybrid = new HybridEmbedder(meaning, wording);
        const string question = "my card was charged twice", document = "why was I billed two times on my card";

        var query = await hybrid.EmbedQueryAsync(question, null, Ct);
        var stored = (await hybrid.EmbedDocumentsAsync([document], Ct))[0];

        Assert.Equal(1024, query.Length);
        Assert.Equal(1, VectorMath.Dot(query, query), precision: 5);
        var expected = (VectorMath.Dot(meaning.Embed(question), meaning.Embed(document))
            + VectorMath.Dot(wording.EmbedQuery(question, null), wording.EmbedDocument(document))) / 2;
        Assert.Equal(expected, VectorMath.Dot(query, stored), precision: 5);
    }

    [Fact]
    public async Task The_wording_half_of_a_query_weighs_rare_words_more()
    {
        var hybrid = new HybridEmbedder(await InstalledModels.UseLiteAsync(), new LexicalEmbedder());
        var lexicon = new Lexicon();
        for (var i = 0; i < 50; i++)
            lexicon.Add($"please help me with number {i}");

        var documents = await hybrid.EmbedDocumentsAsync(["please help me", "voucher"], Ct);
        var plain = await hybrid.EmbedQueryAsync("please help me voucher", null, Ct);
        var weighted = await hybrid.EmbedQueryAsync("please help me voucher", lexicon, Ct);

        Assert.True(VectorMath.Dot(weighted, documents[1]) > VectorMath.Dot(plain, documents[1]) + 0.02);
        Assert.True(VectorMath.Dot(weighted, documents[0]) < VectorMath.Dot(plain, documents[0]) - 0.02);
    }

    [Fact]
    public async Task Fingerprints_tell_embedders_apart()
    {
        var meaning = await InstalledModels.UseLiteAsync();

        string[] fingerprints =
        [
            meaning.Fingerprint,
            new LexicalEmbedder().Fingerprint,
            new HybridEmbedder(meaning, new LexicalEmbedder()).Fingerprint,
            new HybridEmbedder(meaning, new LexicalEmbedder(256)).Fingerprint,
        ];

        Assert.Equal(fingerprints.Length, fingerprints.Distinct().Count());
        Assert.Contains("sha256=", fingerprints[0], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("openai")]
    [InlineData("ollama")]
    public async Task An_endpoints_vectors_come_in_order_at_length_one_and_in_batches(string provider)
    {
        await using var server = await ModelTestServer.StartAsync();
        using var models = Registry(server, provider);
        var embedder = models.Embedder();
        string[] texts = ["a", "b", "", "c", "d"];

        var vectors = await embedder.EmbedDocumentsAsync(texts, Ct);

        Assert.Equal([2, 2], server.Requests.Select(request => request.Inputs.Count));
        Assert.Equal([1, 1, 0, 1, 1], vectors.Select(vector => Math.Round(VectorMath.Dot(vector, vector), 4)));
        Assert.Equal(vectors[3], (await embedder.EmbedDocumentsAsync(["c"], Ct))[0]);
    }

    [Fact]
    public async Task A_query_gets_its_prefix_and_a_document_does_not()
    {
        await using var server = await ModelTestServer.StartAsync();
        using var models = Registry(server, "openai", ("query_prefix", "query:"));

        await models.Embedder().EmbedQueryAsync("late parcel", null, Ct);
        await models.Embedder().EmbedDocumentsAsync(["late parcel"], Ct);

        Assert.Equal(["query: late parcel", "late parcel"], server.Requests.SelectMany(request => request.Inputs));
    }

    [Fact]
    public async Task A_vector_of_another_length_is_a_fault_that_names_the_setting()
    {
        await using var server = await ModelTestServer.StartAsync();
        server.Dimensions = 5;
        using var models = Registry(server, "openai");

        var error = await Assert.ThrowsAsync<InvalidDataException>(async () => await models.Embedder().EmbedQueryAsync("x", null, Ct));

        Assert.Contains("embeddings.dimensions says 8", error.Message, StringComparison.Ordinal);
        Assert.Equal(ModelFaultKind.MalformedReply, ModelFault.From(error, ct: Ct).Kind);
    }

    public static TheoryData<string, ModelFaultKind> Faults => new()
    {
        { "429", ModelFaultKind.RateLimited },
        { "malformed", ModelFaultKind.MalformedReply },
        { "few", ModelFaultKind.MalformedReply },
        { "nan", ModelFaultKind.MalformedReply },
        { "reset", ModelFaultKind.Cut },
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task Every_fault_of_an_endpoint_is_named(string fault, ModelFaultKind expected)
    {
        await using var server = await ModelTestServer.StartAsync();
        using var models = Registry(server, "openai");
        server.Then(fault switch
        {
            "429" => ModelReply.Fails(429, "3"),
            "malformed" => ModelReply.MalformedJson,
            "few" => ModelReply.Embeds(new float[8]),
            "nan" => ModelReply.Embeds([1, 2, 3, 4, 5, 6, 7, float.NaN], new float[8]),
            _ => ModelReply.Reset,
        });

        var thrown = await Assert.ThrowsAnyAsync<Exception>(async () => await models.Embedder().EmbedDocumentsAsync(["x", "y"], Ct));

        var seen = ModelFault.From(thrown, ct: Ct);
        Assert.True(seen.Kind == expected, $"{seen}");
    }

    private static ModelRegistry Registry(ModelTestServer server, string provider, params (string Name, string Value)[] extra)
    {
        var settings = new Dictionary<string, string?>
        {
            ["embeddings:provider"] = provider,
            ["embeddings:endpoint"] = server.OpenAI.ToString(),
            ["embeddings:model"] = "vectors-1",
            ["embeddings:dimensions"] = "8",
            ["embeddings:batch"] = "2",
        };
        foreach (var (name, value) in extra)
            settings["embeddings:" + name] = value;
        return new(ModelOptions.Read(settings));
    }
}
