using System.Net;
using System.Net.Http.Json;
using System.Text.Json;

namespace Flywheel.Crash.Tests;

/// <summary>Applications and people at work on one life of the server; all leave when it dies.</summary>
sealed class Load(Uri server, Ledger ledger)
{
    const int Singles = 6, Batches = 2, People = 2;

    public async Task RunAsync(CancellationToken stop)
    {
        using var http = new HttpClient { BaseAddress = server, Timeout = TimeSpan.FromSeconds(30) };
        using var leave = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var crowd = Enumerable.Range(0, Singles).Select(_ => SendAsync(http, () => ledger.NewSpans(1), leave.Token))
            .Concat(Enumerable.Range(0, Batches).Select(i => SendAsync(http, () => ledger.NewSpans(5 + 7 * i), leave.Token)))
            .Concat(Enumerable.Range(0, People).Select(_ => SendAsync(http, ledger.NewOpinion, leave.Token)))
            .Append(WatchAsync(http, leave.Token));
        await Task.WhenAll(crowd.Select(LeaveTogetherAsync));

        // One without work would never notice that the server is gone.
        async Task LeaveTogetherAsync(Task client)
        {
            try
            {
                await client;
            }
            finally
            {
                await leave.CancelAsync();
            }
        }
    }

    /// <summary>Repeats what earlier lives left open, until none is left.</summary>
    public async Task RepeatAsync(CancellationToken ct)
    {
        using var http = new HttpClient { BaseAddress = server };
        while (ledger.Repeat() is { } item)
            Assert.True(await TrySendAsync(http, item, ct), "The server died while nobody harmed it.");
    }

    async Task SendAsync(HttpClient http, Func<Item?> next, CancellationToken leave)
    {
        while (!leave.IsCancellationRequested)
            if ((ledger.Repeat() ?? next()) is not { } item)
                await Task.Delay(2, CancellationToken.None);
            else if (!await TrySendAsync(http, item, CancellationToken.None))
                return;
    }

    /// <returns>False when the server is gone.</returns>
    async Task<bool> TrySendAsync(HttpClient http, Item item, CancellationToken ct)
    {
        HttpStatusCode status;
        string answer;
        try
        {
            using var response = await http.PostAsJsonAsync(item.Path, item.Body, ct);
            (status, answer) = (response.StatusCode, await response.Content.ReadAsStringAsync(ct));
        }
        catch (HttpRequestException)
        {
            ledger.Unknown(item);
            return false;
        }
        if (status == HttpStatusCode.OK && (item.Expected is null || answer.Contains(item.Expected, StringComparison.Ordinal)))
            ledger.Acknowledge(item);
        else if (status == HttpStatusCode.ServiceUnavailable)
        {
            ledger.Unknown(item);
            await Task.Delay(50, ct);
        }
        else
            throw new InvalidOperationException($"{item} was answered with {status}: {answer}");
        return true;
    }

    /// <summary>Notes the verdicts that the server shows while the others write.</summary>
    async Task WatchAsync(HttpClient http, CancellationToken leave)
    {
        while (!leave.IsCancellationRequested)
        {
            if (ledger.NewToWatch() is not { } number)
            {
                await Task.Delay(2, CancellationToken.None);
                continue;
            }
            try
            {
                using var trace = JsonDocument.Parse(
                    await http.GetStringAsync("/api/v1/traces/" + SpanItem.Trace(number), CancellationToken.None));
                foreach (var verdict in trace.RootElement.GetProperty("spans")[0].GetProperty("verdicts").EnumerateArray())
                    ledger.Verdicts.Enqueue(new(
                        number, verdict.GetProperty("metric").GetString()!, verdict.GetProperty("outcome").GetString()!,
                        verdict.GetProperty("at").GetDateTimeOffset()));
            }
            catch (HttpRequestException gone) when (gone.StatusCode is null)
            {
                return;
            }
        }
    }
}
