using System.CommandLine;
using System.Globalization;
using Flywheel.Server.Hosting;

namespace Flywheel.Server.Cli;

static class ServeCommand
{
    public static Command Create()
    {
        var db = CommonOptions.Db();
        var host = new Option<string?>("--host") { Description = "Address to listen on (default 127.0.0.1; beyond loopback, API keys are needed)" };
        var port = new Option<int?>("--port") { Description = "Port (default 5151; 0 takes any free one)" };
        var auth = new Option<string?>("--auth") { Description = "auto, keys or off (default auto: keys beyond loopback)" };
        var noWork = new Option<bool>("--no-work") { Description = "Do not run the workers in this process" };
        var command = new Command("serve", "Run the server: REST API and workers in one process") { db, host, port, auth, noWork };
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
            await using var app = await FlywheelHost.BuildAsync(Settings.Load(flags), ct);
            await app.StartAsync(ct);
            Console.WriteLine($"Flywheel listens on {FlywheelHost.AddressOf(app)}  (API /api/v1, OpenAPI /openapi/v1.json; Ctrl+C stops)");
            await app.WaitForShutdownAsync(ct);
            return Cli.Ok;
        });
        return command;
    }
}
