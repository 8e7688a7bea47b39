using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Flywheel.Core.Metrics;
using Flywheel.Core.Traces;
using Flywheel.Core;
using Flywheel.Engine.Models;
using Flywheel.Server.Features.Traces;
using Flywheel.Server.Files;

namespace Flywheel.Server.Cli;

/// <summary>One validator over the rows of a file, without a server.</summary>
static class ValidateCommand
{
    sealed record Line(
        string Id, string Outcome, double? Score, string? Reason,
        [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<FoundSpanView>? Spans);

    public static Command Create()
    {
        var metric = new Option<string>(
            "--metric") { Description =
                "Validator: contains, absent, regex, length, one-of, json, sql-expression, exact-match, code.sql, code.csharp, "
                    + "code.javascript, input.sensitive, input.language, input.complexity, input.owner or judge", Required = true };
        var set = new Option<string[]>(
            "--set") { Description = "One setting, key=value; a list is comma-separated or JSON. Can be repeated" };
        var input = new Option<string>("--in") { Description = "JSONL or CSV rows {id, text}", Required = true };
        var field = new Option<string>("--field") { Description = "Field with the text to check", DefaultValueFactory = _ => "text" };
        var criterion = new Option<string>(
            "--criterion") { Description = "For judge: a question that is answered by yes (pass) or no (fail)", DefaultValueFactory = _ =>
                "" };
        var json = new Option<bool>("--json") { Description = "Print the JSON lines without the counts" };
        var command = new Command(
            "validate", "Check the rows of a file with one validator and print one JSON line per row: {id, outcome, score, reason}")
            { metric, set, input, field, criterion, json };
        command.SetAction(async (parsed, ct) =>
        {
            var name = parsed.GetValue(metric)!;
            await using var engine = CommandEngine.ForFiles();
            var registry = engine.Validators;
            var subject = registry.Find(name)?.Subjects.Contains(MetricSubject.Output) == false
                ? MetricSubject.Input : MetricSubject.Output;
            var validator = Make(registry, name, subject, parsed.GetValue(set) ?? [], parsed.GetValue(criterion)!);
            var path = parsed.GetValue(input)!;
            var counts = new SortedDictionary<Outcome, long>();
            // Rows stream: nothing is lost when the file is long and the pipe's reader stops.
            foreach (var (line, row) in RowFile.Read(path))
            {
                var finding = await CheckAsync(validator, subject, row, parsed.GetValue(field)!, path, line, ct);
                counts[finding.Outcome] = counts.GetValueOrDefault(finding.Outcome) + 1;
                Output.JsonLine(new Line(
                    JsonFields.Text(row, "id") ?? line.ToString(CultureInfo.InvariantCulture), Wire.Name(finding.Outcome), finding.Score,
                    finding.Reason,
                    FoundSpanView.Of(finding.Spans)));
            }
            if (!parsed.GetValue(json) && !Console.IsErrorRedirected)
                await Console.Error.WriteLineAsync(string.Join(", ", counts.Select(count => $"{count.Value:N0} {Wire.Name(count.Key)}")));
            return ExitCodes.Ok;
        });
        return command;
    }

    static IValidator Make(ValidatorRegistry registry, string name, MetricSubject subject, string[] settings, string criterion)
    {
        try
        {
            var kind = registry.Get(name);
            return kind.Create(
                new ValidatorContext(name, criterion, subject), JsonSerializer.SerializeToElement(Parse(kind, settings)));
        }
        catch (ValidatorSettingsException e)
        {
            throw new UsageException(e.Message);
        }
    }

    static JsonObject Parse(IValidatorKind kind, string[] settings)
    {
        var json = new JsonObject();
        foreach (var setting in settings)
        {
            var at = setting.IndexOf('=', StringComparison.Ordinal);
            if (at <= 0)
                throw new UsageException($"--set `{setting}` has no value: write key=value.");
            json[setting[..at]] = Value(kind.Settings.FirstOrDefault(each => each.Name == setting[..at]), setting[(at + 1)..]);
        }
        return json;
    }

    /// <summary>A value as its setting wants it: text stays text, numbers, flags and lists are read as such.</summary>
    static JsonNode? Value(SettingDescription? setting, string value)
    {
        var type = setting?.Type ?? "text";
        if (type.Contains("list", StringComparison.OrdinalIgnoreCase))
            return value.StartsWith('[') ? Json(value) : new JsonArray([.. value.Split(',').Select(item => (JsonNode?)item.Trim())]);
        if (type.Contains("object", StringComparison.OrdinalIgnoreCase) || type.Contains("schema", StringComparison.OrdinalIgnoreCase))
            return Json(value.StartsWith('@') ? File.ReadAllText(value[1..]) : value);
        if (type.Contains("true or false", StringComparison.OrdinalIgnoreCase) && bool.TryParse(value, out var flag))
            return flag;
        if ((type.Contains("integer", StringComparison.OrdinalIgnoreCase) || type.Contains("number", StringComparison.OrdinalIgnoreCase))
            && double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out var number))
            return number == Math.Floor(number)
                && Math.Abs(number) < long.MaxValue ? JsonValue.Create((long)number) : JsonValue.Create(number);
        return value;
    }

    static JsonNode? Json(string value)
    {
        try
        {
            return JsonNode.Parse(value);
        }
        catch (JsonException e)
        {
            throw new UsageException($"`{value}` is no JSON: {e.Message}");
        }
    }

    static async Task<Finding> CheckAsync(
        IValidator validator, MetricSubject subject, JsonElement row, string field, string path, int line, CancellationToken ct)
    {
        var isInput = subject == MetricSubject.Input;
        if (!row.TryGetProperty(field, out _))
            RowFile.Required(row, field, path, line);
        var text = JsonFields.Text(row, field);
        var span = new NewSpan
        {
            Key = new SpanKey("file", line.ToString(CultureInfo.InvariantCulture)), Node = JsonFields.Text(row, "node") ?? "file",
            Kind = Wire.Parse<NodeKind>(JsonFields.Text(row, "kind")) ?? NodeKind.Other,
            Input = isInput ? text : JsonFields.Text(row, "input"),
            Output = isInput ? JsonFields.Text(row, "output") : text,
            StartedAt = TimeProvider.System.GetUtcNow(), Model = JsonFields.Text(row, "model"), Session = JsonFields.Text(row, "session"),
            EndUser = JsonFields.Text(row, "end_user"), Attributes = row.GetRawText(),
        };
        try
        {
            return await validator.CheckAsync(new Examinee(text, new Span(default, default, span, span.StartedAt), span.Input), ct);
        }
        catch (Exception e) when (!ct.IsCancellationRequested)
        {
            return Finding.Error(ModelFault.From(e, ct: ct).Reason);
        }
    }
}
