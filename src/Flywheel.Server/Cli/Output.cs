using System.Text.Json;
using Flywheel.Server.Files;
using Spectre.Console;

namespace Flywheel.Server.Cli;

/// <summary>What commands print: tables and progress for people, JSON for programs.</summary>
static class Output
{
    public static void Json<T>(T value) => Console.Out.WriteLine(JsonSerializer.Serialize(value, FileJson.Pretty));

    public static void JsonLine<T>(T value) => Console.Out.WriteLine(JsonSerializer.Serialize(value, FileJson.Lines));

    /// <summary>Stdout for people: plain when it is not a terminal.</summary>
    public static IAnsiConsole People { get; } = AnsiConsole.Create(new AnsiConsoleSettings());

    /// <summary>A progress bar on a terminal; nothing in a pipe.</summary>
    /// <param name="work">Given a reporter of (done, total).</param>
    public static async Task<T> ProgressAsync<T>(string what, bool quiet, Func<Action<long, long>, Task<T>> work)
    {
        T result = default!;
        await ProgressAsync(what, quiet, async report => { result = await work(report); });
        return result;
    }

    /// <inheritdoc cref="ProgressAsync{T}"/>
    public static async Task ProgressAsync(string what, bool quiet, Func<Action<long, long>, Task> work)
    {
        if (quiet || Console.IsErrorRedirected || Console.IsOutputRedirected)
        {
            await work((_, _) => { });
            return;
        }
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        await console.Progress().AutoClear(true)
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .StartAsync(async context =>
            {
                var task = context.AddTask(Markup.Escape(what));
                await work((done, total) =>
                {
                    task.MaxValue = Math.Max(1, total);
                    task.Value = done;
                });
            });
    }
}
