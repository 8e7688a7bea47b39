namespace Flywheel.Core.Metrics;

/// <summary>The kinds of validators that this process knows, by name.</summary>
public sealed class ValidatorRegistry
{
    readonly Dictionary<string, IValidatorKind> _kinds = new(StringComparer.Ordinal);

    /// <exception cref="ArgumentException">Two kinds have one name.</exception>
    public ValidatorRegistry(IEnumerable<IValidatorKind> kinds)
    {
        foreach (var kind in kinds)
            if (!_kinds.TryAdd(kind.Name, kind))
                throw new ArgumentException($"Two kinds of validators are named `{kind.Name}`.", nameof(kinds));
    }

    /// <summary>By name.</summary>
    public IReadOnlyList<IValidatorKind> Kinds => [.. _kinds.Values.OrderBy(kind => kind.Name, StringComparer.Ordinal)];

    public IValidatorKind? Find(string name) => _kinds.GetValueOrDefault(name);

    /// <exception cref="ValidatorSettingsException">The kind is unknown, or its settings cannot work.</exception>
    public IValidator Create(ValidatorSpec spec, ValidatorContext context) => Get(spec.Kind).Create(context, spec.Settings);

    /// <exception cref="ValidatorSettingsException">There is no such kind.</exception>
    public IValidatorKind Get(string name)
    {
        if (Find(name) is { } kind)
            return kind;
        var names = Kinds.Select(known => known.Name).ToArray();
        throw new ValidatorSettingsException("kind", string.IsNullOrEmpty(name)
            ? $"`kind` is missing from the validator: give one of {NearMiss.List(names)}."
            : $"There is no validator {Quote.Short(name)}.{NearMiss.Hint(name, names)} Known are {NearMiss.List(names)}.");
    }
}
