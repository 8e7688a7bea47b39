using System.CommandLine;
using Flywheel.Server.Api;

namespace Flywheel.Server.Cli;

/// <summary>The command line: one file a command; exit codes 0 ok, 1 error, 2 usage, 100 threshold not met.</summary>
static class Cli
{
    public const int Ok = 0;
    public const int Failed = 1;
    public const int Usage = 2;

    public static async Task<int> RunAsync(string[] args)
    {
        var root = new RootCommand("Flywheel: turns the traces of an LLM application into better answers.")
        {
            ServeCommand.Create(),
            DemoCommand.Create(),
            ImportCommand.Create(),
            ExportCommand.Create(),
            ValidateCommand.Create(),
            RetrieveCommand.Create(),
            ReviewCommand.Create(),
            KeysCommand.Create(),
            ModelsCommand.Create(),
            SandboxCommand.Create(),
            DoctorCommand.Create(),
            MigrateCommand.Create(),
        };
        var parsed = root.Parse(args);
        if (parsed.Errors.Count > 0)
        {
            foreach (var error in parsed.Errors)
                await Console.Error.WriteLineAsync($"flywheel: {error.Message}");
            await Console.Error.WriteLineAsync("Try `flywheel --help`, or `flywheel COMMAND --help`.");
            return Usage;
        }
        try
        {
            return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = TimeSpan.FromSeconds(30) });
        }
        catch (OperationCanceledException)
        {
            await Console.Error.WriteLineAsync("flywheel: stopped.");
            return Failed;
        }
        catch (UsageException e)
        {
            await Console.Error.WriteLineAsync($"flywheel: {e.Message}");
            return Usage;
        }
        catch (Exception e) when (IsForPeople(e))
        {
            await Console.Error.WriteLineAsync($"flywheel: {e.Message}");
            return Failed;
        }
        catch (Exception e)
        {
            await Console.Error.WriteLineAsync($"flywheel: a fault of Flywheel's own, please report it: {e}");
            return Failed;
        }
    }

    /// <summary>Faults whose message tells a user all there is to know; others show where they happened.</summary>
    static bool IsForPeople(Exception e) => e is ApiException or Core.FlywheelException or IOException or UnauthorizedAccessException
        or System.Net.Sockets.SocketException || e.InnerException is System.Net.Sockets.SocketException;
}

/// <summary>The command line cannot be meant as it stands; exit code 2.</summary>
sealed class UsageException(string message) : Exception(message);
