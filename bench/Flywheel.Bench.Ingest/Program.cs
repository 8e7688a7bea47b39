// Durable ingest through HTTP, triggers on, beside bare inserts of the same rows, interleaved in one run. Prints throughput and processor
// time of server, database and client; ends with 3 when a bare case spread more than twofold, for then no ratio means anything.
//   dotnet run -c Release --project bench/Flywheel.Bench.Ingest -- [--rounds 3] [--seconds 3] [--postgres postgres://...] [--on
//   sqlite,postgres] [--json]
//   ... [--check]: every case once, briefly, to see that the benchmark works
//   ... -- --otlp ../shared/data/otlp [--rounds 3] [--seconds 3] [--postgres ...]: OTLP with the bytes of real exporters
//   ... -- --otlp ../shared/data/otlp --soak 300: memory under full load
//   ... -- --at http://127.0.0.1:5151 [--otlp ...] [--clients 4] [--spans 500] [--seconds 3]: load only, for profiling a server that runs
using Flywheel.Bench.Ingest;

string Setting(string name, string otherwise) => Array.IndexOf(args, "--" + name) is var at and >= 0 ? args[at + 1] : otherwise;
var check = args.Contains("--check");
var rounds = check ? 1 : int.Parse(Setting("rounds", "3"));
var duration = check ? TimeSpan.FromSeconds(0.1) : TimeSpan.FromSeconds(double.Parse(Setting("seconds", "3")));
var program = Path.GetFullPath(
    Setting("server", Path.Combine(AppContext.BaseDirectory, "../../../../../src/Flywheel.Server/bin/Release/net10.0/flywheel.dll")));
var postgres = Setting("postgres", "");
var wants = Setting("on", postgres.Length > 0 ? "sqlite,postgres" : "sqlite").Split(',');
var recorded = Setting("otlp", "");
var source = new SpanSource();
if (Setting("at", "") is { Length: > 0 } running)
{
    var (clients, spans) = (int.Parse(Setting("clients", "4")), int.Parse(Setting("spans", "500")));
    var load = recorded.Length > 0
        ? await HttpLoad.OtlpAsync(new Uri(running), new OtlpSource(recorded), clients, spans, duration)
        : await HttpLoad.RunAsync(new Uri(running), source, clients, spans, duration);
    Console.WriteLine($"{load.Requests * spans / load.Seconds:N0} spans/s, {load.Failures} failures, p50 {load.P50Ms:0.00} ms, p99 "
        + $"{load.P99Ms:0.00} ms");
    return 0;
}

var measure = new Measure(duration, postgres.Length > 0 ? await Cpu.PostmasterAsync(Place.Connection(postgres)) : 0, warms: !check);
var results = new Results(rounds, duration);
if (recorded.Length > 0)
{
    var otlp = new OtlpBench(program, wants.Contains("postgres") ? postgres : "", new OtlpSource(recorded));
    if (Setting("soak", "") is { Length: > 0 } seconds)
    {
        await otlp.SoakAsync(TimeSpan.FromSeconds(double.Parse(seconds)));
        return 0;
    }
    await otlp.RunAsync(rounds, measure, results);
    return results.Print(args.Contains("--json")) || check ? 0 : 3;
}

async Task ProductAsync(string name, int clients, int spans, int metrics = 1, bool works = false)
{
    var onPostgres = name.StartsWith("postgres", StringComparison.Ordinal);
    async Task<Sample> RunAsync(string db)
    {
        using var server = await ServerProcess.StartAsync(program, db, works);
        await server.AddMetricsAsync(metrics);
        return await measure.ProductAsync(
            name, server, spans, time => HttpLoad.RunAsync(server.Address, source, clients, spans, time), onPostgres);
    }
    results.Put(name, onPostgres ? await Place.OnPostgresAsync(postgres, RunAsync) : await Place.OnSqliteAsync(RunAsync));
}

var rows = BareRows.Of(source);
for (var round = 1; round <= rounds; round++)
{
    if (wants.Contains("sqlite"))
    {
        const string single = "sqlite, 64 clients, 1 a request", batches = "sqlite, 4 clients, 500 a request",
        many = batches + ", 50 metrics";
        results.Put("sqlite bare, 1 a commit", BareStores.Sqlite(measure, rows, 1));
        await ProductAsync(single, 64, 1);
        results.Put("sqlite bare, 500 a commit", BareStores.Sqlite(measure, rows, 500));
        await ProductAsync(batches, 4, 500);
        await ProductAsync(many, 4, 500, metrics: 50);
        await ProductAsync(batches + ", workers on", 4, 500, works: true);
        results.Compare(single, "sqlite bare, 1 a commit", "(must 1.5, goal 4)");
        results.Compare(batches, "sqlite bare, 500 a commit", "(must 0.6, goal 0.9)");
        results.Compare(many, batches, "(CPU: 1.0)");
    }
    if (wants.Contains("postgres"))
    {
        const string single = "postgres, 64 clients, 1 a request", batches = "postgres, 4 clients, 500 a request",
        many = batches + ", 50 metrics";
        foreach (var clients in new[] { 1, 8 })
        {
            var bare = $"postgres bare, {clients} client{(clients > 1 ? "s" : "")}, 1 a commit";
            results.Put(bare, await BareStores.PostgresSingleAsync(measure, Place.Connection(postgres), rows, clients));
            results.Compare(single, bare, clients == 1 ? "(must 1.5)" : "");
        }
        await ProductAsync(single, 64, 1);
        foreach (var clients in new[] { 1, 2 })
        {
            var bare = $"postgres bare COPY, {clients} client{(clients > 1 ? "s" : "")}, 500 a commit";
            results.Put(bare, await BareStores.PostgresCopyAsync(measure, Place.Connection(postgres), rows, 500, clients));
            results.Compare(batches, bare, clients == 1 ? "(must 0.6, goal 0.8)" : "");
        }
        await ProductAsync(batches, 4, 500);
        await ProductAsync(many, 4, 500, metrics: 50);
        results.Compare(many, batches, "(CPU: 1.0)");
    }
}
return results.Print(args.Contains("--json")) || check ? 0 : 3;
