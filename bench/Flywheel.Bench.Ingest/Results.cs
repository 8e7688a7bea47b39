using System.Text.Json;

namespace Flywheel.Bench.Ingest;

/// <summary>One round of one case. CPU is microseconds a span, of all threads and processes of that part.</summary>
/// <param name="ServerUs">The product's process; null for a bare case.</param>
/// <param name="DatabaseUs">PostgreSQL's processes; null where there are none.</param>
/// <param name="ClientUs">What made the load; in a bare case it is the writer too.</param>
sealed record Sample(double Rate, double? ServerUs, double? DatabaseUs, double ClientUs, double P50Ms = 0, double P99Ms = 0)
{
    /// <summary>What a span cost in all, the making of the load included: bare and product made the same rows.</summary>
    public double AllUs => (ServerUs ?? 0) + (DatabaseUs ?? 0) + ClientUs;
}

/// <summary>Cases with their rounds, and the ratios that are wanted of them.</summary>
sealed class Results(int rounds, TimeSpan duration)
{
    /// <summary>A bare case that spreads more than that says that the machine, not the product, decided.</summary>
    const double MaxSpread = 2;

    readonly Dictionary<string, List<Sample>> _cases = [];
    readonly List<(string Product, string Bare, string Wanted)> _ratios = [];

    public void Put(string name, Sample sample)
    {
        if (!_cases.TryGetValue(name, out var list))
            _cases[name] = list = [];
        list.Add(sample);
        Console.Error.WriteLine(
            $"{name}: {sample.Rate:N0} spans/s, CPU us a span: {sample.ServerUs:0.0} server, {sample.DatabaseUs:0.0} database, "
                + $"{sample.ClientUs:0.0} client (load {Load()})");
    }

    public void Compare(string product, string bare, string wanted)
    {
        if (!_ratios.Contains((product, bare, wanted)))
            _ratios.Add((product, bare, wanted));
    }

    /// <returns>False when a bare case spread too far for any ratio to mean something.</returns>
    public bool Print(bool json)
    {
        var ratios = _ratios.Select(each => new
        {
            each.Product, each.Bare, each.Wanted,
            Throughput = Median(each.Product, sample => sample.Rate) / Median(each.Bare, sample => sample.Rate),
            Cpu = Median(each.Product, sample => sample.AllUs) / Median(each.Bare, sample => sample.AllUs),
            Spread = _cases[each.Bare].Max(sample => sample.Rate) / _cases[each.Bare].Min(sample => sample.Rate),
        }).ToArray();
        if (json)
            Console.WriteLine(JsonSerializer.Serialize(new
            {
                rounds, seconds = duration.TotalSeconds, load = Load(),
                cases = _cases.ToDictionary(each => each.Key, each => each.Value.Select(sample => new
                {
                    spans_per_s = Math.Round(sample.Rate), server_us = sample.ServerUs, database_us = sample.DatabaseUs,
                    client_us = sample.ClientUs,
                    p50_ms = sample.P50Ms, p99_ms = sample.P99Ms,
                })),
                ratios = ratios.Select(each => new
                {
                    product = each.Product, bare = each.Bare, wanted = each.Wanted, throughput = each.Throughput, cpu = each.Cpu,
                    conclusive = each.Spread <= MaxSpread,
                }),
            }));
        else
        {
            Console.WriteLine($"load {Load()}; medians of {rounds} rounds of {duration.TotalSeconds:0} s; CPU us a span");
            Console.WriteLine($"{"",-56} {"spans/s (min median max)",30} {"server",8} {"database",8} {"client",8} {"all",8} {"p50 ms",8} "
                + $"{"p99 ms",8}");
            foreach (var (name, samples) in _cases)
                Console.WriteLine(
                    $"{name,-56} {samples.Min(each => each.Rate),9:N0} {Median(name, each => each.Rate),9:N0} "
                        + $"{samples.Max(each => each.Rate),9:N0}  "
                    + $"{Part(name, each => each.ServerUs),8} {Part(name, each => each.DatabaseUs),8} "
                    + $"{Median(name, each => each.ClientUs),8:0.0} {Median(name, each => each.AllUs),8:0.0} "
                    + $"{Median(name, each => each.P50Ms),8:0.00} {Median(name, each => each.P99Ms),8:0.00}");
            Console.WriteLine();
            Console.WriteLine($"{"",-104} {"spans/s",8} {"CPU",8}");
            foreach (var ratio in ratios)
                Console.WriteLine($"{$"{ratio.Product} / {ratio.Bare}",-104} " + (ratio.Spread > MaxSpread
                    ? $"inconclusive: the bare case spread {ratio.Spread:0.0} x"
                    : $"{ratio.Throughput,8:0.00} {ratio.Cpu,8:0.00}  {ratio.Wanted}"));
        }
        return ratios.All(each => each.Spread <= MaxSpread);
    }

    double Median(string name, Func<Sample, double> value) => _cases[name].Select(value).Order().ElementAt(_cases[name].Count / 2);

    string Part(string name, Func<Sample, double?> value) =>
        _cases[name].Any(each => value(each) is null) ? "" : $"{Median(name, each => value(each)!.Value):0.0}";

    static string Load() => File.Exists("/proc/loadavg") ? File.ReadAllText("/proc/loadavg").Split(' ')[0] : "unknown";
}
