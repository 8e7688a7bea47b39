using System.Net;
using System.Net.Sockets;

namespace Flywheel.Server.Tests;

/// <summary>What somebody sees who types something that cannot be meant.</summary>
public sealed class CommandLineTests : IDisposable
{
    readonly string _folder = Directory.CreateTempSubdirectory("flywheel-cli-").FullName;

    static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("sevre", 2, "There is no command `sevre`. Did you mean `serve`?")]
    [InlineData("serve --port 70000", 2, "--port must be a whole number from 0 (any free port) to 65535.")]
    [InlineData("serve --port abc", 2, "Cannot parse argument 'abc' for option '--port' as a whole number")]
    [InlineData("serve --auth maybe", 2, "--auth is `maybe`: use auto, keys or off.")]
    [InlineData("doctor --db sqlite:nowhere.db", 1, "There is no database nowhere.db")]
    [InlineData("review --db sqlite:nowhere.db", 1, "There is no database nowhere.db")]
    [InlineData("export --db sqlite:nowhere.db", 1, "There is no database nowhere.db")]
    [InlineData("prompts list --db sqlite:nowhere.db", 1, "There is no database nowhere.db")]
    [InlineData("align polite --db sqlite:nowhere.db", 1, "There is no database nowhere.db")]
    [InlineData("proposals list --db sqlite:nowhere.db", 1, "There is no database nowhere.db")]
    [InlineData("erase eve --db sqlite:nowhere.db", 1, "There is no database nowhere.db")]
    [InlineData("keys list --db sqlite:nowhere.db", 1, "There is no database nowhere.db")]
    [InlineData("retrieve --demos a.jsonl --queries a.jsonl --k 9999", 2, "`k` is 9999, out of its range: between 0 and 100")]
    [InlineData("retrieve --demos a.jsonl --queries a.jsonl --embedder word2vec", 2, "--embedder is `word2vec`: use lexical")]
    [InlineData("retrieve --demos empty.jsonl --queries a.jsonl", 1, "empty.jsonl has no rows")]
    [InlineData("retrieve --demos open-quote.csv --queries a.jsonl", 1, "open-quote.csv, line 3: a quote is opened and never closed.")]
    public async Task A_mistake_is_named_with_its_remedy_and_its_exit_code(string line, int code, string message)
    {
        await File.WriteAllTextAsync(
            Path.Combine(_folder, "a.jsonl"), """{"id": "1", "text": "where is my parcel", "label": "delivery"}""", Ct);
        await File.WriteAllTextAsync(Path.Combine(_folder, "empty.jsonl"), "", Ct);
        await File.WriteAllTextAsync(
            Path.Combine(_folder, "open-quote.csv"), "id,text,label\n1,fine,a\n2,\"never closed,b\n3,lost,c\n", Ct);

        var (exit, output, errors) = await CommandLine.RunAsync(line, _folder);

        Assert.Contains(message, output + errors);
        Assert.Equal(code, exit);
        Assert.False(File.Exists(Path.Combine(_folder, "nowhere.db")));
    }

    [Theory]
    [InlineData("sevre", 2, "There is no command `sevre`. Did you mean `serve`?")]
    [InlineData("keys list --db sqlite:nowhere.db", 1, "There is no database nowhere.db")]
    public async Task The_process_ends_with_the_exit_code_and_its_message_on_the_error_stream(string line, int code, string message)
    {
        var (exit, output, errors) = await CommandLine.RunProcessAsync(line, _folder);

        Assert.Contains(message, errors);
        Assert.Empty(output);
        Assert.Equal(code, exit);
    }

    [Fact]
    public async Task A_setting_that_does_not_exist_stops_the_start()
    {
        await File.WriteAllTextAsync(Path.Combine(_folder, "flywheel.json"), """{"prot": 5000}""", Ct);

        var (exit, _, errors) = await CommandLine.RunProcessAsync("serve", _folder);

        Assert.Contains("There is no setting `prot`", errors);
        Assert.Contains("Did you mean `port`?", errors);
        Assert.Equal(1, exit);
    }

    [Fact]
    public async Task A_usual_telemetry_port_that_somebody_else_has_does_not_stop_the_start()
    {
        using var collector = new TcpListener(IPAddress.Loopback, 4318);
        try
        {
            collector.Start();
        }
        catch (SocketException)
        {
            // Somebody has it already, which serves as well.
        }
        using var own = new TcpListener(IPAddress.Loopback, 0);
        own.Start();
        var port = ((IPEndPoint)own.LocalEndpoint).Port;
        own.Stop();

        using var server = CommandLine.Start($"serve --port {port} --db sqlite:a.db", _folder);
        try
        {
            var warning = await server.StandardError.ReadLineAsync(Ct);
            var listens = await server.StandardOutput.ReadLineAsync(Ct);
            Assert.Contains("port 4318 is in use", warning);
            Assert.Contains($"listens on http://127.0.0.1:{port}", listens);
        }
        finally
        {
            server.Kill();
            await server.WaitForExitAsync(Ct);
        }

        var (exit, _, errors) = await CommandLine.RunAsync($"serve --port {port} --otlp-http-port 4318 --db sqlite:a.db", _folder);
        Assert.Contains("Port 4318 for OpenTelemetry is in use", errors);
        Assert.Equal(1, exit);
    }

    [Fact]
    public async Task Quotes_that_belong_to_a_text_are_no_mistake()
    {
        await File.WriteAllTextAsync(
            Path.Combine(_folder, "a.csv"), "id,text,label\n1,\"a 5\"\" pipe\nover two lines\",a\n2,plain,b\n", Ct);

        var (exit, output, _) = await CommandLine.RunAsync("retrieve --demos a.csv --queries a.csv --k 1 --json", _folder);

        Assert.Contains("\"demonstrations\":2", output);
        Assert.Equal(0, exit);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
