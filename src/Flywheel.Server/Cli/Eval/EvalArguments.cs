using System.CommandLine;
using System.Globalization;
using Flywheel.Core.Metrics;
using Flywheel.Core.Traces;
using Flywheel.Engine.Evaluation;
using Flywheel.Server.Files;

namespace Flywheel.Server.Cli.Eval;

/// <summary>The options of <c>flywheel eval</c>, and what they say.</summary>
sealed class EvalArguments
{
    readonly Option<string?> _data = new("--data")
    {
        Description = "Rows: JSONL, CSV or Parquet file",
    };

    readonly Option<string?> _dataset = new("--dataset")
    {
        Description = "Data set of the project, NAME or NAME@VERSION, in place of --data",
    };

    readonly Option<string?> _split = new("--split")
    {
        Description = "Only items of this split",
    };

    readonly Option<string?> _model = new("--model")
    {
        Description = "Configured chat model, or PROVIDER/MODEL, that makes the outputs",
    };

    readonly Option<string?> _prompt = new("--prompt")
    {
        Description = "Prompt of the registry for the outputs: NAME, NAME@NUMBER or NAME@LABEL",
    };

    readonly Option<string?> _promptFile = new("--prompt-file")
    {
        Description = "Prompt from a file: text, or JSON with messages",
    };

    readonly Option<string?> _demonstrations = new("--demonstrations")
    {
        Description = "Node whose approved demonstrations are added to the prompt",
    };

    readonly Option<int?> _k = new("--k")
    {
        Description = "Number of demonstrations per row (default: the policy of the node)",
    };

    readonly Option<double?> _maxUsd = new("--max-usd")
    {
        Description = "Maximum cost of the run, US dollars; a higher limit continues the run (default: no limit)",
    };

    readonly Option<string?> _name = new("--name")
    {
        Description = "Name of the run",
    };

    readonly Option<string?> _metrics = new("--metrics")
    {
        Description = "JSON file with metrics as POST /api/v1/metrics takes them; name of a pack (its code metrics that need no "
            + "settings); or names of metrics of the project, comma-separated, or `all`",
    };

    readonly Option<string[]> _minimum = new("--fail-under")
    {
        Description = "NAME=SHARE: exit code 100 if the pass rate of the metric is lower; also accuracy=… and macro_f1=…. Can be repeated",
    };

    readonly Option<long?> _maxErrors = new("--max-errors")
    {
        Description = "Exit code 100 if more outcomes are `error` (default: no limit)",
    };

    readonly Option<string> _id = new("--id-field")
    {
        Description = "Field with the id of the row", DefaultValueFactory = _ => "id",
    };

    readonly Option<string> _input = new("--input-field")
    {
        Description = "Field with the input", DefaultValueFactory = _ => "input",
    };

    readonly Option<string?> _output = new("--output-field")
    {
        Description = "Field with the output (default: output, else text)",
    };

    readonly Option<string?> _expected = new("--expected-field")
    {
        Description = "Field with the correct class; adds accuracy, precision, recall, F1 and the confusion matrix",
    };

    readonly Option<string> _nodeField = new("--node-field")
    {
        Description = "Field with the node", DefaultValueFactory = _ => "node",
    };

    readonly Option<string> _kindField = new("--kind-field")
    {
        Description = "Field with the kind of the node", DefaultValueFactory = _ => "kind",
    };

    readonly Option<string?> _attributes = new("--attributes-field")
    {
        Description = "Field with the attributes of the span (default: the whole row)",
    };

    readonly Option<string?> _node = new("--node")
    {
        Description = "Node of rows that have none (default: all metrics apply)",
    };

    readonly Option<string?> _kind = new("--kind")
    {
        Description = "Kind of rows that have none: " + Wire.Choices<NodeKind>(),
    };

    readonly Option<bool> _fresh = new("--fresh")
    {
        Description = "Start a new run; otherwise an interrupted run continues",
    };

    readonly Option<int?> _concurrency = new("--concurrency")
    {
        Description = "Number of rows checked at the same time, 1 to 256 (default: number of processors; 8 if a metric calls a model)",
    };

    readonly Option<int> _worst = new("--worst")
    {
        Description = "Number of worst rows to print", DefaultValueFactory = _ => 10,
    };

    readonly Option<string?> _junit = new("--junit")
    {
        Description = "JUnit file to write",
    };

    readonly Option<string?> _lines = new("--out")
    {
        Description = "File with one JSON line per row and metric",
    };

    public ProjectOptions Common { get; } = new();

    public void AddTo(Command command)
    {
        foreach (var option in new Option[]
        {
            _data, _dataset, _split, _metrics, _model, _prompt, _promptFile, _demonstrations, _k, _maxUsd, _name, _minimum, _maxErrors, _id,
            _input,
            _output, _expected, _nodeField, _kindField, _attributes, _node, _kind, _fresh, _concurrency, _worst, _junit, _lines, Common.Db,
            Common.Project, Common.Json,
        })
            command.Add(option);
    }

    /// <summary>Refuses options that contradict each other.</summary>
    public void Check(ParseResult parsed)
    {
        if (parsed.GetValue(_concurrency) is < 1 or > 256)
            throw new UsageException("--concurrency must be from 1 to 256.");
        if (parsed.GetValue(_data) is null == parsed.GetValue(_dataset) is null)
            throw new UsageException("Give either --data FILE or --dataset NAME. `flywheel eval --help` lists the rest.");
        if (parsed.GetValue(_metrics) is null)
            throw new UsageException("--metrics is missing: name a JSON file of metrics, a pack, or metrics of a project.");
        if (parsed.GetValue(_split) is not null && parsed.GetValue(_dataset) is null)
            throw new UsageException("--split is for --dataset.");
        if (parsed.GetValue(_k) is not null && parsed.GetValue(_demonstrations) is null)
            throw new UsageException("--k is for --demonstrations.");
        if (parsed.GetValue(_maxUsd) is { } limit && !(double.IsFinite(limit) && limit > 0))
            throw new UsageException("--max-usd must be more than 0.");
        if (parsed.GetValue(_prompt) is not null && parsed.GetValue(_promptFile) is not null)
            throw new UsageException("Give either --prompt or --prompt-file.");
    }

    public EvalFields Fields(ParseResult parsed) => new(
        parsed.GetValue(_id)!, parsed.GetValue(_input)!, parsed.GetValue(_output), parsed.GetValue(_expected), parsed.GetValue(_nodeField)!,
        parsed.GetValue(_kindField)!, parsed.GetValue(_attributes), parsed.GetValue(_node),
        Wire.Choice<NodeKind>("kind", parsed.GetValue(_kind)));

    public async Task<AnswerRequest> AnswersAsync(ParseResult parsed, CancellationToken ct) => new(
        parsed.GetValue(_model), parsed.GetValue(_prompt),
        parsed.GetValue(_promptFile) is { } file ? await PromptFile.ReadAsync(file, ct) : null,
        parsed.GetValue(_demonstrations), parsed.GetValue(_k));

    public EvalPlan Plan(ParseResult parsed, EvalRows rows, IReadOnlyList<EvalMetric> metrics, AnswerMaker? answers) =>
        new(rows, metrics, answers, parsed.GetValue(_split), parsed.GetValue(_name))
        {
            Afresh = parsed.GetValue(_fresh), MaxUsd = parsed.GetValue(_maxUsd), Concurrency = parsed.GetValue(_concurrency),
            Thresholds = [.. (parsed.GetValue(_minimum) ?? []).Select(Threshold)],
        };

    public string? Data(ParseResult parsed) => parsed.GetValue(_data);
    public string? Dataset(ParseResult parsed) => parsed.GetValue(_dataset);
    public string? Split(ParseResult parsed) => parsed.GetValue(_split);
    public string Metrics(ParseResult parsed) => parsed.GetValue(_metrics)!;
    public long? MaxErrors(ParseResult parsed) => parsed.GetValue(_maxErrors);
    public int Worst(ParseResult parsed) => parsed.GetValue(_worst);
    public string? JUnit(ParseResult parsed) => parsed.GetValue(_junit);
    public string? Lines(ParseResult parsed) => parsed.GetValue(_lines);

    /// <summary>True if the command reads something of the project, which must then exist.</summary>
    public bool NeedsProject(ParseResult parsed) =>
        parsed.GetValue(_dataset) is not null || parsed.GetValue(_prompt) is not null || parsed.GetValue(_demonstrations) is not null;

    static EvalThreshold Threshold(string given)
    {
        var at = given.LastIndexOf('=');
        return at > 0 && double.TryParse(given.AsSpan(at + 1), NumberStyles.Float, CultureInfo.InvariantCulture, out var share)
            && share is >= 0 and <= 1
            ? new(given[..at], share)
            : throw new UsageException($"--fail-under `{given}`: write NAME=SHARE with a share from 0 to 1, such as answer.short=0.95.");
    }
}
