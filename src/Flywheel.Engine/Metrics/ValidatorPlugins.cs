using System.Reflection;
using System.Text.Json;
using System.Text.RegularExpressions;
using Flywheel.Core;
using Flywheel.Core.Metrics;
using Flywheel.Core.Traces;

namespace Flywheel.Engine.Metrics;

/// <summary>Kinds of validators that an operator brings in assemblies named in the settings, loaded at the start.</summary>
/// <remarks>No request can name one. What is loaded runs with the rights of the process: it is no sandbox.</remarks>
public static partial class ValidatorPlugins
{
    /// <summary>
    /// Every public <see cref="IValidatorKind"/> of the files that has a public constructor without parameters, files in the order given,
    /// types by name.
    /// </summary>
    /// <param name="files">Paths of assemblies, their own dependencies beside them.</param>
    /// <param name="taken">Names that plug-ins may not have.</param>
    /// <exception cref="PluginException">A file cannot be loaded or holds no kind, or a kind cannot be used; says which and what to
    /// do.</exception>
    public static IReadOnlyList<IValidatorKind> Load(IEnumerable<string> files, IEnumerable<string> taken)
    {
        var names = taken.ToHashSet(StringComparer.Ordinal);
        var kinds = new List<IValidatorKind>();
        foreach (var file in files)
        {
            var before = kinds.Count;
            foreach (var type in Types(file)
                .Where(type => typeof(IValidatorKind).IsAssignableFrom(type) && type is { IsAbstract: false, IsPublic: true }))
            {
                var kind = Make(file, type);
                if (!KindName().IsMatch(kind.Name ?? ""))
                    throw new PluginException(
                        $"{type.FullName} in {file} is named {Quote.Short(kind.Name ?? "")}: a kind's name is lower-case letters, digits, "
                            + "dots and dashes, such as `acme.tone`.");
                if (!names.Add(kind.Name!))
                    throw new PluginException(
                        $"{type.FullName} in {file} is named `{kind.Name}`, as another kind of validator is: give it a name of its own, "
                            + $"such as `acme.{kind.Name}`.");
                kinds.Add(new PluginKind(kind, type.Module.ModuleVersionId));
            }
            if (kinds.Count == before)
                throw new PluginException(
                    $"{file} holds no public class that is an `IValidatorKind` of Flywheel.Core "
                        + $"{typeof(IValidatorKind).Assembly.GetName().Version}: build it against that version, or take it out of "
                        + "`Plugins`.");
        }
        return kinds;
    }

    static Type[] Types(string file)
    {
        try
        {
            return [.. Assembly.LoadFrom(Path.GetFullPath(file)).GetTypes().OrderBy(type => type.FullName, StringComparer.Ordinal)];
        }
        catch (ReflectionTypeLoadException error)
        {
            throw new PluginException(
                $"{file} cannot be used ({error.LoaderExceptions.OfType<Exception>().FirstOrDefault()?.Message ?? error.Message}): put "
                    + "what it needs beside it, or build it against this version.");
        }
        catch (Exception error) when (error is IOException or BadImageFormatException or ArgumentException or UnauthorizedAccessException)
        {
            throw new PluginException($"{file} cannot be loaded ({error.Message}): check `Plugins`.");
        }
    }

    static IValidatorKind Make(string file, Type type)
    {
        if (type.GetConstructor(Type.EmptyTypes) is null)
            throw new PluginException($"{type.FullName} in {file} needs a public constructor without parameters.");
        try
        {
            return (IValidatorKind)Activator.CreateInstance(type)!;
        }
        catch (TargetInvocationException error)
        {
            throw new PluginException($"the constructor of {type.FullName} in {file} fails: {error.InnerException?.Message}");
        }
    }

    [GeneratedRegex("^[a-z][a-z0-9]*([.-][a-z0-9]+)*$", RegexOptions.NonBacktracking)]
    private static partial Regex KindName();

    /// <summary>
    /// A plug-in's kind: its unexpected faults are refusals when a metric is saved, and its build is part of every version.
    /// </summary>
    sealed class PluginKind(IValidatorKind kind, Guid build) : IValidatorKind
    {
        public string Name => kind.Name;
        public string Summary => kind.Summary;
        public IReadOnlyList<SettingDescription> Settings => kind.Settings;
        public IReadOnlySet<NodeKind> NodeKinds => kind.NodeKinds;
        public IReadOnlySet<MetricSubject> Subjects => kind.Subjects;
        public bool CanGuard => kind.CanGuard;
        public bool FindsSpans => kind.FindsSpans;
        public bool CallsModel => kind.CallsModel;

        public IValidator Create(ValidatorContext context, JsonElement settings)
        {
            try
            {
                return new PluginValidator(
                    kind.Create(context, settings),
                    $"{kind.Name}-{ValidatorKind.Hash(build.ToString("N"))}-{ValidatorKind.Hash(StrictJson.Canonical(settings))}");
            }
            catch (Exception error) when (error is not ValidatorSettingsException)
            {
                throw new ValidatorSettingsException(
                    "validator", $"The plug-in `{kind.Name}` cannot work with these settings: {error.Message}");
            }
        }
    }

    sealed class PluginValidator(IValidator validator, string version) : IValidator
    {
        public string Version => VersionWith(validator.Version);

        public ValueTask<Finding> CheckAsync(Examinee examinee, CancellationToken ct) => validator.CheckAsync(examinee, ct);

        public async ValueTask<Decision> DecideAsync(Examinee examinee, CancellationToken ct)
        {
            var decision = await validator.DecideAsync(examinee, ct);
            return decision with { Version = VersionWith(decision.Version) };
        }

        string VersionWith(string? own) => string.IsNullOrEmpty(own) ? version : $"{version}-{ValidatorKind.Hash(own)}";
    }
}

/// <summary>A plug-in in the settings cannot be had.</summary>
public sealed class PluginException(string message) : Core.FlywheelException(message);
