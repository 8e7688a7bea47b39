using System.Reflection;
using Flywheel.Core;
using Microsoft.Extensions.AI.Evaluation;

namespace Flywheel.Validators.Evaluators;

/// <summary>Makes the evaluators that an operator names in the settings.</summary>
public static class NamedEvaluators
{
    /// <param name="path">The assembly's file, its own dependencies beside it; null for an assembly that this process has.</param>
    /// <exception cref="EvaluatorException">There is no such file or type, or it is no evaluator that can be made.</exception>
    public static IEvaluator Make(string name, string? typeName, string? path)
    {
        EvaluatorException Wrong(string what) => new($"evaluator {Quote.Short(name)}: {what}");
        if (string.IsNullOrWhiteSpace(typeName))
            throw Wrong($"no type is given: set `Evaluators:{name}:Type`.");
        Type? type;
        try
        {
            type = path is null ? Type.GetType(typeName, throwOnError: false) : Assembly.LoadFrom(Path.GetFullPath(path))
                .GetType(typeName, throwOnError: false);
        }
        catch (Exception error) when (error is IOException or BadImageFormatException or ArgumentException)
        {
            throw Wrong($"{path ?? typeName} cannot be loaded ({error.Message}): check `Evaluators:{name}`.");
        }
        if (type is null)
            throw Wrong($"there is no type {Quote.Short(typeName)}{(path is null ? ": write `Namespace.Type, Assembly`, or give the file in `Assembly`" : $" in {path}: write its full name, `Namespace.Type`")}.");
        if (!typeof(IEvaluator).IsAssignableFrom(type))
            throw Wrong($"{type.FullName} is no `IEvaluator` of Microsoft.Extensions.AI.Evaluation "
                + $"{typeof(IEvaluator).Assembly.GetName().Version}: build it against that version.");
        if (type.IsAbstract || type.GetConstructor(Type.EmptyTypes) is null)
            throw Wrong($"{type.FullName} needs a public constructor without parameters.");
        try
        {
            return (IEvaluator)Activator.CreateInstance(type)!;
        }
        catch (TargetInvocationException error)
        {
            throw Wrong($"its constructor fails: {error.InnerException?.Message}");
        }
    }
}

/// <summary>An evaluator in the settings cannot be had.</summary>
public sealed class EvaluatorException(string message) : Core.FlywheelException(message);
