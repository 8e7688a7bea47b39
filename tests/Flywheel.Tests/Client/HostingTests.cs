using System.Collections.Concurrent;
using Flywheel.Client;
using Flywheel.Client.Hosting;
using Flywheel.Client.Remote;
using Flywheel.Core;
using Flywheel.Core.Traces;
using Flywheel.TestServer;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace Flywheel.Tests.Client;

/// <summary>Flywheel as a service of a real host.</summary>
[Collection("the default connection")]
public sealed class HostingTests
{
    static CancellationToken Ct => TestContext.Current.CancellationToken;

    static HostApplicationBuilder Application(params (string Key, string Value)[] settings)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Configuration.AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create(setting.Key, (string?)setting.Value)));
        return builder;
    }

    static void Scripted(FlywheelHostOptions options, ILoop loop) =>
        (options.Loop, options.IsDefault, options.MaxDelay) = (_ => loop, false, TimeSpan.Zero);

    [Fact]
    public void Settings_come_from_the_configuration_and_code_has_the_last_word()
    {
        var builder = Application(
            ("Flywheel:Server", "http://127.0.0.1:5151/base"), ("Flywheel:ApiKey", "k"), ("Flywheel:Project", "shop"),
            ("Flywheel:MaxPending", "7"),
            ("Flywheel:MaxDelay", "00:00:01"), ("Flywheel:Outbox", "spool"));
        builder.Services.AddFlywheel(options => options.MaxPending = 8);
        using var host = builder.Build();

        var read = host.Services.GetRequiredService<IOptionsMonitor<FlywheelHostOptions>>().Get("");

        Assert.Equal(("http://127.0.0.1:5151/base", "k", "shop", "spool"),
            (read.Server!.ToString(), read.ApiKey, read.Project, read.Outbox));
        Assert.Equal((8, TimeSpan.FromSeconds(1)), (read.MaxPending, read.MaxDelay));
    }

    [Theory]
    [InlineData("Flywheel:Server", "127.0.0.1:5151", "http://127.0.0.1:5151")]
    [InlineData("Flywheel:Server", "ftp://127.0.0.1/", "give an http or https address")]
    [InlineData("Flywheel:MaxBatch", "0", "MaxBatch")]
    [InlineData("Flywheel:MaxBatch", "many", "MaxBatch")]
    [InlineData("Flywheel:Outbox", " ", "Outbox")]
    [InlineData("Flywheel:Sever", "http://127.0.0.1:5151", "Sever")]
    [InlineData("Other:Server", "http://127.0.0.1:5151", "set `Flywheel:Server`")]
    public async Task Settings_that_cannot_work_stop_the_start_and_say_which(string name, string value, string said)
    {
        var builder = name.EndsWith(":Server", StringComparison.Ordinal)
            ? Application((name, value)) : Application(("Flywheel:Server", "http://127.0.0.1:5151"), (name, value));
        builder.Services.AddFlywheel(options => options.IsDefault = false);
        using var host = builder.Build();

        var failure = await Assert.ThrowsAnyAsync<Exception>(() => host.StartAsync(Ct));

        Assert.Contains(said, failure.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_and_a_loop_at_once_are_a_mistake()
    {
        var builder = Application();
        builder.Services.AddFlywheel(options => (options.Server, options.Loop) = (new("http://127.0.0.1:5151"), _ => new ScriptedLoop()));
        using var host = builder.Build();

        Assert.Contains("both", (await Assert.ThrowsAnyAsync<OptionsValidationException>(() => host.StartAsync(Ct))).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_is_away_stops_nothing_and_is_logged_once()
    {
        var log = new HeardLog();
        var builder = Application(
            ("Flywheel:Server", "http://127.0.0.1:9"), ("Flywheel:FirstRetry", "00:00:00.001"), ("Flywheel:MaxRetry", "00:00:00.005"),
            ("Flywheel:DrainTimeout", "00:00:00.05"));
        builder.Logging.AddProvider(log);
        builder.Services.AddFlywheel(options => options.IsDefault = false);
        builder.Services.AddChatClient(new ScriptedChatClient("answer")).UseFlywheel("n");
        using (var host = builder.Build())
        {
            await host.StartAsync(Ct);
            var chat = host.Services.GetRequiredService<IChatClient>();
            for (var i = 0; i < 3; i++)
                Assert.Equal("answer", (await chat.GetResponseAsync("hi", cancellationToken: Ct)).Text);
            await Eventually.IsAsync(() => host.Services.GetRequiredService<FlywheelConnection>().Statistics.FailedSends >= 3, Ct);
            await host.StopAsync(Ct);
        }

        Assert.Single(log.Lines, line => line.Contains("Flywheel, Send", StringComparison.Ordinal));
        Assert.Contains(log.Lines, line => line.Contains("Flywheel, Dropped", StringComparison.Ordinal));
    }

    [Fact]
    public void Failures_are_told_once_a_minute_with_the_number_untold()
    {
        var (log, clock) = (new HeardLog(), new FakeTimeProvider());
        var told = new FailureLog(log.CreateLogger("x"), clock);

        for (var i = 0; i < 5; i++)
            told.Tell(new(FlywheelFailureKind.Send, "away"));
        clock.Advance(TimeSpan.FromSeconds(61));
        told.Tell(new(FlywheelFailureKind.Send, "away"));
        told.Tell(new(FlywheelFailureKind.Guard, "late"));

        Assert.Equal(3, log.Lines.Count);
        Assert.Contains("(4 more since the last time.)", log.Lines.ElementAt(1), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_chat_client_of_the_services_is_a_node_and_the_host_sends_what_is_pending_when_it_ends()
    {
        var loop = ScriptedLoop.Showing(("where is it?", "general"));
        var model = new ScriptedChatClient("billing");
        var builder = Application();
        builder.Services.AddFlywheel(options =>
        {
            Scripted(options, loop);
            options.MaxDelay = TimeSpan.FromMinutes(1);
        });
        builder.Services.AddChatClient(model).UseFunctionInvocation().UseFlywheel("intent", NodeKind.Classifier, node => node.K = 3);

        using (var host = builder.Build())
        {
            await host.StartAsync(Ct);
            await host.Services.GetRequiredService<IChatClient>().GetResponseAsync("charged twice", cancellationToken: Ct);
            Assert.Empty(loop.Kept);
            await host.StopAsync(Ct);
        }

        var span = Assert.Single(loop.Kept);
        Assert.Equal(("intent", NodeKind.Classifier, "billing"), (span.Node, span.Kind, span.Output));
        Assert.Equal(3, Assert.Single(loop.Queries).K);
        Assert.Equal(3, Assert.Single(model.Prompts).Count);
    }

    [Fact]
    public async Task Connections_under_keys_stand_beside_each_other()
    {
        var (one, two) = (new ScriptedLoop(), new ScriptedLoop());
        var application = new ServiceCollection()
            .AddKeyedFlywheel("shop", options => Scripted(options, one))
            .AddKeyedFlywheel("bank", new ConfigurationBuilder().AddInMemoryCollection([new("MaxBatch", "3")]).Build(), options =>
                Scripted(options, two));
        application.AddKeyedChatClient("shop", new ScriptedChatClient("a")).UseFlywheel("s", serviceKey: "shop");
        application.AddKeyedChatClient("bank", new ScriptedChatClient("b")).UseFlywheel("b", serviceKey: "bank");
        await using var services = application.BuildServiceProvider();

        await services.GetRequiredKeyedService<IChatClient>("shop").GetResponseAsync("hi", cancellationToken: Ct);
        await services.GetRequiredKeyedService<IChatClient>("bank").GetResponseAsync("hi", cancellationToken: Ct);
        await services.GetRequiredKeyedService<FlywheelConnection>("shop").FlushAsync(Ct);
        await services.GetRequiredKeyedService<FlywheelConnection>("bank").FlushAsync(Ct);

        Assert.Equal(("s", "b"), (Assert.Single(one.Kept).Node, Assert.Single(two.Kept).Node));
        Assert.Null(services.GetService<FlywheelConnection>());
        var unknown = Assert.Throws<InvalidOperationException>(
            () => new ChatClientBuilder(new ScriptedChatClient("a")).UseFlywheel("n", serviceKey: "none").Build(services));
        Assert.Contains("none", unknown.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_api_and_the_prompts_are_services_too_and_end_with_a_container_that_is_not_asynchronous()
    {
        await using var server = new RemoteTests.Server((_, _) => (201, """{"id":"33333333-3333-7333-8333-333333333333"}"""));
        FlywheelConnection connection;
        using (var services = new ServiceCollection()
            .AddFlywheel(options => (options.Server, options.ApiKey, options.IsDefault) = (server.Address, "key-1", false))
            .BuildServiceProvider())
        {
            connection = services.GetRequiredService<FlywheelConnection>();
            await services.GetRequiredService<FlywheelApi>().FeedbackAsync("t", "s", "solved", true, ct: Ct);
            Assert.NotNull(services.GetRequiredService<FlywheelPrompts>());
            Assert.IsType<RemoteLoop>(services.GetRequiredService<ILoop>());
            Assert.Same(connection.Loop, services.GetRequiredService<ILoop>());
        }

        Assert.Equal("Bearer key-1", Assert.Single(server.Requests).Authorization);
        connection.Record(Spans.New());
        Assert.Equal(1, connection.Statistics.Dropped);
    }

    [Fact]
    public async Task A_step_outside_any_call_is_recorded_by_the_hosts_connection_for_as_long_as_it_lives()
    {
        var loop = new ScriptedLoop();
        var builder = Application();
        builder.Services.AddFlywheel(options => options.Loop = _ => loop);
        builder.Services.AddFlywheel(options => options.MaxDelay = TimeSpan.Zero);
        using (var host = builder.Build())
        {
            await host.StartAsync(Ct);
            FlywheelScope.Node("step", NodeKind.Tool).Dispose();
            await host.StopAsync(Ct);
        }
        var before = FlywheelConnection.UnrecordedSteps;
        FlywheelScope.Node("later", NodeKind.Tool).Dispose();

        Assert.Equal("step", Assert.Single(loop.Kept).Node);
        Assert.True(FlywheelConnection.UnrecordedSteps > before);
    }

    sealed class HeardLog : ILoggerProvider, ILogger
    {
        public ConcurrentQueue<string> Lines { get; } = new();

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Lines.Enqueue(formatter(state, exception));

        public void Dispose()
        {
        }
    }
}
