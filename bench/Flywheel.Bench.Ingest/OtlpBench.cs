using Npgsql;

namespace Flywheel.Bench.Ingest;

/// <summary>OTLP/HTTP with real exporters' bytes, durable before the answer, beside bare inserts of the rows that it makes.</summary>
sealed class OtlpBench(string program, string postgres, int rounds, TimeSpan duration, OtlpSource source)
{
    static readonly int[] Batches = [100, 512];

    readonly SortedDictionary<string, List<(double Rate, double CpuUs)>> _results = new(StringComparer.Ordinal);

    public async Task RunAsync()
    {
        var rows = await SampleAsync();
        Console.Error.WriteLine($"rows of {rows.Average(row => row.Sum(value => value is string text ? text.Length : 8)):0} characters, {source.Body(100, out _).Length / 100} bytes a span on the wire");
        for (var round = 0; round < rounds; round++)
            foreach (var batch in Batches)
            {
                using var self = System.Diagnostics.Process.GetCurrentProcess();
                var (cpu, clock) = (self.TotalProcessorTime, System.Diagnostics.Stopwatch.GetTimestamp());
                var bare = BareStores.SqliteRows(rows, source, batch, duration);
                self.Refresh();
                // The share of a core that it used, over the rate: warm-up and all.
                var used = (self.TotalProcessorTime - cpu) / System.Diagnostics.Stopwatch.GetElapsedTime(clock);
                Put($"sqlite bare, {batch} a commit", bare, used * 1e6 / bare);
                await OnSqliteAsync($"sqlite otlp, 4 clients, {batch} a request", batch);
                if (postgres.Length == 0)
                    continue;
                Put($"postgres bare COPY, 2 clients, {batch} a commit", await BareStores.PostgresCopyRowsAsync(Connection(postgres, null), rows, source, batch, 2, duration));
                await OnPostgresAsync($"postgres otlp, 4 clients, {batch} a request", batch);
            }
        Console.WriteLine($"{"",-52} {"spans/s (min median max)",30} {"CPU us",8}");
        foreach (var (name, values) in _results)
        {
            var rates = values.Select(value => value.Rate).Order().ToArray();
            Console.WriteLine($"{name,-52} {rates[0],9:N0} {rates[rates.Length / 2],9:N0} {rates[^1],9:N0}  {values.Select(value => value.CpuUs).Order().ElementAt(values.Count / 2),8:0.0}");
        }
        Console.WriteLine();
        foreach (var batch in Batches)
        {
            Console.WriteLine($"sqlite otlp / bare FULL, {batch} (must 0.6, goal 0.9)   {Median($"sqlite otlp, 4 clients, {batch} a request") / Median($"sqlite bare, {batch} a commit"):0.00}");
            if (postgres.Length > 0)
                Console.WriteLine($"postgres otlp / COPY, {batch} (must 0.8)              {Median($"postgres otlp, 4 clients, {batch} a request") / Median($"postgres bare COPY, 2 clients, {batch} a commit"):0.00}");
        }
    }

    /// <summary>Full load for a while; the server's memory at the end of each tenth.</summary>
    public async Task SoakAsync(TimeSpan whole)
    {
        var folder = Directory.CreateTempSubdirectory("flywheel-bench-");
        try
        {
            using var server = await ServerProcess.StartAsync(program, "sqlite:" + Path.Combine(folder.FullName, "product.db"), works: false);
            for (var tenth = 1; tenth <= 10; tenth++)
            {
                var load = await HttpLoad.OtlpAsync(server.Address, source, 4, 100, whole / 10);
                Console.WriteLine($"{tenth * whole.TotalSeconds / 10,5:0} s  {load.Requests * 100 / load.Seconds,8:N0} spans/s  {server.ResidentMegabytes(),6:0} MB  {load.Failures} failures");
            }
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    async Task<List<object[]>> SampleAsync()
    {
        var folder = Directory.CreateTempSubdirectory("flywheel-bench-");
        try
        {
            var file = Path.Combine(folder.FullName, "product.db");
            using var server = await ServerProcess.StartAsync(program, "sqlite:" + file, works: false);
            var body = source.Body(512, out var positions);
            source.Patch(body, positions);
            using var http = new HttpClient();
            var content = new ByteArrayContent(body);
            content.Headers.ContentType = new("application/x-protobuf");
            (await http.PostAsync(new Uri(server.Address, "/v1/traces"), content)).EnsureSuccessStatusCode();
            return OtlpSource.Rows(file);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    async Task OnSqliteAsync(string name, int batch)
    {
        var folder = Directory.CreateTempSubdirectory("flywheel-bench-");
        try
        {
            await ProductAsync(name, "sqlite:" + Path.Combine(folder.FullName, "product.db"), batch);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    async Task OnPostgresAsync(string name, int batch)
    {
        await using var connection = new NpgsqlConnection(Connection(postgres, "postgres"));
        await connection.OpenAsync();
        foreach (var sql in new[] { "drop database if exists flywheel_bench with (force)", "create database flywheel_bench", "checkpoint" })
            await new NpgsqlCommand(sql, connection).ExecuteNonQueryAsync();
        await ProductAsync(name, new UriBuilder(postgres) { Path = "/flywheel_bench" }.Uri.ToString(), batch);
    }

    async Task ProductAsync(string name, string db, int batch)
    {
        using var server = await ServerProcess.StartAsync(program, db, works: false);
        await HttpLoad.OtlpAsync(server.Address, source, 4, batch, TimeSpan.FromSeconds(4));
        var cpu = server.CpuSeconds();
        var load = await HttpLoad.OtlpAsync(server.Address, source, 4, batch, duration);
        if (load.Failures > 0)
            Console.Error.WriteLine($"{name}: {load.Failures} requests failed");
        var stored = load.Requests * batch;
        Put(name, stored / load.Seconds, (server.CpuSeconds() - cpu) * 1e6 / stored);
    }

    static string Connection(string url, string? database)
    {
        var parts = new Uri(url);
        return new NpgsqlConnectionStringBuilder
        {
            Host = parts.Host, Port = parts.Port, Username = parts.UserInfo.Split(':')[0], Password = parts.UserInfo.Split(':').ElementAtOrDefault(1),
            Database = database ?? parts.AbsolutePath.Trim('/'),
        }.ToString();
    }

    void Put(string name, double rate, double cpu = 0)
    {
        if (!_results.TryGetValue(name, out var list))
            _results[name] = list = [];
        list.Add((rate, cpu));
        Console.Error.WriteLine($"{name}: {rate:N0} spans/s, {cpu:0.0} us CPU a span");
    }

    double Median(string name) => _results[name].Select(each => each.Rate).Order().ElementAt(_results[name].Count / 2);
}
