using System.CommandLine;
using System.Text.RegularExpressions;
using Flywheel.Core;
using Flywheel.Server.Cli.Statistics;

namespace Flywheel.Server.Cli;

/// <summary>The command line: one file a command; exit codes 0 ok, 1 error, 2 usage, 100 threshold not met.</summary>
static partial class Commands
{
    public static async Task<int> RunAsync(string[] args)
    {
        var root = Root();
        var parsed = root.Parse(args);
        if (parsed.Errors.Count > 0)
        {
            foreach (var message in Messages(parsed, root))
                await Console.Error.WriteLineAsync($"flywheel: {message}");
            await Console.Error.WriteLineAsync("Try `flywheel --help`, or `flywheel COMMAND --help`.");
            return ExitCodes.Usage;
        }
        try
        {
            return await parsed.InvokeAsync(
                new InvocationConfiguration { EnableDefaultExceptionHandler = false,
                    ProcessTerminationTimeout = TimeSpan.FromSeconds(30) });
        }
        catch (OperationCanceledException)
        {
            await Console.Error.WriteLineAsync("flywheel: stopped.");
            return ExitCodes.Failed;
        }
        catch (Exception e) when (e is UsageException or RequestException { Kind: RequestErrorKind.Invalid })
        {
            await Console.Error.WriteLineAsync($"flywheel: {e.Message}");
            return ExitCodes.Usage;
        }
        catch (Exception e) when (IsForPeople(e))
        {
            await Console.Error.WriteLineAsync($"flywheel: {e.Message}");
            return ExitCodes.Failed;
        }
        catch (Exception e)
        {
            await Console.Error.WriteLineAsync($"flywheel: a fault of Flywheel's own, please report it: {e}");
            return ExitCodes.Failed;
        }
    }

    /// <summary>All commands with their options.</summary>
    internal static RootCommand Root() =>
        new("Flywheel: uses the traces of an LLM application to improve its answers.")
        {
            ServeCommand.Create(),
            DemoCommand.Create(),
            ImportCommand.Create(),
            ExportCommand.Create(),
            ValidateCommand.Create(),
            Eval.EvalCommand.Create(),
            PacksCommand.Create(),
            PromptsCommand.Create(),
            DatasetsCommand.Create(),
            RetrieveCommand.Create(),
            EstimateCommand.Create(),
            CalibrateCommand.Create(),
            AgreementCommand.Create(),
            ReviewCommand.Create(),
            AlignCommand.Create(),
            ProposalsCommand.Create(),
            KeysCommand.Create(),
            ModelsCommand.Create(),
            SandboxCommand.Create(),
            EraseCommand.Create(),
            DoctorCommand.Create(),
            MigrateCommand.Create(),
            BackupCommand.Create(),
        };

    /// <summary>The parser's complaints in words for people; a mistyped command is not also called a missing one.</summary>
    static IEnumerable<string> Messages(ParseResult parsed, RootCommand root)
    {
        if (parsed.CommandResult.Command == root && parsed.UnmatchedTokens is [var word, ..])
        {
            var commands = root.Subcommands.Select(command => command.Name).ToArray();
            return [$"There is no command `{word}`.{NearMiss.Hint(word, commands)} Known are {NearMiss.List(commands)}."];
        }
        return parsed.Errors.Select(error => DotNetType().Replace(error.Message, match => "as " + match.Groups[1].Value switch
        {
            "Int32" or "Int64" => "a whole number",
            "Double" => "a number",
            "Boolean" => "true or false",
            var other => other,
        }));
    }

    [GeneratedRegex(@"as expected type '(?:System\.Nullable`1\[)?System\.(\w+)\]?'")]
    private static partial Regex DotNetType();

    /// <summary>Faults whose message tells a user all there is to know; others show where they happened.</summary>
    static bool IsForPeople(Exception e) => e is FlywheelException or IOException or UnauthorizedAccessException
        or System.Net.Sockets.SocketException || e.InnerException is System.Net.Sockets.SocketException;
}
