namespace Flywheel.Bench.Ingest;

/// <summary>OTLP/HTTP with real exporters' bytes, durable before the answer, beside bare inserts of the rows that it makes.</summary>
sealed class OtlpBench(string program, string postgres, OtlpSource source)
{
    static readonly int[] Batches = [100, 512];

    public async Task RunAsync(int rounds, Measure measure, Results results)
    {
        var sample = await SampleAsync();
        Console.Error.WriteLine(
            $"rows of {sample.Average(row => row.Sum(value => value is string text ? text.Length : 8)):0} characters, "
                + $"{source.Body(100, out _).Length / 100} bytes a span on the wire");
        var rows = BareRows.Of(sample, source);
        for (var round = 0; round < rounds; round++)
            foreach (var batch in Batches)
            {
                var bare = $"sqlite bare, {batch} a commit";
                var product = $"sqlite otlp, 4 clients, {batch} a request";
                results.Put(bare, BareStores.Sqlite(measure, rows, batch));
                results.Put(product, await Place.OnSqliteAsync(db => ProductAsync(measure, product, db, batch)));
                results.Compare(product, bare, "(must 0.6, goal 0.9)");
                if (postgres.Length == 0)
                    continue;
                product = $"postgres otlp, 4 clients, {batch} a request";
                foreach (var clients in new[] { 1, 2 })
                {
                    bare = $"postgres bare COPY, {clients} client{(clients > 1 ? "s" : "")}, {batch} a commit";
                    results.Put(bare, await BareStores.PostgresCopyAsync(measure, Place.Connection(postgres), rows, batch, clients));
                    results.Compare(product, bare, clients == 1 ? "(must 0.8)" : "");
                }
                results.Put(product, await Place.OnPostgresAsync(postgres, db => ProductAsync(measure, product, db, batch)));
            }
    }

    /// <summary>Full load for a while; the server's memory at the end of each tenth.</summary>
    public Task SoakAsync(TimeSpan whole) => Place.OnSqliteAsync(async db =>
    {
        using var server = await ServerProcess.StartAsync(program, db, works: false);
        for (var tenth = 1; tenth <= 10; tenth++)
        {
            var load = await HttpLoad.OtlpAsync(server.Address, source, 4, 100, whole / 10);
            Console.WriteLine($"{tenth * whole.TotalSeconds / 10,5:0} s  {load.Requests * 100 / load.Seconds,8:N0} spans/s  "
                + $"{server.ResidentMegabytes(),6:0} MB  {load.Failures} failures");
        }
        return true;
    });

    Task<List<object[]>> SampleAsync() => Place.OnSqliteAsync(async db =>
    {
        using var server = await ServerProcess.StartAsync(program, db, works: false);
        var body = source.Body(512, out var positions);
        source.Patch(body, positions);
        using var http = new HttpClient();
        var content = new ByteArrayContent(body);
        content.Headers.ContentType = new("application/x-protobuf");
        (await http.PostAsync(new Uri(server.Address, "/v1/traces"), content)).EnsureSuccessStatusCode();
        return OtlpSource.Rows(db["sqlite:".Length..]);
    });

    async Task<Sample> ProductAsync(Measure measure, string name, string db, int batch)
    {
        using var server = await ServerProcess.StartAsync(program, db, works: false);
        return await measure.ProductAsync(
            name, server, batch, time =>
                HttpLoad.OtlpAsync(server.Address, source, 4, batch, time),
                usesPostgres: db.StartsWith("postgres", StringComparison.Ordinal));
    }
}
