using System.Globalization;
using System.Net.Http.Json;
using Flywheel.Bench.Judging;
using Flywheel.TestServer;
using Microsoft.Data.Sqlite;

// Judges at a provider's limit: CALLS calls of 300 ms each, 200 a second allowed, 5 % refused with 429, the process killed half way.
//   dotnet run -c Release --project bench/Flywheel.Bench.Judging [calls] [limit] [calls the budget allows]
//   ... -- --check: few calls, to see that the benchmark works; the rate is not judged
const string Model = "judge-1";
const double UsdPerCall = (1_000 * 1.0 + 50 * 2.0) / 1e6;
var check = args.Contains("--check");
var numbers = args.Where(word => word != "--check").Select(word => double.Parse(word, CultureInfo.InvariantCulture)).ToArray();
var calls = numbers.Length > 0 ? (int)numbers[0] : check ? 60 : 10_000;
var limit = numbers.Length > 1 ? numbers[1] : 200;
int? allowed = numbers.Length > 2 ? (int)numbers[2] : null;

var program = Path.GetFullPath(
    Path.Combine(AppContext.BaseDirectory, "../../../../../src/Flywheel.Server/bin/Release/net10.0/flywheel.dll"));
if (!File.Exists(program))
{
    Console.Error.WriteLine($"{program} is missing: run ./flywheel --help once, which builds it.");
    return 1;
}
var folder = Directory.CreateTempSubdirectory("flywheel-judging-").FullName;
var db = Path.Combine(folder, "bench.db");
var refusals = new Random(7);
var refusalLock = new Lock();
var billed = 0L;
await using var provider = await ModelTestServer.StartAsync();
provider.Otherwise(_ =>
{
    bool refused;
    lock (refusalLock)
        refused = refusals.NextDouble() < 0.05;
    if (!refused)
        Interlocked.Increment(ref billed);
    return refused
        ? ModelReply.Fails(429)
        : ModelReply.Says("""{"critique":"It answers what was asked.","verdict":"pass","confidence":0.9}""", 1_000, 50)
        .After(TimeSpan.FromMilliseconds(300));
});
var settings = new Dictionary<string, string>
{
    ["DB"] = "sqlite:" + db, ["LEASESECONDS"] = "5", ["MODELS__CHAT__JUDGE__KIND"] = "openai",
    ["MODELS__CHAT__JUDGE__ENDPOINT"] = provider.OpenAI.ToString(), ["MODELS__CHAT__JUDGE__MODEL"] = Model,
    ["MODELS__CHAT__JUDGE__INPUT_USD_PER_MILLION"] = "1", ["MODELS__CHAT__JUDGE__OUTPUT_USD_PER_MILLION"] = "2",
    ["MODELS__CHAT__JUDGE__REQUESTS_PER_SECOND"] = limit.ToString(CultureInfo.InvariantCulture),
};

var capUsd = (allowed ?? 2 * calls) * UsdPerCall;
var server = await ServerProcess.StartAsync(program, settings);
try
{
    using (var http = new HttpClient { BaseAddress = server.Address })
    {
        await PutAsync(http, "/api/v1/project",
            new { judge_calls_per_day = (int?)null, judge_usd_per_day = capUsd, audit_rate = 0.02, canary_rate = 0.0 });
        await PostAsync(http, "/api/v1/metrics",
            new { name = "answers", criterion = "Does it answer what was asked?",
                validator = new { kind = "judge", max_output_tokens = 60 } });
        for (var sent = 0; sent < calls; sent += 500)
            await PostAsync(http, "/api/v1/spans", new
            {
                spans = Enumerable.Range(sent, Math.Min(500, calls - sent)).Select(i => new
                {
                    trace_id = $"t{i}", span_id = "s", node = "answer", kind = "writer", input = $"What is {i} plus one?",
                    output = $"It is {i + 1}.",
                    started_at = DateTimeOffset.UtcNow, duration_ms = 1.0,
                }).ToArray(),
            });
    }

    await UntilAsync(() => Number("SELECT count(*) FROM verdict") >= (allowed ?? calls) / 2);
    server.Kill();
    var killed = DateTimeOffset.UtcNow;
    Console.WriteLine($"killed after {Number("SELECT count(*) FROM verdict")} verdicts and {provider.Requests.Count} calls");
    server.Dispose();
    server = await ServerProcess.StartAsync(program, settings);
    await UntilAsync(() => Number("SELECT count(*) FROM verdict") >= calls && Number("SELECT count(*) FROM job") == 0);

    var times = provider.Requests.Select(request => request.At).Order().ToArray();
    var served = Number("SELECT count(*) FROM verdict WHERE outcome = 'pass'");
    var spent = Real("SELECT sum(usd) FROM budget_use");
    var pairs = Number("SELECT count(*) FROM (SELECT DISTINCT span_id, metric_version_id FROM verdict)");
    var steady = check ? times : [.. times.Where((_, i) => i > limit && i < times.Length - limit)];
    var rate = Arrivals.Rate(steady);
    Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"""
        calls            {times.Length} for {calls} spans, of them 429 {times.Length - Answered()}
        rate             {rate:0.0}/s of {limit}/s allowed = {rate / limit:P1}; start and end of {limit} calls left out
        busiest second   {Arrivals.Busiest(times, out var busiest)} calls, from {(busiest - times[0]).TotalSeconds:0.0} s on; killed at {(killed - times[0]).TotalSeconds:0.0} s of {(times[^1] - times[0]).TotalSeconds:0.0} s
        verdicts         {served} pass, {Number("SELECT count(*) FROM verdict WHERE outcome = 'skipped'")} skipped for the budget, {Number("SELECT count(*) FROM verdict WHERE outcome = 'error'")} errors
        lost             {calls - pairs}; recorded twice {Number("SELECT count(*) FROM verdict") - pairs}
        paid twice       {Answered() - served} (in flight when the process died)
        spend            provider billed {Answered() * UsdPerCall:0.0000} USD, booked {spent:0.0000}, cap {capUsd:0.0000}
        restart          first call {(times.First(time => time > killed) - killed).TotalSeconds:0.00} s after the kill
        """));
    var holds = (check || rate >= 0.95 * limit) && Arrivals.Busiest(times, out _) <= limit && pairs == calls
        && Number("SELECT count(*) FROM verdict") == calls
        && spent <= capUsd + 1e-9 && Answered() * UsdPerCall <= capUsd + 1e-9;
    Console.WriteLine(holds ? "holds" : "DOES NOT HOLD");
    return holds ? 0 : 1;
}
finally
{
    server.Dispose();
    SqliteConnection.ClearAllPools();
    Directory.Delete(folder, recursive: true);
}

// The provider bills what it answers, also to a client that is dead by then.
long Answered() => Interlocked.Read(ref billed);

static async Task PostAsync(HttpClient http, string path, object body) => Check(await http.PostAsJsonAsync(path, body));

static async Task PutAsync(HttpClient http, string path, object body) => Check(await http.PutAsJsonAsync(path, body));

static void Check(HttpResponseMessage response)
{
    if (!response.IsSuccessStatusCode)
        throw new InvalidOperationException($"{response.RequestMessage!.RequestUri} answered {(int)response.StatusCode}.");
}

static async Task UntilAsync(Func<bool> done)
{
    var until = DateTime.UtcNow.AddMinutes(5);
    while (!done())
    {
        if (DateTime.UtcNow > until)
            throw new TimeoutException("It did not get there within five minutes.");
        await Task.Delay(100);
    }
}

long Number(string sql) => (long)Real(sql);

double Real(string sql)
{
    using var connection = new SqliteConnection($"Data Source={db};Mode=ReadOnly");
    connection.Open();
    using var command = connection.CreateCommand();
    command.CommandText = sql;
    return Convert.ToDouble(command.ExecuteScalar() is { } value and not DBNull ? value : 0, CultureInfo.InvariantCulture);
}
