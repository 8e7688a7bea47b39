using System.Collections.Frozen;
using System.Text.Json;
using System.Text.RegularExpressions;
using Flywheel.Core.Gateway;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Traces;
using Flywheel.Engine.Guarding;
using Flywheel.Engine.Jobs;
using Flywheel.Server.Gateway.Calls;
using Flywheel.Server.Gateway.Policy;
using Flywheel.Server.Gateway.Wire;
using Flywheel.Server.Gateway;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace Flywheel.Server.Tests.Gateway;

/// <summary>What a guard takes out of a question before it goes to the provider.</summary>
public sealed class RedactionTests
{
    static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("""{"model":"m","messages":[{"role":"user","content":"write to eve@example.com, \"now\""},{"role":"assistant","content":"eve@example.com?"}]}""", true,
        """{"model":"m","messages":[{"role":"user","content":"write to [email], \"now\""},{"role":"assistant","content":"eve@example.com?"}]}""")]
    [InlineData("""{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"eve@example.com"}]}]}""", false, "")]
    [InlineData("""{"model":"m","messages":[{"role":"user","content":"harmless"}]}""", true,
        """{"model":"m","messages":[{"role":"user","content":"harmless"}]}""")]
    public async Task A_question_goes_out_without_what_was_found_or_not_at_all(string request, bool goesOut, string sent)
    {
        await using var server = await RunningServer.StartAsync();
        var clock = TimeProvider.System;
        var metrics = server.Services.GetRequiredService<ValidatorRegistry>().Kinds.Append(new Addresses());
        var registry = new ValidatorRegistry(metrics);
        await server.Store.Metrics.AddAsync(
            ProjectId.Default, new NewMetric(
                "addresses", "Is it free of addresses?", MetricSubject.Input, null, null, 1,
                new ValidatorSpec("addresses", JsonElement.Parse("{}")), "ann",
                MetricRole.Guard, OnFail: GuardAction.Redact), true, clock.GetUtcNow(), Ct);
        var preparation = new PromptPreparation(
            new InputGuard(new ActiveGuards(server.Store.Metrics, clock), registry, new PlatformFaults(), clock),
            server.Services.GetRequiredService<Engine.Retrieval.DemonstrationRetriever>(), clock, NullLogger<PromptPreparation>.Instance);
        var body = System.Text.Encoding.UTF8.GetBytes(request);
        var call = new GatewayCall(
            new Api.HttpCaller(ProjectId.Default, KeyScope.Admin, "test"), Protocol.Chat, RequestOutline.Read(body, "messages"u8),
            TraceContext.Begin(null, clock.GetUtcNow()), clock.GetUtcNow(), 0)
        {
            Node = "chat", Kind = NodeKind.Other, RequestedModel = "m", Original = body,
            Rules = new NodeRules(new GatewaySettings().InForce(), null, Core.Retrieval.RetrievalPolicy.Default),
        };
        var edits = new BodyEdits();

        var goes = await preparation.PrepareAsync(call, edits, Ct);

        Assert.Equal(goesOut, goes);
        if (goesOut)
            Assert.Equal(sent, System.Text.Encoding.UTF8.GetString(edits.Apply(body)));
    }

    sealed class Addresses : IValidatorKind
    {
        public string Name => "addresses";
        public string Summary => "Finds e-mail addresses.";
        public IReadOnlyList<SettingDescription> Settings => [];
        public IReadOnlySet<NodeKind> NodeKinds { get; } = Enum.GetValues<NodeKind>().ToFrozenSet();
        public IReadOnlySet<MetricSubject> Subjects { get; } = Enum.GetValues<MetricSubject>().ToFrozenSet();
        public bool FindsSpans => true;
        public bool CallsModel => false;

        public IValidator Create(ValidatorContext context, JsonElement settings) => new Finder();

        sealed class Finder : IValidator
        {
            public string Version => "addresses-1";

            public ValueTask<Finding> CheckAsync(Examinee examinee, CancellationToken ct)
            {
                var found = Regex.Matches(examinee.Text ?? "", @"\S+@[\w.]+\w")
                    .Select(match => new FoundSpan(match.Index, match.Length, "email")).ToArray();
                return ValueTask.FromResult(found.Length == 0 ? Finding.Pass() : Finding.Fail("an address") with { Spans = found });
            }
        }
    }
}
