using System.Buffers;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Unicode;
using Flywheel.Core.Traces;

namespace Flywheel.Server.Api;

/// <summary>Reads JSON request bodies strictly: what cannot be right is refused with the field's name.</summary>
static class Body
{
    public const int MaxBytes = 32 * 1024 * 1024;
    const int MaxDepth = 64;

    public static JsonSerializerOptions Options { get; } = Configure(new JsonSerializerOptions(JsonSerializerDefaults.Web));

    static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = MaxDepth };

    public static JsonSerializerOptions Configure(JsonSerializerOptions options)
    {
        options.PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower;
        options.DictionaryKeyPolicy = null;
        options.PropertyNameCaseInsensitive = false;
        options.AllowDuplicateProperties = false;
        options.UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow;
        options.RespectNullableAnnotations = true;
        options.RespectRequiredConstructorParameters = true;
        options.NumberHandling = JsonNumberHandling.Strict;
        options.MaxDepth = MaxDepth;
        options.DefaultIgnoreCondition = JsonIgnoreCondition.Never;
        options.Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping;
        return options;
    }

    /// <summary>The whole body as a parsed document; the caller disposes it.</summary>
    public static async Task<JsonDocument> DocumentAsync(HttpRequest request, CancellationToken ct)
    {
        var bytes = await BytesAsync(request, ct);
        try
        {
            return JsonDocument.Parse(bytes, Strict);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw Malformed(e);
        }
    }

    public static async Task<T> ReadAsync<T>(HttpRequest request, CancellationToken ct)
    {
        var bytes = await BytesAsync(request, ct);
        try
        {
            var value = JsonSerializer.Deserialize<T>(bytes.Span, Options)
                ?? throw new ApiException(400, "malformed_json", "The body is `null`: send a JSON object.");
            CheckTexts(value);
            return value;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw Malformed(e);
        }
    }

    static async Task<ReadOnlyMemory<byte>> BytesAsync(HttpRequest request, CancellationToken ct)
    {
        if (request.ContentType is { Length: > 0 } type && !type.Contains("json", StringComparison.OrdinalIgnoreCase))
            throw new ApiException(415, "unsupported_media_type", $"The content type is `{type}`: send `application/json`.");
        while (true)
        {
            var read = await request.BodyReader.ReadAsync(ct);
            if (read.Buffer.Length > MaxBytes)
                throw new BadHttpRequestException("Request body too large.", 413);
            if (read.IsCompleted)
            {
                var bytes = read.Buffer.ToArray();
                request.BodyReader.AdvanceTo(read.Buffer.End);
                if (bytes.Length == 0)
                    throw new ApiException(400, "malformed_json", "The body is empty: send a JSON object.");
                if (!Utf8.IsValid(bytes))
                    throw new ApiException(400, "malformed_json", "The body is not valid UTF-8: encode it as UTF-8.");
                return bytes;
            }
            request.BodyReader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }

    static ApiException Malformed(Exception e)
    {
        var path = (e as JsonException)?.Path?.TrimStart('$').TrimStart('.');
        var why = e is JsonException ? e.Message.Split(" Path:")[0] : "A text holds half of a surrogate pair, which is no valid Unicode.";
        return new ApiException(400, "malformed_json", $"The body cannot be read{(string.IsNullOrEmpty(path) ? "" : $" at `{path}`")}: {why}",
            string.IsNullOrEmpty(path) ? null : path);
    }

    /// <summary>Every text of a small body obeys the same rules as a span's.</summary>
    static void CheckTexts<T>(T value)
    {
        foreach (var property in typeof(T).GetProperties())
            if (property.PropertyType == typeof(string) && property.GetValue(value) is string text && SpanRules.Text(text) is { } why)
            {
                var field = JsonNamingPolicy.SnakeCaseLower.ConvertName(property.Name);
                throw ApiException.BadField(field, $"`{field}` {why}");
            }
    }
}

/// <summary>A bound JSON body: <c>Body&lt;NewLabel&gt; body</c> as a handler's parameter.</summary>
sealed record Body<T>(T Value) : Microsoft.AspNetCore.Http.Metadata.IEndpointParameterMetadataProvider
{
    public static async ValueTask<Body<T>> BindAsync(HttpContext http, System.Reflection.ParameterInfo _) =>
        new(await Body.ReadAsync<T>(http.Request, http.RequestAborted));

    public static void PopulateMetadata(System.Reflection.ParameterInfo parameter, EndpointBuilder builder) =>
        builder.Metadata.Add(new Microsoft.AspNetCore.Http.Metadata.AcceptsMetadata(["application/json"], typeof(T)));
}
