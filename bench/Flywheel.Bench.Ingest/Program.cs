// Durable ingest through HTTP, triggers on, beside bare inserts of the same rows, interleaved in one run.
//   dotnet run -c Release --project bench/Flywheel.Bench.Ingest -- [--rounds 3] [--seconds 3] [--postgres postgres://...] [--on sqlite,postgres] [--json]
//   ... -- --otlp shared/data/otlp [--rounds 3] [--seconds 3] [--postgres ...]: OTLP with the bytes of real exporters
//   ... -- --otlp shared/data/otlp --soak 300: memory under full load
using System.Text.Json;
using Flywheel.Bench.Ingest;
using Npgsql;

string Setting(string name, string otherwise) => Array.IndexOf(args, "--" + name) is var at and >= 0 ? args[at + 1] : otherwise;
var rounds = int.Parse(Setting("rounds", "3"));
var duration = TimeSpan.FromSeconds(double.Parse(Setting("seconds", "3")));
var program = Path.GetFullPath(Setting("server", "src/Flywheel.Server/bin/Release/net10.0/flywheel.dll"));
var postgres = Setting("postgres", "");
var wants = Setting("on", postgres.Length > 0 ? "sqlite,postgres" : "sqlite").Split(',');
var json = args.Contains("--json");
if (Setting("otlp", "") is { Length: > 0 } recorded)
{
    var otlp = new OtlpBench(program, postgres, rounds, duration, new OtlpSource(recorded));
    await (Setting("soak", "") is { Length: > 0 } seconds ? otlp.SoakAsync(TimeSpan.FromSeconds(double.Parse(seconds))) : otlp.RunAsync());
    return;
}
var source = new SpanSource();
var results = new SortedDictionary<string, List<(double Rate, double CpuUs, double P50, double P99)>>(StringComparer.Ordinal);

void Put(string name, double rate, double cpu = 0, double p50 = 0, double p99 = 0)
{
    if (!results.TryGetValue(name, out var list))
        results[name] = list = [];
    list.Add((rate, cpu, p50, p99));
    Console.Error.WriteLine($"{name}: {rate:N0} spans/s, {cpu:0.0} us CPU a span, p50 {p50:0.00} ms, p99 {p99:0.00} ms");
}

async Task ProductAsync(string name, string db, int clients, int spans, int metrics, bool works)
{
    using var server = await ServerProcess.StartAsync(program, db, works);
    await server.AddMetricsAsync(metrics);
    await HttpLoad.RunAsync(server.Address, source, clients, spans, TimeSpan.FromSeconds(1.5));
    var (cpu, database) = (server.CpuSeconds(), PostgresCpuSeconds());
    var load = await HttpLoad.RunAsync(server.Address, source, clients, spans, duration);
    if (load.Failures > 0)
        Console.Error.WriteLine($"{name}: {load.Failures} requests failed");
    var stored = load.Requests * spans;
    if (name.StartsWith("postgres", StringComparison.Ordinal))
        Console.Error.WriteLine($"{name}: {(PostgresCpuSeconds() - database) * 1e6 / stored:0.0} us of PostgreSQL's CPU a span");
    Put(name, stored / load.Seconds, (server.CpuSeconds() - cpu) * 1e6 / stored, load.P50Ms, load.P99Ms);
}

// All of the machine's PostgreSQL processes; what ended ones used stands with their parent.
static double PostgresCpuSeconds() => Directory.EnumerateDirectories("/proc")
    .Where(folder => int.TryParse(Path.GetFileName(folder), out _))
    .Select(folder =>
    {
        try
        {
            return File.ReadAllText(Path.Combine(folder, "stat"));
        }
        catch (IOException)
        {
            return "";
        }
    })
    .Where(stat => stat.Contains("(postgres) "))
    .Sum(stat => stat.Split(") ")[1].Split(' ')[11..15].Sum(double.Parse) / 100);

async Task OnSqliteAsync(string name, int clients, int spans, int metrics, bool works)
{
    var folder = Directory.CreateTempSubdirectory("flywheel-bench-");
    try
    {
        await ProductAsync(name, "sqlite:" + Path.Combine(folder.FullName, "product.db"), clients, spans, metrics, works);
    }
    finally
    {
        folder.Delete(recursive: true);
    }
}

async Task OnPostgresAsync(string name, int clients, int spans, int metrics)
{
    var data = new Uri(postgres);
    var (user, password) = (data.UserInfo.Split(':')[0], data.UserInfo.Split(':').ElementAtOrDefault(1));
    var admin = new NpgsqlConnectionStringBuilder { Host = data.Host, Port = data.Port, Username = user, Password = password, Database = "postgres" }.ToString();
    await using var connection = new NpgsqlConnection(admin);
    await connection.OpenAsync();
    foreach (var sql in new[] { "drop database if exists flywheel_bench with (force)", "create database flywheel_bench", "checkpoint" })
        await new NpgsqlCommand(sql, connection).ExecuteNonQueryAsync();
    await ProductAsync(name, new UriBuilder(data) { Path = "/flywheel_bench" }.Uri.ToString(), clients, spans, metrics, works: false);
}

for (var round = 1; round <= rounds; round++)
{
    if (wants.Contains("sqlite"))
    {
        Put("sqlite bare, 1 a commit", BareStores.Sqlite(source, 1, duration));
        await OnSqliteAsync("sqlite product, 64 clients, 1 a request", 64, 1, 1, works: false);
        Put("sqlite bare, 500 a commit", BareStores.Sqlite(source, 500, duration));
        await OnSqliteAsync("sqlite product, 4 clients, 500 a request, 1 metric", 4, 500, 1, works: false);
        await OnSqliteAsync("sqlite product, 4 clients, 500 a request, 50 metrics", 4, 500, 50, works: false);
        await OnSqliteAsync("sqlite product, 4 clients, 500 a request, 1 metric, workers on", 4, 500, 1, works: true);
    }
    if (!wants.Contains("postgres"))
        continue;
    var parts = new Uri(postgres);
    var bare = new NpgsqlConnectionStringBuilder { Host = parts.Host, Port = parts.Port, Username = parts.UserInfo.Split(':')[0], Password = parts.UserInfo.Split(':').ElementAtOrDefault(1), Database = parts.AbsolutePath.Trim('/') }.ToString();
    Put("postgres bare, 1 client, 1 a commit", await BareStores.PostgresSingleAsync(bare, source, 1, duration));
    Put("postgres bare, 8 clients, 1 a commit", await BareStores.PostgresSingleAsync(bare, source, 8, duration));
    await OnPostgresAsync("postgres product, 64 clients, 1 a request", 64, 1, 1);
    Put("postgres bare COPY, 1 client, 500 a commit", await BareStores.PostgresCopyAsync(bare, source, 500, 1, duration));
    Put("postgres bare COPY, 2 clients, 500 a commit", await BareStores.PostgresCopyAsync(bare, source, 500, 2, duration));
    await OnPostgresAsync("postgres product, 4 clients, 500 a request, 1 metric", 4, 500, 1);
    await OnPostgresAsync("postgres product, 4 clients, 500 a request, 50 metrics", 4, 500, 50);
}

double Median(string name) => results[name].Select(each => each.Rate).Order().ElementAt(results[name].Count / 2);
double Cpu(string name) => results[name].Select(each => each.CpuUs).Order().ElementAt(results[name].Count / 2);
var ratios = new Dictionary<string, double>();
if (wants.Contains("sqlite"))
{
    ratios["sqlite single: product / bare (must 1.5, goal 4)"] = Median("sqlite product, 64 clients, 1 a request") / Median("sqlite bare, 1 a commit");
    ratios["sqlite batches: product / bare (must 0.6, goal 0.9)"] = Median("sqlite product, 4 clients, 500 a request, 1 metric") / Median("sqlite bare, 500 a commit");
    ratios["sqlite CPU a span: 50 metrics / 1 metric (1.0)"] = Cpu("sqlite product, 4 clients, 500 a request, 50 metrics") / Cpu("sqlite product, 4 clients, 500 a request, 1 metric");
}
if (wants.Contains("postgres"))
{
    ratios["postgres single: product / bare, 1 client (must 1.5)"] = Median("postgres product, 64 clients, 1 a request") / Median("postgres bare, 1 client, 1 a commit");
    ratios["postgres single: product / bare, 8 clients"] = Median("postgres product, 64 clients, 1 a request") / Median("postgres bare, 8 clients, 1 a commit");
    ratios["postgres batches: product / COPY, 1 client (must 0.6)"] = Median("postgres product, 4 clients, 500 a request, 1 metric") / Median("postgres bare COPY, 1 client, 500 a commit");
    ratios["postgres batches: product / COPY, 2 clients"] = Median("postgres product, 4 clients, 500 a request, 1 metric") / Median("postgres bare COPY, 2 clients, 500 a commit");
}
if (json)
{
    Console.WriteLine(JsonSerializer.Serialize(new
    {
        rounds, seconds = duration.TotalSeconds,
        cases = results.ToDictionary(each => each.Key, each => new
        {
            spans_per_s = each.Value.Select(value => Math.Round(value.Rate)).Order(), cpu_us_per_span = each.Value.Select(value => Math.Round(value.CpuUs, 1)).Order(),
            p50_ms = each.Value.Select(value => Math.Round(value.P50, 2)).Order(), p99_ms = each.Value.Select(value => Math.Round(value.P99, 2)).Order(),
        }),
        ratios,
    }));
    return;
}
Console.WriteLine($"{"",-64} {"spans/s (min median max)",30} {"CPU us",8} {"p50 ms",8} {"p99 ms",8}");
foreach (var (name, values) in results)
{
    var rates = values.Select(value => value.Rate).Order().ToArray();
    var middle = values.OrderBy(value => value.Rate).ElementAt(values.Count / 2);
    Console.WriteLine($"{name,-64} {rates[0],9:N0} {rates[rates.Length / 2],9:N0} {rates[^1],9:N0}  {middle.CpuUs,8:0.0} {middle.P50,8:0.00} {middle.P99,8:0.00}");
}
Console.WriteLine();
foreach (var (name, ratio) in ratios)
    Console.WriteLine($"{name,-56} {ratio:0.00}");
