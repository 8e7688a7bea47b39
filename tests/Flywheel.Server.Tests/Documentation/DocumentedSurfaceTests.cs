using System.Reflection;
using System.Text.Json;
using System.Text.RegularExpressions;
using Flywheel.Client.Hosting;
using Flywheel.Core.Gateway;
using Flywheel.Engine.Retrieval;
using Flywheel.Server.Features.Projects;
using Flywheel.Server.Gateway.Upstreams;
using Flywheel.Server.Hosting;
using Flywheel.Validators.Sandboxing;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Flywheel.Server.Tests.Documentation;

/// <summary>Everything that a user can set, call or type is documented.</summary>
public sealed partial class DocumentedSurfaceTests
{
    [Fact]
    public void Every_command_and_option_is_documented()
    {
        var page = MarkdownPage.Read("docs/cli.md");
        var root = Cli.Commands.Root();

        Assert.Empty(DocumentedSurface.Wrong(root, page));
        var without = page with { Text = page.Text.Replace("`--flips", "`--flop", StringComparison.Ordinal) };
        Assert.Equal(
            ["`flywheel eval compare` has an option --flips, which its section does not name",
                "the section of `flywheel eval compare` names --flop, which is no option of it"],
            DocumentedSurface.Wrong(root, without));
    }

    [Fact]
    public async Task Every_route_is_documented()
    {
        await using var server = await RunningServer.StartAsync();
        var page = MarkdownPage.Read("docs/rest.md");
        var routes = Routes(server).ToArray();

        Assert.True(routes.Length > 100, $"{routes.Length} routes");
        Assert.Empty(DocumentedSurface.Wrong(routes, page));
        Assert.Equal(["GET /api/v1/invented is not on the page"], DocumentedSurface.Wrong(routes.Append("GET /api/v1/invented"), page));
    }

    [Fact]
    public async Task Every_kind_of_metric_and_its_settings_are_documented()
    {
        await using var server = await RunningServer.StartAsync();
        var pages = MarkdownPage.All().ToArray();
        var missing = new List<string>();
        foreach (var kind in (await server.GetAsync("/api/v1/validators")).Body.EnumerateArray())
        {
            var name = kind.GetProperty("kind").GetString()!;
            if (!DocumentedSurface.Names(pages, name))
                missing.Add(name);
            missing.AddRange(kind.GetProperty("settings").EnumerateArray().Select(setting => setting.GetProperty("name").GetString()!)
                .Where(setting => !DocumentedSurface.Names(pages, name, setting)).Select(setting => $"{name}: {setting}"));
        }

        Assert.Empty(missing);
        Assert.False(DocumentedSurface.Names(pages, "invented"));
        Assert.False(DocumentedSurface.Names(pages, "length", "ignore_case"));
    }

    [Fact]
    public void Every_setting_is_documented()
    {
        var page = MarkdownPage.Read("docs/configuration.md");

        Assert.Empty(Missing(page, Sections()));
        Assert.Empty(Settings.Known.Except(ServerSettings(), StringComparer.OrdinalIgnoreCase)
            .Except(page.Sections().Select(section => section.Title.Trim('`'))
            .Select(title => title.Split(':')[0])));
        Assert.Equal(["`Sandbox`: invented"], Missing(page, [("`Sandbox`", ["invented"])]));
    }

    [Fact]
    public void Every_environment_variable_is_documented()
    {
        var page = MarkdownPage.Read("docs/configuration.md");
        var read = Directory.GetFiles(Path.Combine(MarkdownPage.Root, "src"), "*.cs", SearchOption.AllDirectories)
            .Where(file => !file.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal))
            .SelectMany(file => Variable().Matches(File.ReadAllText(file)).Select(match => match.Groups[1].Value)).Distinct().ToArray();

        Assert.True(read.Length >= 4, string.Join(' ', read));
        Assert.DoesNotContain(read, name => !page.Text.Contains(name, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("docs/retrieval.md", typeof(RetrievalSettings))]
    [InlineData("docs/gateway.md", typeof(GatewaySettings))]
    [InlineData("docs/configuration.md", typeof(LimitsBody))]
    public void Every_setting_of_a_node_or_project_is_documented(string page, Type settings)
    {
        var text = MarkdownPage.Read(page).Text;

        Assert.DoesNotContain(
            settings.GetConstructors().SelectMany(constructor => constructor.GetParameters())
                .Where(parameter => parameter.Name is not "original")
            .Select(parameter => JsonNamingPolicy.SnakeCaseLower.ConvertName(parameter.Name!)),
            name => !text.Contains($"`{name}`", StringComparison.Ordinal));
    }

    static IEnumerable<string> Routes(RunningServer server) =>
        from endpoint in server.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
        from method in endpoint.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods ?? []
        select $"{method} /{RouteConstraint().Replace(endpoint.RoutePattern.RawText!, "{$1}").Trim('/')}";

    static IReadOnlyList<string> Missing(MarkdownPage page, IEnumerable<(string Section, IEnumerable<string> Names)> sections)
    {
        var said = page.Sections().ToLookup(section => section.Title, section => Plain(section.Text));
        return [.. sections.SelectMany(
            section => section.Names.Where(
                name => !said[section.Section].Any(text => text.Contains($"`{Plain(name)}`", StringComparison.Ordinal)))
            .Select(name => $"{section.Section}: {name}"))];
    }

    /// <summary>The sections of the page with the settings that the program reads in each.</summary>
    static IEnumerable<(string, IEnumerable<string>)> Sections() =>
    [
        ("The server", ServerSettings()),
        ("`Models:Chat:NAME`", ModelSettings("Chat", "Access")),
        ("`Models:Embeddings`", ModelSettings("Embeddings", "Onnx", "Access")),
        ("`Gateway`", Writable(typeof(GatewayOptions))),
        ("`Gateway:Providers:NAME`", Writable(typeof(ProviderOptions))),
        ("`Gateway:Providers:NAME:models`", Writable(typeof(ProviderModel))),
        ("`Sandbox`", Writable(typeof(SandboxOptions))),
        ("`EvaluationExport`", ["Endpoint", "Headers", "Projects"]),
        ("`Mcp`", ["CallsPerMinute"]),
        ("`Webhooks`", ["Allow", "Keys"]),
        ("`Evaluators:NAME`", ["Type", "Assembly"]),
        ("`Prices:MODEL`", ["Input", "Output", "CachedInput"]),
        ("`Flywheel`, in applications", Writable(typeof(FlywheelHostOptions))),
    ];

    static IEnumerable<string> ServerSettings() => typeof(ServerOptions).GetProperties().Where(property => property.CanWrite)
        .Select(property => property.GetCustomAttribute<ConfigurationKeyNameAttribute>()?.Name ?? property.Name);

    /// <summary>Properties that a configuration can set: lists and dictionaries need no setter.</summary>
    static IEnumerable<string> Writable(Type options) => options.GetProperties()
        .Where(property => property.PropertyType is { } type && !typeof(Delegate).IsAssignableFrom(type) && type != typeof(TimeProvider))
        .Select(property => property.Name);

    /// <summary>Names in the source of the reader: these settings have no class with properties of the same names.</summary>
    static IEnumerable<string> ModelSettings(params string[] methods)
    {
        var file = Directory.GetFiles(Path.Combine(MarkdownPage.Root, "src"), "ModelSettings.cs", SearchOption.AllDirectories).Single();
        return Method().Split(File.ReadAllText(file))
            .Where(part => methods.Any(method => part.StartsWith(method + "(", StringComparison.Ordinal)))
            .SelectMany(part => Read().Matches(part).Select(match => match.Groups[1].Value)).Distinct();
    }

    static string Plain(string name) => name.Replace("_", "", StringComparison.Ordinal).ToLowerInvariant();

    [GeneratedRegex(@"\{\**(\w+)[^}]*\}")]
    private static partial Regex RouteConstraint();

    [GeneratedRegex("\"(FLYWHEEL_[A-Z_]*[A-Z])\"")]
    private static partial Regex Variable();

    [GeneratedRegex(@"settings\.\w+\(""(\w+)""")]
    private static partial Regex Read();

    [GeneratedRegex(@"^    (?:private|public) static [^=;\n]*? (?=\w+\()", RegexOptions.Multiline)]
    private static partial Regex Method();
}
