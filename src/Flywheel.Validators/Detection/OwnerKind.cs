using System.Text.Json;
using System.Text.RegularExpressions;
using Flywheel.Core;
using Flywheel.Core.Guarding;
using Flywheel.Core.Metrics;

namespace Flywheel.Validators.Detection;

/// <summary>Passes when what the text names (orders, accounts, addresses) belongs to the caller. Score: how many do not.</summary>
/// <remarks>
/// What belongs to the caller is given with the span's attributes, or looked up in the application's database by a query that a person
/// wrote; what the text says goes into it as a parameter only. Names without a form, such as "my neighbour's order", are not seen.
/// </remarks>
sealed class OwnerKind(IApplicationDatabases? databases) : ValidatorKind("input.owner", 1, "What the text names belongs to the caller.",
    new("patterns", "object of name to pattern",
        "How entities look: {\"order\": \"ORD-[0-9]{4,}\"}; .NET regular expressions without look-around and back-references.", null),
    new("attribute", "text", "Path in the span's attributes to the list of what belongs to the caller.", "none"),
    new("database", "text", "Name of a database of the server's settings.", "none"),
    new("query", "text", "One SELECT that has a row when @entity (of type @type) belongs to @user.", "none"))
{
    const int MaxEntities = 20;

    public override bool FindsSpans => true;

    protected override IValidator Create(ValidatorContext context, ValidatorSettings read, string version)
    {
        var patterns = Patterns(read);
        var (attribute, database, query) = (read.Text("attribute"), read.Text("database"), read.Text("query"));
        if (attribute is null == database is null)
            throw read.Missing("attribute", "give either `attribute`, or `database` with `query`.");
        if (attribute is not null)
            return new Validator(
                version, context.Subject, patterns, (entity, _, examinee, _) =>
                    ValueTask.FromResult(IsListed(entity, attribute, examinee)));

        if (databases is null || !databases.Names.Contains(database!))
            throw read.Wrong("database",
                $"is {Quote.Short(database!)}, which the server's settings do not name: add "
                    + $"`Databases:{Quote.Short(database!).Trim('`')}` there.");
        var checkedQuery = query
            ?? throw read.Missing("query", "give a SELECT such as `SELECT 1 FROM orders WHERE number = @entity AND customer = @user`.");
        if (!checkedQuery.TrimStart().StartsWith("SELECT", StringComparison.OrdinalIgnoreCase)
            || checkedQuery.Contains(';', StringComparison.Ordinal))
            throw read.Wrong("query", "must be one SELECT without a semicolon.");
        foreach (var parameter in new[] { "@entity", "@user" })
            if (!checkedQuery.Contains(parameter, StringComparison.Ordinal))
                throw read.Wrong("query", $"does not use {parameter}, so it cannot tell whose the entity is.");
        return new Validator(version, context.Subject, patterns, async (entity, type, examinee, ct) =>
            examinee.Span?.Content.EndUser is { Length: > 0 } user
                ? await databases.AnyAsync(
                    database!, checkedQuery, new Dictionary<string, string> { ["entity"] = entity, ["user"] = user, ["type"] = type }, ct)
                : null);
    }

    /// <summary>Null when the attributes do not say.</summary>
    static bool? IsListed(string entity, string path, Examinee examinee)
    {
        if (AttributeText.ElementAt(examinee.Span?.Content.Attributes, path) is not { } value)
            return null;
        JsonElement[] items = value.ValueKind == JsonValueKind.Array ? [.. value.EnumerateArray()] : [value];
        return items.Any(item => string.Equals(
            item.ValueKind == JsonValueKind.String ? item.GetString() : item.GetRawText(), entity, StringComparison.OrdinalIgnoreCase));
    }

    static (string Type, Regex Pattern)[] Patterns(ValidatorSettings read)
    {
        if (read.Json("patterns") is not { ValueKind: JsonValueKind.Object } json || !json.EnumerateObject().Any())
            throw read.Missing("patterns", "say how entities look, such as {\"order\": \"ORD-[0-9]{4,}\"}.");
        return
        [
            .. json.EnumerateObject().Select(property =>
            {
                if (property.Value.ValueKind != JsonValueKind.String || property.Value.GetString() is not { Length: > 0 } pattern)
                    throw read.Wrong("patterns", $"must give a regular expression for {Quote.Short(property.Name)}.");
                return (property.Name, Regexes.Compile(pattern, ignoreCase: true, whole: false, out var problem)
                    ?? throw read.Wrong("patterns", $"for {Quote.Short(property.Name)} {problem}"));
            }),
        ];
    }

    /// <returns>Null when it is not known who calls.</returns>
    delegate ValueTask<bool?> Owns(string entity, string type, Examinee examinee, CancellationToken ct);

    sealed class Validator(string version, MetricSubject subject, (string Type, Regex Pattern)[] patterns, Owns owns) : IValidator
    {
        public string Version => version;

        public async ValueTask<Finding> CheckAsync(Examinee examinee, CancellationToken ct)
        {
            if (examinee.Text is not { } text)
                return TextValidator.NothingToCheck(subject, examinee);
            FoundSpan[] found;
            try
            {
                found = [.. patterns.SelectMany(
                    each => each.Pattern.Matches(text).Where(match => match.Length > 0)
                        .Select(match => new FoundSpan(match.Index, match.Length, each.Type)))];
            }
            catch (RegexMatchTimeoutException)
            {
                return Finding.Error("a pattern took too long on this text: simplify its repeats");
            }
            if (found.Length == 0)
                return Finding.Pass(0);

            var entities = found.GroupBy(span => (span.Type, Text: text.Substring(span.Start, span.Length))).ToArray();
            var foreign = new List<FoundSpan>();
            foreach (var entity in entities.Take(MaxEntities))
                switch (await owns(entity.Key.Text, entity.Key.Type, examinee, ct))
                {
                    case null:
                        return Finding.Unsure("it is not known who calls, so nothing can be said about whose data this is");
                    case false:
                        foreign.AddRange(entity);
                        break;
                }
            if (foreign.Count > 0)
                return Finding.Fail(
                    $"not the caller's: {string.Join(", ", foreign.CountBy(span => span.Type).Select(count => $"{count.Value} {count.Key}"))}", foreign.Count)
                    with { Spans = [.. foreign.OrderBy(span => span.Start)] };
            return entities.Length > MaxEntities
                ? Finding.Unsure($"names {entities.Length} entities; the first {MaxEntities} are the caller's, the others were not "
                + "looked up")
                : Finding.Pass(0, $"the caller's: {entities.Length}");
        }
    }
}
