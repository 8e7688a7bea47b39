using System.Collections.Concurrent;
using System.Text;
using Flywheel.TestServer;

namespace Flywheel.Crash.Tests;

/// <summary>An answer that ended for the client is on disk, however the server ends.</summary>
[Collection("one server at a time")]
public sealed class GatewayKillTests
{
    const int Clients = 8;

    [Fact]
    public async Task A_killed_gateway_has_kept_every_call_whose_answer_had_ended()
    {
        var ct = TestContext.Current.CancellationToken;
        var folder = Directory.CreateTempSubdirectory("flywheel-gateway-");
        await using var provider = await ModelTestServer.StartAsync();
        provider.Otherwise(_ => ModelReply.Says("an answer of some words"));
        var database = Path.Combine(folder.FullName, "test.db");
        var ended = new ConcurrentBag<string>();
        var settings = new Dictionary<string, string> { ["FLYWHEEL__Gateway__Providers__test__endpoint"] = provider.OpenAI.ToString() };
        var random = new Random(2_026);

        for (var kill = 1; kill <= 3; kill++)
        {
            var before = ended.Count;
            using var server = await ServerUnderTest.StartAsync(database, settings);
            var asking = Task.WhenAll(
                Enumerable.Range(0, Clients).Select(client => AskAsync(server.Address, stream: client % 2 == 0, ended, ct)));
            await Eventually.IsAsync(() => ended.Count >= before + 50, ct);
            await Task.Delay(random.Next(0, 200), ct);
            server.Kill();
            await asking;
        }
        using var file = new DatabaseFile(database);
        var kept = file.Texts("SELECT span_id FROM span WHERE output = 'an answer of some words'").ToHashSet();

        Assert.Subset(kept, ended.ToHashSet());
        folder.Delete(recursive: true);
    }

    static async Task AskAsync(Uri server, bool stream, ConcurrentBag<string> ended, CancellationToken ct)
    {
        using var http = new HttpClient { BaseAddress = server };
        var body = $$"""{"model":"m","messages":[{"role":"user","content":"hello"}],"stream":{{(stream ? "true" : "false")}}}""";
        while (true)
        {
            try
            {
                using var content = new StringContent(body, Encoding.UTF8, "application/json");
                using var answer = await http.PostAsync("/openai/v1/chat/completions", content, ct);
                var text = await answer.Content.ReadAsStringAsync(ct);
                if (stream ? text.EndsWith("data: [DONE]\n\n", StringComparison.Ordinal) : answer.IsSuccessStatusCode)
                    ended.Add(answer.Headers.GetValues("x-flywheel-span").Single());
            }
            catch (HttpRequestException)
            {
                return;
            }
        }
    }
}
