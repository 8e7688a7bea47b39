using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Flywheel.Bench.Gateway;

/// <summary>The peer: Portkey's open gateway on Node.js, which records nothing.</summary>
static class Portkey
{
    /// <summary>It listens on every interface by itself; loaded first, this keeps it on loopback.</summary>
    const string Loopback =
        """
        const net = require('net'), listen = net.Server.prototype.listen;
        net.Server.prototype.listen = function (...given) {
            const port = typeof given[0] === 'object' ? given[0].port : given[0];
            return listen.call(this, { port: Number(port), host: '127.0.0.1' }, given.find(each => typeof each === 'function'));
        };
        """;

    public static async Task<Target> StartAsync(string folder, string origin)
    {
        var shim = Path.Combine(Path.GetTempPath(), $"flywheel-loopback-{Environment.ProcessId}.cjs");
        await File.WriteAllTextAsync(shim, Loopback);
        using var free = new TcpListener(IPAddress.Loopback, 0);
        free.Start();
        var port = ((IPEndPoint)free.LocalEndpoint).Port;
        free.Stop();
        var start = new ProcessStartInfo(
            "node", ["--require", shim, Path.Combine(folder, "node_modules/@portkey-ai/gateway/build/start-server.js"), "--headless",
                $"--port={port}"]);
        start.Environment["NODE_ENV"] = "production";
        start.RedirectStandardOutput = true;
        var process = Process.Start(start)!;
        process.OutputDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
        for (var attempt = 0; attempt < 100; attempt++)
            try
            {
                using var probe = new TcpClient();
                await probe.ConnectAsync(IPAddress.Loopback, port);
                return new Target("portkey", new Uri($"http://127.0.0.1:{port}/v1/chat/completions"), process,
                    $"x-portkey-provider: openai\r\nx-portkey-custom-host: {origin}/v1\r\nAuthorization: Bearer none\r\n");
            }
            catch (SocketException)
            {
                await Task.Delay(100);
            }
        throw new InvalidOperationException("Portkey did not listen within ten seconds.");
    }
}
