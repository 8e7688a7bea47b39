using Flywheel.Core.Projects;
using Microsoft.Extensions.DependencyInjection;

namespace Flywheel.Server.Tests.SameAnswers;

/// <summary>A mistake of a caller, and how it is made at each door.</summary>
/// <param name="UseCase"><c>Service.Method</c>.</param>
/// <param name="Code">Of the refusal.</param>
/// <param name="Field">At fault; null if no single field is.</param>
/// <param name="Ask">Makes the mistake at the service itself.</param>
sealed record Mistake(string UseCase, string Code, string? Field, Func<IServiceProvider, Caller, CancellationToken, Task> Ask)
{
    /// <summary>The request, such as <c>POST /api/v1/labels</c>; null if no route leads to the use case.</summary>
    public string? Rest { get; init; }

    /// <summary>JSON of the request; null for none.</summary>
    public string? Body { get; init; }

    /// <summary>The command line, without <c>--db</c>; null if no command leads to the use case.</summary>
    public string? Command { get; init; }

    /// <summary>The tool of agents; null if no tool leads to the use case.</summary>
    public string? Tool { get; init; }

    /// <summary>JSON of the tool's arguments.</summary>
    public string Arguments { get; init; } = "{}";

    /// <param name="method">The name of the use case, as <c>nameof</c> gives it.</param>
    public static Mistake Of<T>(string method, string code, string? field, Func<T, Caller, CancellationToken, Task> ask)
        where T : notnull =>
        new($"{typeof(T).Name}.{method}", code, field, (services, caller, ct) => ask(services.GetRequiredService<T>(), caller, ct));

    public override string ToString() => $"{UseCase}: {Code}";
}
