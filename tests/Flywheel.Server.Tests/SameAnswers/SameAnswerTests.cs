using System.Reflection;
using System.Text.Json;
using Flywheel.Core;
using Flywheel.Core.Projects;
using Flywheel.Engine.Composition;
using Flywheel.Server.Api;
using Flywheel.Server.Cli;
using Microsoft.Extensions.DependencyInjection;
using ModelContextProtocol.Protocol;

namespace Flywheel.Server.Tests.SameAnswers;

/// <summary>Every door gives the same answer to the same mistake: code, message and field.</summary>
public sealed class SameAnswerTests(SameAnswerServer server) : IClassFixture<SameAnswerServer>
{
    static readonly IReadOnlyList<Mistake> AllMistakes = [.. PeopleMistakes.All, .. MetricMistakes.All, .. DataMistakes.All];

    static readonly IReadOnlyDictionary<string, string> Exempt =
        PeopleMistakes.Exempt.Concat(MetricMistakes.Exempt).Concat(DataMistakes.Exempt).ToDictionary(each => each.Key, each => each.Value);

    static CancellationToken Ct => TestContext.Current.CancellationToken;

    public static TheoryData<int, string> Mistakes()
    {
        var rows = new TheoryData<int, string>();
        for (var i = 0; i < AllMistakes.Count; i++)
            rows.Add(i, AllMistakes[i].ToString());
        return rows;
    }

    [Theory]
    [MemberData(nameof(Mistakes))]
    public async Task A_mistake_gets_the_same_answer_at_every_door(int row, string name)
    {
        var mistake = AllMistakes[row];
        Assert.Equal(name, mistake.ToString());

        var refusal = await Assert.ThrowsAsync<RequestException>(
            () => mistake.Ask(server.Services, new Caller(ProjectId.Default, KeyScope.Admin, "local"), Ct));

        Assert.Equal((mistake.Code, mistake.Field), (refusal.Code, refusal.Field));
        if (mistake.Rest is { } request)
        {
            var (status, body) = await server.RequestAsync(request, mistake.Body);
            Assert.Equal((HttpStatus.Of(refusal.Kind), refusal.Message), (status, Text(body, "detail")));
            Assert.Equal((refusal.Code, refusal.Field), (Text(body, "code"), Text(body, "field")));
        }
        if (mistake.Command is { } command)
        {
            var (exit, errors) = await server.RunAsync(command);
            Assert.Contains(refusal.Message, errors, StringComparison.Ordinal);
            // Import names the row and goes on, so it is not the command line that is wrong.
            var isUsage = refusal.Kind == RequestErrorKind.Invalid && !command.StartsWith("import ", StringComparison.Ordinal);
            Assert.Equal(isUsage ? ExitCodes.Usage : ExitCodes.Failed, exit);
        }
        if (mistake.Tool is { } tool)
        {
            var result = await server.CallAsync(tool, mistake.Arguments);
            Assert.True(result.IsError);
            Assert.Equal($"{refusal.Code}: {refusal.Message}", Assert.IsType<TextContentBlock>(Assert.Single(result.Content)).Text);
            var said = result.StructuredContent!.Value;
            Assert.Equal((refusal.Code, refusal.Message, refusal.Field), (Text(said, "code"), Text(said, "message"), Text(said, "field")));
        }
    }

    [Fact]
    public void Every_use_case_has_a_mistake_that_is_tried_at_its_doors()
    {
        var registered = new ServiceCollection().AddEngine(new EngineOptions()).Select(service => service.ServiceType).ToHashSet();
        var useCases = UseCases().ToArray();
        var tried = AllMistakes.Select(mistake => mistake.UseCase).ToHashSet();

        Assert.NotEmpty(useCases);
        Assert.Empty(useCases.Select(method => method.DeclaringType!).Distinct().Where(type => !registered.Contains(type))
            .Select(type => $"register {type.Name}"));
        Assert.Empty(useCases.Select(NameOf).Distinct().Where(name => !tried.Contains(name) && !Exempt.ContainsKey(name)).Order());
        Assert.Empty(tried.Concat(Exempt.Keys).Except(useCases.Select(NameOf)));
        Assert.Empty(tried.Intersect(Exempt.Keys));
    }

    [Fact]
    public void Every_mistake_is_made_at_a_door() =>
        Assert.DoesNotContain(AllMistakes, mistake => mistake is { Rest: null, Command: null, Tool: null });

    /// <summary>What takes a caller is a use case.</summary>
    static IEnumerable<MethodInfo> UseCases() => typeof(EngineComposition).Assembly.GetExportedTypes()
        .Where(type => type is { IsClass: true, IsAbstract: false })
        .SelectMany(type => type.GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly))
        .Where(method => method.GetParameters() is [{ ParameterType: var first }, ..] && first == typeof(Caller));

    static string NameOf(MethodInfo method) => $"{method.DeclaringType!.Name}.{method.Name}";

    static string? Text(JsonElement body, string member) =>
        body.TryGetProperty(member, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
