using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using Flywheel.Core;
using Flywheel.Core.Evaluation;
using Flywheel.Core.Metrics;
using Flywheel.Core.Traces;
using Flywheel.Engine.Models.Http;
using Flywheel.Engine.Telemetry.Otlp;

namespace Flywheel.Engine.Telemetry;

/// <param name="Endpoint">Of an OTLP/HTTP receiver, without <c>/v1/logs</c>.</param>
/// <param name="Headers">Sent along, such as its key.</param>
/// <param name="Projects">Names of the projects whose verdicts are sent.</param>
public sealed record EvaluationExportOptions(Uri Endpoint, IReadOnlyDictionary<string, string> Headers, IReadOnlyList<string> Projects);

/// <summary>Sends our verdicts to another system as <c>gen_ai.evaluation.result</c> log records of the judged spans.</summary>
/// <remarks>
/// At least once: a verdict waits in the database until the receiver has it. What the receiver says cannot be taken is halved until the
/// one that it refuses is alone; that one is dropped and counted. A receiver that refuses everybody (401, 404 …) is asked again, slowly.
/// </remarks>
public sealed class EvaluationExport : IDisposable
{
    const int Batch = 256;
    static readonly TimeSpan Lease = TimeSpan.FromMinutes(2);
    static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);
    static readonly TimeSpan Longest = TimeSpan.FromMinutes(1);

    readonly IFlywheelStore _store;
    readonly EvaluationExportOptions _options;
    readonly TimeProvider _clock;
    readonly Action<string> _warn;
    readonly HttpMessageInvoker _http;
    DateTimeOffset _notBefore = DateTimeOffset.MinValue;
    int _failures;

    public EvaluationExport(IFlywheelStore store, EvaluationExportOptions options, TimeProvider clock, Action<string> warn)
    {
        (_store, _options, _clock, _warn) = (store, options, clock, warn);
        _http = new(new BoundedReplies(new SocketsHttpHandler
        {
            AllowAutoRedirect = false, UseCookies = false, ActivityHeadersPropagator = null, ConnectTimeout = TimeSpan.FromSeconds(10),
            MaxResponseHeadersLength = 64,
        }, 64 * 1024));
    }

    /// <summary>Sent so far by this process.</summary>
    public long Sent { get; private set; }

    /// <summary>Refused by the receiver, or about spans whose ids OTLP cannot carry.</summary>
    public long Dropped { get; private set; }

    /// <summary>Switches the outbox on for the projects of the settings; they are made when they are not there.</summary>
    public async Task StartAsync(CancellationToken ct)
    {
        var projects = new List<Core.Projects.ProjectId>();
        foreach (var name in _options.Projects)
            projects.Add((await _store.Projects.EnsureAsync(name, _clock.GetUtcNow(), ct)).Id);
        await _store.Outbox.EnableAsync(projects, ct);
    }

    /// <returns>Verdicts that the receiver took.</returns>
    public async Task<int> RunOnceAsync(CancellationToken ct)
    {
        var taken = 0;
        while (_clock.GetUtcNow() >= _notBefore)
        {
            var now = _clock.GetUtcNow();
            var batch = await _store.Outbox.TakeAsync(Batch, now, now + Lease, ct);
            if (batch.Count == 0)
                break;
            OutgoingVerdict[] sendable = [.. batch.Where(CanBeSent)];
            if (sendable.Length < batch.Count)
                await DropAsync([.. batch.Except(sendable)], "their spans have ids that OTLP cannot carry, and no response id", ct);
            taken += await SendAsync(sendable, ct);
        }
        return taken;
    }

    async Task<int> SendAsync(OutgoingVerdict[] batch, CancellationToken ct)
    {
        if (batch.Length == 0)
            return 0;
        var (end, wait, why) = await PostAsync(EvaluationRecords.Write(batch), ct);
        switch (end)
        {
            case End.Taken:
                _failures = 0;
                await _store.Outbox.DoneAsync([.. batch.Select(one => one.Id)], ct);
                Sent += batch.Length;
                return batch.Length;
            case End.Refused when batch.Length > 1:
                var half = batch.Length / 2;
                var first = await SendAsync(batch[..half], ct);
                if (_clock.GetUtcNow() < _notBefore)
                {
                    await _store.Outbox.ReleaseAsync([.. batch[half..].Select(one => one.Id)], ct);
                    return first;
                }
                return first + await SendAsync(batch[half..], ct);
            case End.Refused:
                await DropAsync(batch, why, ct);
                return 0;
            default:
                if (_failures++ == 0)
                    _warn($"Verdicts cannot be sent to {_options.Endpoint.GetLeftPart(UriPartial.Path)}: {why}. They wait and are tried "
                        + "again.");
                var pause = wait ?? TimeSpan.FromSeconds(Math.Min(Longest.TotalSeconds, Math.Pow(2, Math.Min(_failures, 10)) / 2));
                _notBefore = _clock.GetUtcNow() + (pause > Longest ? Longest : pause);
                await _store.Outbox.ReleaseAsync([.. batch.Select(one => one.Id)], ct);
                return 0;
        }
    }

    async Task DropAsync(OutgoingVerdict[] batch, string why, CancellationToken ct)
    {
        if (Dropped == 0)
            _warn($"{batch.Length} verdicts were not sent: {why}. Further ones are only counted.");
        Dropped += batch.Length;
        await _store.Outbox.DoneAsync([.. batch.Select(one => one.Id)], ct);
    }

    async Task<(End End, TimeSpan? Wait, string Why)> PostAsync(byte[] body, CancellationToken ct)
    {
        using var late = new CancellationTokenSource(Timeout, _clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, ct);
        using var request = new HttpRequestMessage(
            HttpMethod.Post, new Uri(_options.Endpoint.AbsoluteUri.TrimEnd('/') + "/v1/logs")) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/x-protobuf");
        foreach (var (name, value) in _options.Headers)
            request.Headers.TryAddWithoutValidation(name, value);
        try
        {
            using var response = await _http.SendAsync(request, either.Token);
            var status = (int)response.StatusCode;
            if (status is >= 200 and < 300)
            {
                await response.Content.ReadAsByteArrayAsync(either.Token);
                return (End.Taken, null, "");
            }
            var why = $"it answered {status}";
            if (response.StatusCode is HttpStatusCode.BadRequest or HttpStatusCode.RequestEntityTooLarge
                or HttpStatusCode.UnprocessableEntity)
                return (End.Refused, null, why);
            return (End.Failed, After(response), why);
        }
        catch (Exception e) when (
            e is HttpRequestException or IOException || (e is OperationCanceledException && !ct.IsCancellationRequested))
        {
            return (End.Failed, null, e is OperationCanceledException ? $"no answer within {Timeout.TotalSeconds:0} s" : e.Message);
        }
    }

    TimeSpan? After(HttpResponseMessage response) => response.Headers.RetryAfter is not { } after ? null
        : after.Delta ?? (after.Date is { } date ? date - _clock.GetUtcNow() : null);

    static bool CanBeSent(OutgoingVerdict one) => one.ResponseId is not null || EvaluationRecords.Ids(one.Key) is not null;

    public void Dispose() => _http.Dispose();

    enum End
    {
        Taken,
        Refused,
        Failed,
    }
}

/// <summary>Verdicts as OTLP log records.</summary>
static class EvaluationRecords
{
    public const string Scope = "flywheel";

    public static byte[] Write(IReadOnlyList<OutgoingVerdict> batch)
    {
        var request = new ProtobufWriter();
        request.Message(1, logs =>
        {
            logs.Message(1, resource => resource.Message(1, attribute => Pair(attribute, "service.name", value => value.Text(1, Scope))));
            logs.Message(2, scope =>
            {
                scope.Message(1, library => library.Text(1, Scope));
                foreach (var one in batch)
                    scope.Message(2, record => Record(record, one));
            });
        });
        return request.ToArray();
    }

    /// <summary>Ids as OTLP carries them: 16 and 8 bytes, not all zero; null when the span has others.</summary>
    public static (byte[] Trace, byte[] Span)? Ids(SpanKey key) =>
        Bytes(key.Trace, 16) is { } trace && Bytes(key.Span, 8) is { } span ? (trace, span) : null;

    static void Record(ProtobufWriter record, OutgoingVerdict one)
    {
        var (verdict, finding) = (one.Verdict, one.Verdict.Finding);
        record.Fixed64(1, (ulong)((verdict.At.UtcTicks - DateTimeOffset.UnixEpoch.Ticks) * 100));
        record.Number(2, 9);
        void Text(string key, string? text)
        {
            if (text is not null)
                record.Message(6, attribute => Pair(attribute, key, value => value.Bytes(1, System.Text.Encoding.UTF8.GetBytes(text))));
        }

        void Number(string key, double? number)
        {
            if (number is { } value)
                record.Message(6, attribute => Pair(attribute, key, any => any.Double(4, value)));
        }

        Text("gen_ai.evaluation.name", one.Metric);
        Number("gen_ai.evaluation.score.value", finding.Outcome switch { Outcome.Pass => 1, Outcome.Fail => 0, _ => null });
        Text("gen_ai.evaluation.score.label", finding.Outcome == Outcome.Error ? null : Wire.Name(finding.Outcome));
        Text("gen_ai.evaluation.explanation", finding.Reason);
        Text("error.type", finding.Outcome == Outcome.Error ? "validator_error" : null);
        Text("gen_ai.response.id", one.ResponseId);
        Text("flywheel.evaluation.source", finding.Model is null ? "code" : "model");
        Text("flywheel.validator_version", verdict.ValidatorVersion);
        Text("flywheel.metric_version", one.MetricNumber.ToString(CultureInfo.InvariantCulture));
        Number("flywheel.confidence", finding.Confidence);
        if (Ids(one.Key) is var (trace, span))
        {
            record.Bytes(9, trace);
            record.Bytes(10, span);
        }
        record.Text(12, "gen_ai.evaluation.result");
    }

    static void Pair(ProtobufWriter attribute, string key, Action<ProtobufWriter> value)
    {
        attribute.Text(1, key);
        attribute.Message(2, value);
    }

    static byte[]? Bytes(string hex, int length)
    {
        if (hex.Length != length * 2 || !hex.All(char.IsAsciiHexDigit))
            return null;
        var bytes = Convert.FromHexString(hex);
        return bytes.Any(each => each != 0) ? bytes : null;
    }
}
