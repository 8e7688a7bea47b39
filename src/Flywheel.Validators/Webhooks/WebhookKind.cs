using System.Buffers;
using System.Globalization;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Flywheel.Core;
using Flywheel.Core.Metrics;

namespace Flywheel.Validators.Webhooks;

/// <summary>A service of the user's decides, in whatever language it is written.</summary>
/// <remarks>
/// POST of JSON, signed: <c>X-Flywheel-Signature: v1=HEX</c> with HMAC-SHA256 of <c>v1:TIMESTAMP:BODY</c> under a key that the operator
/// named, and <c>X-Flywheel-Timestamp</c> in Unix seconds. The reply is <c>{"outcome": "pass|fail|unsure", "score", "reason",
/// "confidence"}</c>;
/// any other reply is an error, never a pass. Status 408, 429 and 5xx are retried as a judge's are.
/// </remarks>
sealed class WebhookKind(WebhookServices? services) : ValidatorKind(
    "webhook", 1, "A web service of yours decides: the text is posted to it, signed.",
    new("url", "text", "Where to post; https, and on the public internet unless the server's settings allow it by name.", null),
    new("key", "text", "Name of the signing key in the server's settings, `Webhooks:Keys:NAME`.", null),
    new("timeout_seconds", "integer", "How long to wait for the reply, 1 to 60.", "10"))
{
    public override bool CallsModel => true;

    protected override IValidator Create(ValidatorContext context, ValidatorSettings read, string version)
    {
        var text = read.RequiredText("url", "give the https address of your service.");
        if (!Uri.TryCreate(text, UriKind.Absolute, out var url) || (url.Scheme != Uri.UriSchemeHttps && url.Scheme != Uri.UriSchemeHttp)
            || url.UserInfo.Length > 0)
            throw read.Wrong("url", "must be a whole https address without a user name, such as https://checks.example.com/polite.");
        if (services is null)
            throw new ValidatorSettingsException("kind", "`webhook` needs the server's settings, and none are at hand here.");
        if (services.WhyNot(url) is { } problem)
            throw read.Wrong("url", problem);
        var name = read.RequiredText("key", "name a signing key of the server's settings.");
        var key = services.Key(name)
            ?? throw read.Wrong("key",
                $"names no signing key of the server: set `Webhooks:Keys:{name}` in its settings.{NearMiss.Hint(name, services.KeyNames)}");
        return new Validator(
            version, context, services, url, Encoding.UTF8.GetBytes(key),
            TimeSpan.FromSeconds(read.Integer("timeout_seconds", 1, 60) ?? 10));
    }

    sealed class Validator(string version, ValidatorContext context, WebhookServices services, Uri url, byte[] key, TimeSpan timeout)
        : IValidator
    {
        const int MaxReply = 64 * 1024;

        public string Version => version;

        public async ValueTask<Finding> CheckAsync(Examinee examinee, CancellationToken ct)
        {
            if (examinee.Text is null)
                return TextValidator.NothingToCheck(context.Subject, examinee);
            using var late = new CancellationTokenSource(timeout, services.Clock);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, ct);
            try
            {
                using var request = Request(examinee);
                using var response = await services.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, either.Token);
                if ((int)response.StatusCode is >= 300 and < 400)
                    return Finding.Error(
                        $"the webhook answered with a redirect ({(int)response.StatusCode}), which is never followed: give its final "
                            + "address");
                if (!response.IsSuccessStatusCode)
                    throw new HttpRequestException($"the webhook answered {(int)response.StatusCode}", null, response.StatusCode);
                return Read(await BodyAsync(response.Content, either.Token));
            }
            catch (HttpRequestException error) when (error.InnerException is WebhookRefusedException refused)
            {
                return Finding.Error(refused.Message);
            }
            catch (WebhookRefusedException refused)
            {
                return Finding.Error(refused.Message);
            }
            catch (OperationCanceledException) when (late.IsCancellationRequested && !ct.IsCancellationRequested)
            {
                throw new TimeoutException($"the webhook did not answer within {timeout.TotalSeconds:0} s");
            }
        }

        HttpRequestMessage Request(Examinee examinee)
        {
            var span = examinee.Span;
            var body = JsonSerializer.SerializeToUtf8Bytes(new
            {
                metric = context.MetricName, criterion = context.Criterion, subject = Wire.Name(context.Subject), text = examinee.Text,
                input = context.Subject == MetricSubject.Output ? span?.Content.Input ?? examinee.Input : null,
                trace_id = span?.Key.Trace, span_id = span?.Key.Span, node = span?.Content.Node,
                kind = span is null ? null : Wire.Name(span.Content.Kind),
                attributes = span?.Content.Attributes is { } attributes
                    && StrictJson.Parse(attributes, out _) is { } json ? json : (JsonElement?)null,
            });
            var timestamp = services.Clock.GetUtcNow().ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
            byte[] signed = [.. Encoding.ASCII.GetBytes($"v1:{timestamp}:"), .. body];
            var request = new HttpRequestMessage(HttpMethod.Post, url) { Content = new ByteArrayContent(body) };
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
            request.Headers.Add("X-Flywheel-Timestamp", timestamp);
            request.Headers.Add("X-Flywheel-Signature", "v1=" + Convert.ToHexStringLower(HMACSHA256.HashData(key, signed)));
            return request;
        }

        static async Task<string?> BodyAsync(HttpContent content, CancellationToken ct)
        {
            await using var stream = await content.ReadAsStreamAsync(ct);
            var rented = ArrayPool<byte>.Shared.Rent(MaxReply + 1);
            try
            {
                var length = await stream.ReadAtLeastAsync(rented.AsMemory(0, MaxReply + 1), MaxReply + 1, throwOnEndOfStream: false, ct);
                return length > MaxReply ? null : Encoding.UTF8.GetString(rented, 0, length);
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(rented);
            }
        }

        static Finding Read(string? body)
        {
            if (body is null)
                return Finding.Error($"the webhook's reply is longer than {MaxReply / 1024} KB");
            if (StrictJson.Parse(body, out var problem) is not { ValueKind: JsonValueKind.Object } reply)
                return Finding.Error($"the webhook's reply is no JSON object{(problem is null ? "" : ": " + problem)}");
            var word = Text(reply, "outcome");
            if (word is not ("pass" or "fail" or "unsure"))
                return Finding.Error(
                    $"the webhook's `outcome` is {(word is null ? "missing" : Quote.Short(word))}: it must be pass, fail or unsure");
            var confidence = Number(reply, "confidence");
            return confidence is < 0 or > 1
                ? Finding.Error("the webhook's `confidence` is outside 0 to 1")
                : new(Wire.Parse<Outcome>(word)!.Value, Number(reply, "score"),
                    Text(reply, "reason") is { Length: > 0 } reason ? reason[..Math.Min(reason.Length, 2_000)] : null, confidence);
        }

        static string? Text(JsonElement reply, string name) =>
            reply.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

        static double? Number(JsonElement reply, string name) =>
            reply.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number)
                && double.IsFinite(number) ? number : null;
    }
}
