// The gateway beside a bare YARP proxy and, when given, Portkey: one upstream, one load, interleaved.
//   dotnet run -c Release --project bench/Flywheel.Bench.Gateway -- [--rounds 3] [--seconds 3] [--clients 16] [--rate 200]
//   [--demonstrations 100000]
//       [--check]: every way once, briefly, to see that the benchmark works
//       [--portkey FOLDER]: a folder with @portkey-ai/gateway 1.15.2; its package.json needs "overrides": {"@hono/node-server": "1.13.8",
//       "hono": "4.9.7"},
//       or its streams fail
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Flywheel.Bench.Gateway;

string Setting(string name, string otherwise) => Array.IndexOf(args, "--" + name) is var at and >= 0 ? args[at + 1] : otherwise;
int Number(string name, int otherwise) =>
    int.Parse(Setting(name, otherwise.ToString(CultureInfo.InvariantCulture)), CultureInfo.InvariantCulture);

switch (args.FirstOrDefault())
{
    case "upstream":
        await Upstream.RunAsync(args);
        return;
    case "yarp":
        await Proxy.RunAsync(args, args[1]);
        return;
    case "load":
        // One way alone, to look into its process: load URL [--seconds 10] [--clients 16] [--streamed true]
        var alone = new Target("alone", new Uri(args[1]), null);
        Console.WriteLine(await new Load(alone, Setting("streamed", "false") == "true", Number("clients", 16), null)
            .RunAsync(TimeSpan.FromSeconds(Number("seconds", 10))));
        return;
}

const string Chat = "/v1/chat/completions", OwnChat = "/openai/v1/chat/completions";
var check = args.Contains("--check");
var (rounds, clients, rate, demonstrations) = (
    check ? 1 : Number("rounds", 3), Number("clients", 16), Number("rate", 200), Number("demonstrations", 0));
var length = check ? TimeSpan.FromSeconds(0.2) : TimeSpan.FromSeconds(Number("seconds", 3));
var self = Path.Combine(AppContext.BaseDirectory, "Flywheel.Bench.Gateway.dll");
var program = Path.GetFullPath(
    Setting("server", Path.Combine(AppContext.BaseDirectory, "../../../../../src/Flywheel.Server/bin/Release/net10.0/flywheel.dll")));
var folder = Directory.CreateTempSubdirectory("flywheel-gateway-");
var targets = new List<Target>();
try
{
    var upstream = await Target.StartAsync("direct", Chat, null, self, "upstream");
    targets.Add(upstream);
    var origin = upstream.Chat.GetLeftPart(UriPartial.Authority);
    targets.Add(await Target.StartAsync("yarp", Chat, null, self, "yarp", origin));
    if (Setting("portkey", "") is { Length: > 0 } portkey)
        targets.Add(await Portkey.StartAsync(portkey, origin));
    targets.Add(await OwnAsync("flywheel", origin));
    targets.Add(await OwnAsync("flywheel, record_seconds 0", origin, more: ("FLYWHEEL__GATEWAY__RECORDSECONDS", "0")));
    if (demonstrations > 0)
    {
        var full = await OwnAsync("flywheel, 7 guards, k=8", origin, await DemonstrationsAsync(demonstrations));
        targets.Add(full);
        await GuardAsync(full);
        await RetrieveAsync(full, demonstrations);
    }

    var results = new Dictionary<(string Target, string Case), List<(LoadResult Load, double CpuUs)>>();
    (string Name, bool Stream, double? Rate)[] cases =
    [
        ($"plain, {clients} clients", false, null), ($"streamed, {clients} clients", true, null),
        ($"plain, {rate}/s", false, rate), ($"streamed, {rate}/s", true, rate),
    ];
    // Until the compilers of all of them are done: a server that runs for days is meant.
    foreach (var target in targets)
        foreach (var stream in new[] { false, true })
            await new Load(target, stream, clients, null).RunAsync(check ? length : TimeSpan.FromSeconds(5));
    for (var round = 1; round <= rounds; round++)
        foreach (var (name, stream, perSecond) in cases)
            foreach (var target in targets)
            {
                var cpu = target.CpuSeconds();
                var load = await new Load(target, stream, perSecond is null ? clients : 64, perSecond).RunAsync(length);
                if (load.Failures > 0)
                    Console.Error.WriteLine($"{target.Name}, {name}: {load.Failures} calls failed");
                if (!results.TryGetValue((target.Name, name), out var list))
                    results[(target.Name, name)] = list = [];
                list.Add((load, (target.CpuSeconds() - cpu) * 1e6 / Math.Max(1, load.Answers)));
            }

    Console.WriteLine($"{"",-46} {"req/s (min median max)",26} {"CPU us",8} {"p50 ms",8} {"first ms",8} {"p99 ms",8}");
    foreach (var (_, name) in results.Keys.Where(key => key.Target == "direct"))
        foreach (var target in targets)
        {
            var list = results[(target.Name, name)];
            var rates = list.Select(each => each.Load.Rps).Order().ToArray();
            Console.WriteLine($"{target.Name + ": " + name,-46} {rates[0],8:N0} {rates[rounds / 2],8:N0} {rates[^1],8:N0}  "
                + $"{Median(list, each => each.CpuUs),8:0} {Median(list, each => each.Load.P50Ms),8:0.00} "
                + $"{Median(list, each => each.Load.FirstByteMs),8:0.00} {Median(list, each => each.Load.P99Ms),8:0.00}");
        }
    Console.WriteLine();
    foreach (var own in targets.Where(target => target.Name.StartsWith("flywheel", StringComparison.Ordinal)))
    {
        foreach (var (name, _, _) in cases)
            Console.WriteLine($"{own.Name}, {name}: CPU / YARP's {Ratio(own, "yarp", name, each => each.CpuUs):0.0} (must 2)");
        Console.WriteLine($"{own.Name}, added p50 / YARP's at {rate}/s: plain "
            + $"{Added(own, cases[2].Name, each => each.Load.P50Ms) / Added(targets[1], cases[2].Name, each => each.Load.P50Ms):0.0} "
            + $"(must 1.5); plain added {Added(own, cases[2].Name, each => each.Load.P50Ms):0.00} ms");
        if (targets.FirstOrDefault(target => target.Name == "portkey") is not { } peer)
            continue;
        Console.WriteLine($"{own.Name}, requests/s / Portkey's: plain {Ratio(own, "portkey", cases[0].Name, each => each.Load.Rps):0.0}, "
            + $"streamed {Ratio(own, "portkey", cases[1].Name, each => each.Load.Rps):0.0} (must 10)");
        Console.WriteLine($"{own.Name}, added time to a stream's first byte / Portkey's: "
            + $"1/{Added(peer, cases[3].Name, each => each.Load.FirstByteMs) / Added(own, cases[3].Name, each => each.Load.FirstByteMs):0} (must 1/20)");
    }

    double Ratio(Target own, string other, string name, Func<(LoadResult Load, double CpuUs), double> of) =>
        Median(results[(own.Name, name)], of) / Median(results[(other, name)], of);

    // What the way costs beyond the provider itself, round by round.
    double Added(Target target, string name, Func<(LoadResult Load, double CpuUs), double> of) =>
        Middle(results[(target.Name, name)].Zip(results[("direct", name)], (own, direct) => of(own) - of(direct)));
}
finally
{
    foreach (var target in targets)
        target.Dispose();
    folder.Delete(recursive: true);
}

static double Middle(IEnumerable<double> values) => values.Order().ToArray() is var sorted ? sorted[sorted.Length / 2] : 0;

static double Median(List<(LoadResult Load, double CpuUs)> list, Func<(LoadResult Load, double CpuUs), double> of) =>
    Middle(list.Select(of));

Task<Target> OwnAsync(string name, string origin, string? db = null, params (string Name, string Value)[] more) => Target.StartAsync(
    name, OwnChat, new[] { ("FLYWHEEL__GATEWAY__PROVIDERS__MOCK__ENDPOINT", origin + "/v1") }.Concat(more)
        .ToDictionary(each => each.Item1, each => each.Item2),
    program, "serve", "--port", "0", "--no-work", "--db", "sqlite:" + (db ?? NewDb()));

string NewDb() => Path.Combine(folder.FullName, Guid.NewGuid().ToString("n") + ".db");

// A database with so many approved demonstrations at the node that the load calls.
async Task<string> DemonstrationsAsync(int count)
{
    var words = "invoice charge refund card account month payment transfer late twice wrong amount bank open close order cancel ship return change".Split(' ');
    var random = new Random(5);
    string Text() => string.Join(' ', Enumerable.Range(0, 12).Select(_ => words[random.Next(words.Length)] + random.Next(40)));
    var (rows, db) = (Path.Combine(folder.FullName, "demonstrations.jsonl"), NewDb());
    await File.WriteAllLinesAsync(rows, Enumerable.Range(0, count).Select(_ => JsonSerializer.Serialize(new
    {
        type = "demonstration", id = Guid.NewGuid(), purpose = "task", target = "chat", input = Text(), output = Text(), state = "approved",
        author = "bench", created_at = DateTimeOffset.UtcNow, approved_at = DateTimeOffset.UtcNow, approved_by = "bench",
    })));
    using var import = Process.Start("dotnet", [program, "import", rows, "--db", "sqlite:" + db])!;
    await import.WaitForExitAsync();
    return import.ExitCode == 0 ? db : throw new InvalidOperationException("The demonstrations could not be imported.");
}

static async Task GuardAsync(Target target)
{
    using var http = new HttpClient { BaseAddress = new Uri(target.Chat, "/"), Timeout = TimeSpan.FromMinutes(10) };
    foreach (var validator in new object[]
             {
                 new { kind = "input.sensitive" }, new { kind = "input.language", languages = new[] { "en", "de" } },
                 new { kind = "input.complexity", max_tokens = 4000 },
                 new { kind = "input.adversarial" }, new { kind = "input.anomaly" },
                 new { kind = "input.owner", patterns = new { order = "ORD-[0-9]{4,}" }, attribute = "orders" },
                 new { kind = "input.topic",
                     topics = new[] { Row("why was my invoice charged twice", "invoices"), Row("when do I get my money back", "invoices"),
                         Row("my card is lost", "cards"), Row("block my card now", "cards") } },
             })
        await CheckAsync(await http.PostAsJsonAsync("api/v1/metrics", new
        {
            name = "bench." + validator.GetType().GetProperty("kind")!.GetValue(validator), criterion = "Is it fine?", subject = "input",
            role = "guard", on_fail = "flag", validator,
        }));
}

// Every demonstration must be found, and a call must carry eight of them, or the figures are of something else.
static async Task RetrieveAsync(Target target, int count)
{
    using var http = new HttpClient { BaseAddress = new Uri(target.Chat, "/"), Timeout = TimeSpan.FromMinutes(10) };
    await CheckAsync(await http.PutAsJsonAsync("api/v1/nodes/chat/policy", new { retrieval = new { strategy = "similar", k = 8 } }));
    // An approval embeds whatever has no vector yet; the server under test does no work of its own.
    await CheckAsync(await http.PostAsJsonAsync("api/v1/demonstrations/approve", new { ids = new[] { Guid.NewGuid() } }));
    var found = await AskAsync(
        await http.PostAsJsonAsync("api/v1/demonstrations/search", new { node = "chat", input = "refund of an invoice" }));
    using var call = await http.PostAsJsonAsync(
        target.Chat, new { model = "mock-1",
            messages = new[] { new { role = "user", content = "When does the refund of my invoice come?" } } });
    await CheckAsync(call);
    var trace = await AskAsync(await http.GetAsync("api/v1/traces/" + call.Headers.GetValues("x-flywheel-trace").Single()));
    var carried = trace.GetProperty("spans")[0].GetProperty("demonstrations").GetArrayLength();
    // Those that are no answer to this question at all are not eligible.
    if (found.GetProperty("eligible").GetInt32() < count * 0.9 || carried != 8)
        throw new InvalidOperationException(
            $"{found.GetProperty("eligible")} of {count} demonstrations are in the index, and a call carried {carried} instead of 8.");
}

static async Task<JsonElement> AskAsync(HttpResponseMessage response)
{
    await CheckAsync(response);
    return await response.Content.ReadFromJsonAsync<JsonElement>();
}

static object Row(string text, string topic) => new { text, topic };

static async Task CheckAsync(HttpResponseMessage response)
{
    if (!response.IsSuccessStatusCode)
        throw new InvalidOperationException(await response.Content.ReadAsStringAsync());
}
