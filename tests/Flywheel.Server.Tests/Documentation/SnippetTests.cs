using System.Text.Json;
using Flywheel.Client.Hosting;
using Flywheel.Server.Gateway.Upstreams;
using Flywheel.Server.Hosting;
using Flywheel.Storage.Tests;
using Microsoft.Extensions.Configuration;

namespace Flywheel.Server.Tests.Documentation;

/// <summary>What the pages tell people to type works, and prints what they show.</summary>
public sealed class SnippetTests(ITestOutputHelper output)
{
    /// <summary>Commands that need a network, a key, minutes or another machine; each says which.</summary>
    const int MostNotRun = 15;

    static CancellationToken Ct => TestContext.Current.CancellationToken;

    public static TheoryData<string> PagesWithSnippets =>
        [.. MarkdownPage.All().Where(page => Snippet.Of(page).Any(IsRun)).Select(page => page.Name)];

    [Theory]
    [MemberData(nameof(PagesWithSnippets))]
    public async Task Every_snippet_of_a_page_works(string name)
    {
        var snippets = Snippet.Of(MarkdownPage.Read(name));
        var shell = snippets.Where(snippet => snippet.IsShell && snippet.NotRun is null).ToArray();
        var folder = TestFolder.New("docs");
        try
        {
            ExampleDatabase.Make(Path.Combine(folder, "shop.sqlite"));
            var own = shell.Any(block => block.Text.Contains("flywheel serve", StringComparison.Ordinal));
            if (!own)
                await File.WriteAllTextAsync(Path.Combine(folder, "flywheel.json"), JsonSerializer.Serialize(ExampleSettings(folder)), Ct);
            await using var server = own ? null : await ServerAsync(folder);
            var wrong = new List<string>();
            if (shell.Length > 0)
            {
                var results = await new ShellSession(folder, server?.Http.BaseAddress!.Port ?? FreePort()).RunAsync(shell, Ct);
                wrong.AddRange(shell.SelectMany((block, i) => Wrong(name, snippets, block, results[i])));
            }
            foreach (var json in snippets.Where(snippet => IsRun(snippet) && snippet is { Language: "json", IsOutput: false }))
                if (await WrongAsync(json, server) is { } why)
                    wrong.Add($"{name}:{json.Line}: {why}");

            Assert.True(wrong.Count == 0, string.Join("\n\n", wrong));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void A_snippet_that_is_not_run_says_why_and_few_are()
    {
        var skipped = MarkdownPage.All().SelectMany(page => Snippet.Of(page).Where(snippet => snippet.NotRun is not null)
            .Select(snippet => $"{page.Name}:{snippet.Line}: {snippet.NotRun}")).ToArray();
        output.WriteLine($"{skipped.Length} snippets are not run:\n{string.Join('\n', skipped)}");

        Assert.InRange(skipped.Length, 0, MostNotRun);
        Assert.All(skipped, each => Assert.False(each.EndsWith(": ", StringComparison.Ordinal), each));
    }

    [Fact]
    public async Task A_snippet_that_is_wrong_is_noticed()
    {
        const string Text = "```sh\nflywheel packs lst\n```\n\n```sh\nprintf 'a 1\\nb\\n'\n```\n\n```\na 2\nc\n```\n\n```json\n{\"name\": "
            + "\"x\",}\n```\n";
        var snippets = Snippet.Of(new("page", Text));
        var shell = snippets.Where(snippet => snippet.IsShell).ToArray();
        var folder = TestFolder.New("docs");

        var results = await new ShellSession(folder, 1).RunAsync(shell, Ct);
        Directory.Delete(folder, recursive: true);

        Assert.Equal(2, results[0].Failures.Single().Code);
        Assert.Single(Wrong("page", snippets, shell[0], results[0]));
        Assert.Contains("page:9: does not print `c`", Wrong("page", snippets, shell[1], results[1]).Single(), StringComparison.Ordinal);
        Assert.NotNull(await WrongAsync(snippets[^1], null));
        Assert.NotNull(await WrongAsync(snippets[^1] with { Text = """{"Prot": 1}""" }, null));
    }

    static bool IsRun(Snippet snippet) => snippet.NotRun is null && (snippet.IsShell || snippet.Language == "json");

    static IEnumerable<string> Wrong(
        string page, IReadOnlyList<Snippet> snippets, Snippet block,
        (string Output, IReadOnlyList<(int Code, string Command)> Failures) result)
    {
        if (block.Exit != 0 && result.Failures.All(failure => failure.Code != block.Exit))
            yield return $"{page}:{block.Line}: ends without the exit code {block.Exit}. It prints:\n{result.Output}";
        foreach (var (code, command) in result.Failures.Where(failure => failure.Code != block.Exit))
            yield return $"{page}:{block.Line}: exit code {code} of `{command}`. It prints:\n{result.Output}";
        if (snippets.SkipWhile(each => each != block).ElementAtOrDefault(1) is { IsOutput: true, Varies: false, NotRun: null } shown)
            foreach (var line in ShownOutput.Missing(shown.Text, result.Output))
                yield return $"{page}:{shown.Line}: does not print `{line}`. It prints:\n{result.Output}";
    }

    /// <summary>Settings are read as the program reads them; a metric is created; a validator is used in a metric.</summary>
    static async Task<string?> WrongAsync(Snippet snippet, RunningServer? server)
    {
        try
        {
            foreach (var value in Values(snippet.Text))
            {
                if (value.ValueKind == JsonValueKind.Object && value.EnumerateObject().FirstOrDefault().Name == "Flywheel")
                    Configuration(snippet.Text).GetSection("Flywheel")
                        .Bind(new FlywheelHostOptions(), binder => binder.ErrorOnUnknownConfiguration = true);
                else if (value.ValueKind == JsonValueKind.Object && value.EnumerateObject().All(property => char.IsUpper(property.Name[0])))
                    ReadSettings(Configuration(snippet.Text));
                else if (await RefusalAsync(value, server) is { } refusal)
                    return refusal;
            }
            return null;
        }
        catch (Exception e) when (
            e is JsonException or Core.FlywheelException or InvalidOperationException or FormatException or InvalidDataException)
        {
            return e.Message;
        }
    }

    static async Task<string?> RefusalAsync(JsonElement value, RunningServer? server)
    {
        if (value.TryGetProperty("kind", out _))
            value = JsonSerializer.SerializeToElement(new { name = $"page-{Guid.NewGuid():N}", criterion = "Is it?", validator = value });
        if (!value.TryGetProperty("validator", out _))
            return "is neither settings, a metric, a validator nor the output of the commands before it: add a comment `not run: REASON`.";
        var (status, answer) = await server!.PostAsync("/api/v1/metrics", value.GetRawText());
        return status is 200 or 201 ? null : $"{status} {answer}";
    }

    static void ReadSettings(IConfiguration configuration)
    {
        Settings.Server(configuration);
        EngineServices.ReadModels(configuration);
        GatewayOptions.Read(configuration);
    }

    static List<JsonElement> Values(string text)
    {
        var reader = new Utf8JsonReader(System.Text.Encoding.UTF8.GetBytes(text), new JsonReaderOptions { AllowMultipleValues = true });
        var values = new List<JsonElement>();
        while (reader.Read())
            values.Add(JsonElement.ParseValue(ref reader));
        return values;
    }

    static IConfigurationRoot Configuration(string json) =>
        new ConfigurationBuilder().AddJsonStream(new MemoryStream(System.Text.Encoding.UTF8.GetBytes(json))).Build();

    /// <summary>The models and the database that the examples name, for the server and for the commands beside it.</summary>
    static object ExampleSettings(string folder)
    {
        var offline = new { kind = "offline" };
        return new
        {
            Models = new { Default = "offline", Chat = new { cheap = offline, mid = offline, strong = offline, judge = offline } },
            Databases = new { shop = "sqlite:" + Path.Combine(folder, "shop.sqlite") },
        };
    }

    static Task<RunningServer> ServerAsync(string folder) => RunningServer.StartAsync(
    [
        .. Configuration(JsonSerializer.Serialize(ExampleSettings(folder))).AsEnumerable().Where(setting => setting.Value is not null)
            .Select(setting => (setting.Key, setting.Value!)),
        ("Db", "sqlite:" + Path.Combine(folder, "flywheel.db")),
        ("Webhooks:Keys:main", "secret"),
        ("Webhooks:Allow:0", "checks.example.com:443"),
        ("Evaluators:polite:Type", typeof(ShortEvaluator).AssemblyQualifiedName!),
    ]);

    static int FreePort()
    {
        using var listener = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        listener.Start();
        return ((System.Net.IPEndPoint)listener.LocalEndpoint).Port;
    }
}
