using Flywheel.Core;
using Flywheel.Core.Metrics;
using Flywheel.Core.Traces;
using Flywheel.Engine.Metrics.Sql;

namespace Flywheel.Engine.Metrics.Validators;

/// <summary>Passes when a boolean SQL expression over the span's columns is true, in the database. Null is <c>unsure</c>.</summary>
sealed class SqlExpressionKind(ISqlEvaluator? evaluator) : ValidatorKind("sql-expression", 1,
    "A boolean SQL expression over the span's columns is true, evaluated in the database.",
    new SettingDescription(
        "expression", "text", "Such as `length(output) < 400 AND error IS NULL`; see SqlExpression for what is allowed.", null))
{
    // It runs over stored rows.
    public override bool CanGuard => false;

    protected override IValidator Create(ValidatorContext context, ValidatorSettings read, string version)
    {
        var text = read.RequiredText("expression", "give a condition such as `length(output) < 400`.");
        try
        {
            var expression = SqlExpression.Parse(text);
            return evaluator is null
                ? throw read.Wrong("expression", "cannot be evaluated: no database is at hand here.")
                : new Validator(version, context.Subject, expression, evaluator);
        }
        catch (SqlExpressionException error)
        {
            throw read.Wrong("expression", $"cannot be used. {error.Message}");
        }
    }

    sealed class Validator(string version, MetricSubject subject, SqlExpression expression, ISqlEvaluator evaluator) : IValidator
    {
        public string Version => version;

        public async ValueTask<Finding> CheckAsync(Examinee examinee, CancellationToken ct)
        {
            var content = examinee.Span?.Content ?? Row(examinee);
            return await evaluator.EvaluateAsync(expression, examinee.Span, content, ct) switch
            {
                true => Finding.Pass(),
                false => Finding.Fail("the expression is false"),
                null => Finding.Unsure($"the expression is null{Nulls(content)}"),
            };
        }

        NewSpan Row(Examinee examinee) => new()
        {
            Key = new("-", "-"), Node = "", StartedAt = DateTimeOffset.UnixEpoch,
            Input = subject == MetricSubject.Input ? examinee.Text : examinee.Input,
            Output = subject == MetricSubject.Output ? examinee.Text : null,
        };

        string Nulls(NewSpan content)
        {
            var values = SqlColumns.ValuesOf(content);
            var missing = expression.Columns.Where(column => values[column] is null).ToArray();
            return missing.Length == 0 ? "" : $": the span has no {NearMiss.List(missing)}";
        }
    }
}
