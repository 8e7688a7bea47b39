using System.Diagnostics;
using System.IO.Compression;
using System.Text.Json;
using System.Xml.Linq;

namespace Flywheel.Crash.Tests;

/// <summary>The packages as users meet them: restored, installed, started in whatever folder.</summary>
public sealed class PackageTests(Packages packages) : IClassFixture<Packages>
{
    static CancellationToken Ct => TestContext.Current.CancellationToken;

    static string Root => Path.GetPathRoot(AppContext.BaseDirectory)!;

    [Fact]
    public void Each_package_says_what_it_is_and_has_its_documentation_and_symbols()
    {
        var files = Directory.GetFiles(packages.Feed, "*.nupkg");
        Assert.Equal(6, files.Length);
        var versions = new HashSet<string>();
        foreach (var file in files)
        {
            using var package = ZipFile.OpenRead(file);
            var metadata = XDocument.Load(package.Entries.Single(entry => entry.Name.EndsWith(".nuspec", StringComparison.Ordinal)).Open())
                .Root!.Elements().First();
            string? Said(string name) => metadata.Elements().FirstOrDefault(element => element.Name.LocalName == name)?.Value;

            versions.Add(Said("version")!);
            Assert.Equal("README.md", Said("readme"));
            Assert.True(Said("description")!.Length > 30, $"{Said("id")}: {Said("description")}");
            Assert.Contains(package.Entries, entry => entry.FullName == "README.md");
            if (Said("id") != "Flywheel")
                Assert.Contains(package.Entries, entry => entry.FullName == $"lib/net10.0/{Said("id")}.xml");
            Assert.True(File.Exists(Path.ChangeExtension(file, ".snupkg")), $"{file} has no symbols");
            var needs = metadata.Descendants().Where(element => element.Name.LocalName == "dependency")
                .Select(element => element.Attribute("id")!.Value).Order();
            if (Said("id") == "Flywheel.Client")
                Assert.Equal(["Flywheel.Core", "Microsoft.Extensions.AI.Abstractions"], needs);
            if (Said("id") == "Flywheel.Core")
                Assert.Empty(needs);
        }
        Assert.Single(versions);
    }

    [Fact]
    public async Task The_tool_installs_and_works_in_any_folder()
    {
        var home = packages.NewFolder("tool");
        await Packages.DotnetAsync(home, "tool", "install", "Flywheel", "--tool-path", home, "--configfile", packages.NuGetConfig);
        var flywheel = Path.Combine(home, OperatingSystem.IsWindows() ? "flywheel.exe" : "flywheel");
        var rows = Path.Combine(home, "rows.jsonl");
        await File.WriteAllTextAsync(rows, """{"id":"1","text":"function add(a, b) { return a + b; }"}""", Ct);
        var german = Path.Combine(home, "german.jsonl");
        await File.WriteAllTextAsync(
            german, """{"id":"1","text":"Wie geht es Ihnen heute? Ich hoffe, es ist alles gut angekommen."}""", Ct);

        Assert.Matches(@"^\d+\.\d+\.\d+", await Packages.RunAsync(Root, flywheel, "--version"));
        // The sandbox's child and the language models are found beside the program.
        Assert.Contains("\"pass\"",
            await Packages.RunAsync(
                Root, flywheel, "validate", "--metric", "code.javascript", "--set", "tests=[\"add(1, 2) === 3\"]", "--in", rows),
                    StringComparison.Ordinal);
        Assert.Contains("\"fail\"",
            await Packages.RunAsync(Root, flywheel, "validate", "--metric", "input.language", "--set", "languages=en", "--in", german),
            StringComparison.Ordinal);
        await using var server = await Served.StartAsync(flywheel, [], Path.Combine(home, "tool.db"));
        Assert.True(await server.IsHealthyAsync());
    }

    [Fact]
    public async Task A_published_folder_serves_whatever_the_current_folder_is()
    {
        var folder = packages.NewFolder("published");
        await Packages.DotnetAsync(
            folder, "publish", Path.Combine(Built.Root, "src", "Flywheel.Server"), "-c", Built.Configuration, "--no-build", "-o", folder,
            "-v", "q", "-nodeReuse:false");

        await using var server = await Served.StartAsync(
            Path.Combine(folder, OperatingSystem.IsWindows() ? "flywheel.exe" : "flywheel"), [], Path.Combine(folder, "own.db"));
        var openApi = await server.Http.GetStringAsync("/openapi/v1.json", Ct);

        Assert.True(await server.IsHealthyAsync());
        Assert.Contains("/api/v1/spans", openApi, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_new_application_restores_the_client_compiles_and_is_recorded()
    {
        var folder = packages.NewFolder("application");
        var version = Path.GetFileNameWithoutExtension(
            Directory.GetFiles(packages.Feed, "Flywheel.Client.Hosting.*.nupkg").Single())["Flywheel.Client.Hosting.".Length..];
        await File.WriteAllTextAsync(Path.Combine(folder, "Application.csproj"), $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <OutputType>Exe</OutputType>
                <TargetFramework>net10.0</TargetFramework>
                <Nullable>enable</Nullable>
                <ImplicitUsings>enable</ImplicitUsings>
                <UseAppHost>false</UseAppHost>
                <UseSharedCompilation>false</UseSharedCompilation>
              </PropertyGroup>
              <ItemGroup>
                <PackageReference Include="Flywheel.Client.Hosting" Version="{version}" />
              </ItemGroup>
            </Project>
            """, Ct);
        await File.WriteAllTextAsync(Path.Combine(folder, "Program.cs"), """
            using Flywheel.Client;
            using Flywheel.Client.Remote;
            using Flywheel.Core.Traces;
            using Microsoft.Extensions.AI;

            using var loop = new RemoteLoop(new Uri(args[0]));
            await using var connection = new FlywheelConnection(loop, new() { Outbox = "outbox" });
            var intent = new ChatClientBuilder(new Echo()).Use(inner => inner.UseFlywheel(connection, "intent", NodeKind.Classifier)).Build();
            using (FlywheelTrace.Start("chat-1", "ada", connection))
                await FlywheelScope.RunAsync("support", NodeKind.Other, "hello", async ct =>
                {
                    var answer = await intent.GetResponseAsync("hello", cancellationToken: ct);
                    Console.WriteLine(answer.SpanKey()!.Value.Trace);
                    return answer.Text;
                });
            await connection.FlushAsync();

            sealed class Echo : IChatClient
            {
                public Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
                    Task.FromResult(new ChatResponse(new ChatMessage(ChatRole.Assistant, messages.Last().Text)));

                public IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
                    throw new NotSupportedException();

                public object? GetService(Type serviceType, object? serviceKey = null) => null;

                public void Dispose() { }
            }
            """, Ct);

        await Packages.DotnetAsync(
            folder, "build", "-c", "Release", "-o", Path.Combine(folder, "out"), "-v", "q", "-nodeReuse:false", "--configfile",
            packages.NuGetConfig);
        await using var server = await Served.StartAsync(
            Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet", [Built.Program("src/Flywheel.Server", "flywheel.dll")],
            Path.Combine(folder, "app.db"));
        var trace = (await Packages.DotnetAsync(
            folder, Path.Combine(folder, "out", "Application.dll"), server.Http.BaseAddress!.ToString())).Trim();

        var spans = JsonElement.Parse(await server.Http.GetStringAsync($"/api/v1/traces/{trace}", Ct)).GetProperty("spans").EnumerateArray()
            .ToList();
        Assert.Equal(["intent", "support"], spans.Select(span => span.GetProperty("node").GetString()).Order());
        Assert.All(spans, span => Assert.Equal("hello", span.GetProperty("output").GetString()));
        Assert.Empty(Directory.GetFiles(Path.Combine(folder, "outbox")));
    }

    /// <summary>A server that was started in the file system's root, as a service may be.</summary>
    sealed class Served : IAsyncDisposable
    {
        readonly Process process;

        Served(Process process, Uri address) => (this.process, Http) = (process, new HttpClient { BaseAddress = address });

        public HttpClient Http { get; }

        public static async Task<Served> StartAsync(string program, string[] before, string database)
        {
            var process = Process.Start(
                Packages.StartInfo(Root, program, [.. before, "serve", "--port", "0", "--db", "sqlite:" + database]))!;
            var errors = process.StandardError.ReadToEndAsync(Ct);
            while (await process.StandardOutput.ReadLineAsync(Ct) is { } line)
                if (line.Split(' ').FirstOrDefault(word => word.StartsWith("http://", StringComparison.Ordinal)) is { } address)
                    return new(process, new(address));
            throw new InvalidOperationException($"{program} did not serve: {await errors}");
        }

        public async Task<bool> IsHealthyAsync() => (await Http.GetAsync("/healthz", Ct)).IsSuccessStatusCode;

        public async ValueTask DisposeAsync()
        {
            Http.Dispose();
            process.Kill();
            await process.WaitForExitAsync(CancellationToken.None);
            process.Dispose();
        }
    }
}
