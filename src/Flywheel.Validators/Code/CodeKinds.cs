using Flywheel.Core.Metrics;
using Flywheel.Validators.Sandboxing;

namespace Flywheel.Validators.Code;

/// <summary>The validators of code. Whoever keeps the sandbox ends it.</summary>
public static class CodeKinds
{
    /// <param name="sandbox">Null makes only the metrics fail that need it.</param>
    public static IEnumerable<IValidatorKind> All(Sandbox? sandbox, CodeDatabases? databases) => 
        [new CodeSqlKind(sandbox, databases), new CodeJavaScriptKind(sandbox), new CodeCSharpKind(sandbox)];
}
