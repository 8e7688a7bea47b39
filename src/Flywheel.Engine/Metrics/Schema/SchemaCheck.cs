namespace Flywheel.Engine.Metrics.Schema;

/// <summary>One run of a schema over one value: what was found, and how much work may still be done.</summary>
sealed class SchemaCheck(int maxErrors)
{
    /// <summary>Rules tried in one check, so that no schema and no text keeps a worker busy for long.</summary>
    public const int MaxSteps = 2_000_000;

    /// <summary>Rules inside rules; a schema may refer to itself.</summary>
    const int MaxDepth = 400;

    readonly List<string> _errors = [];
    int _muted;
    int _steps;
    int _depth;
    int _found;

    /// <summary>The first errors with their paths.</summary>
    public IReadOnlyList<string> Errors => _errors;

    /// <summary>Errors found until now, unlisted ones included.</summary>
    public int Found => _found;

    public void Fail(string path, string what)
    {
        _found++;
        if (_muted == 0 && _errors.Count < maxErrors)
            _errors.Add($"{(path.Length == 0 ? "the value" : path)} {what}");
    }

    /// <summary>Tries a rule without keeping its errors: for <c>anyOf</c>, <c>not</c> and the like.</summary>
    public bool Holds(Action rule)
    {
        var before = _found;
        _muted++;
        rule();
        _muted--;
        var holds = _found == before;
        _found = before;
        return holds;
    }

    public void Enter()
    {
        if (++_steps > MaxSteps)
            throw new SchemaException("the schema needs too much work on this text");
        if (++_depth > MaxDepth)
            throw new SchemaException("the schema refers to itself without end");
    }

    public void Leave() => _depth--;
}
