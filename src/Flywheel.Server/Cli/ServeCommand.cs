using System.CommandLine;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Flywheel.Server.Hosting;

namespace Flywheel.Server.Cli;

static class ServeCommand
{
    public static Command Create()
    {
        var db = CommonOptions.Db();
        var host = new Option<string?>(
            "--host") { Description = "IP address to listen on; addresses other than loopback require API keys (default: 127.0.0.1)" };
        var port = new Option<int?>("--port") { Description = "TCP port; 0 selects a free port (default: 5151)" };
        var otlpHttp = new Option<int?>(
            "--otlp-http-port") { Description = "Additional port for OTLP over HTTP; 0 disables it (default: 4318; 0 with --port 0)" };
        var otlpGrpc = new Option<int?>(
            "--otlp-grpc-port") { Description = "Port for OTLP over gRPC; 0 disables it (default: 4317; 0 with --port 0)" };
        var auth = new Option<string?>(
            "--auth") { Description = "auto, keys or off (default: auto, which requires keys on addresses other than loopback)" };
        var noWork = new Option<bool>("--no-work") { Description = "Run no workers in this process" };
        var command = new Command(
            "serve", "Run the server: REST API, gateway, OTLP, MCP and workers in one process") { db, host, port, otlpHttp, otlpGrpc, auth,
            noWork };
        command.SetAction(async (parsed, ct) =>
        {
            var flags = new Dictionary<string, string?>();
            if (parsed.GetValue(db) is { } url) flags["Db"] = url;
            if (parsed.GetValue(host) is { } address) flags["Host"] = address;
            if (parsed.GetValue(port) is { } number) flags["Port"] = number.ToString(CultureInfo.InvariantCulture);
            if (parsed.GetValue(auth) is { } mode) flags["Auth"] = mode;
            if (parsed.GetValue(noWork)) flags["Work"] = "false";
            if (parsed.GetValue(port) is < 0 or > 65535)
                throw new UsageException("--port must be a whole number from 0 (any free port) to 65535.");
            if (parsed.GetValue(auth) is { } word && !Enum.TryParse<AuthMode>(word, ignoreCase: true, out _))
                throw new UsageException($"--auth is `{word}`: use auto, keys or off.");
            UsualOtlpPort(flags, "otlp_http_port", parsed.GetValue(otlpHttp), 4318);
            UsualOtlpPort(flags, "otlp_grpc_port", parsed.GetValue(otlpGrpc), 4317);
            await using var app = await FlywheelHost.BuildAsync(Settings.Load(flags), ct);
            await StartAsync(app, ct);
            Console.WriteLine($"Flywheel listens on {FlywheelHost.AddressOf(app)}  (API /api/v1, OpenAPI /openapi/v1.json; Ctrl+C stops)");
            await app.WaitForShutdownAsync(ct);
            return ExitCodes.Ok;
        });
        return command;
    }

    /// <summary>
    /// OpenTelemetry's usual ports are opened by a server that has a port of its own, where nobody else has them: a collector, or
    /// another server. One that takes any free port is one of several, and would take them from the others.
    /// </summary>
    static void UsualOtlpPort(Dictionary<string, string?> flags, string name, int? given, int usual)
    {
        if (given is { } port)
        {
            flags[name] = port.ToString(CultureInfo.InvariantCulture);
            return;
        }
        var settings = Settings.Load(flags);
        if (settings[name] is not null || settings["Port"] == "0")
            return;
        if (IsFree(settings["Host"] ?? new ServerOptions().Host, usual))
            flags[name] = usual.ToString(CultureInfo.InvariantCulture);
        else
            Console.Error.WriteLine(
                $"flywheel: port {usual} is in use, so OpenTelemetry's usual door there stays closed (set `{name}` for another port; OTLP "
                    + $"over HTTP is also at the API's address, /v1/traces).");
    }

    static bool IsFree(string host, int port)
    {
        var address = host == "localhost" ? IPAddress.Loopback : IPAddress.TryParse(host, out var parsed) ? parsed : IPAddress.Loopback;
        using var probe = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            probe.Bind(new IPEndPoint(address, port));
            probe.Listen();
            return true;
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            return false;
        }
    }

    static async Task StartAsync(WebApplication app, CancellationToken ct)
    {
        try
        {
            await app.StartAsync(ct);
        }
        catch (IOException e) when (e.InnerException is Microsoft.AspNetCore.Connections.AddressInUseException
            && app.Services.GetRequiredService<ServerOptions>() is var options
            && new[] { ("otlp_http_port", options.OtlpHttpPort), ("otlp_grpc_port", options.OtlpGrpcPort) }
                .FirstOrDefault(door => door.Item2 != 0 && e.Message.Contains($":{door.Item2}", StringComparison.Ordinal))
                is { Item1: { } name } taken)
        {
            throw new Core.FlywheelException(
                $"Port {taken.Item2} for OpenTelemetry is in use: stop the collector that has it, or set `{name}` to another port, or to "
                    + "0 to leave this door closed.", e);
        }
    }
}
