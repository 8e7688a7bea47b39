using System.Text.Json;
using System.Text.Json.Serialization;
using Flywheel.Core;
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

    /// <summary>The whole body as a parsed document, over memory that both share; the caller disposes it.</summary>
    public static async Task<ParsedBody> DocumentAsync(HttpRequest request, CancellationToken ct)
    {
        var bytes = await RentedBody.ReadAsync(request, ct);
        try
        {
            return new ParsedBody(bytes, JsonDocument.Parse(bytes.Memory, Strict));
        }
        catch (Exception e)
        {
            bytes.Dispose();
            if (e is JsonException or InvalidOperationException)
                throw Malformed(e);
            throw;
        }
    }

    public static async Task<T> ReadAsync<T>(HttpRequest request, CancellationToken ct)
    {
        using var bytes = await RentedBody.ReadAsync(request, ct);
        try
        {
            var value = JsonSerializer.Deserialize<T>(bytes.Memory.Span, Options)
                ?? throw new RequestException(RequestErrorKind.Invalid, "malformed_json", "The body is `null`: send a JSON object.");
            CheckTexts(value);
            return value;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw Malformed(e);
        }
    }

    static RequestException Malformed(Exception e)
    {
        var path = (e as JsonException)?.Path?.TrimStart('$').TrimStart('.');
        var why = e is JsonException ? e.Message.Split(" Path:")[0] : "A text holds half of a surrogate pair, which is no valid Unicode.";
        return new RequestException(
            RequestErrorKind.Invalid, "malformed_json",
            $"The body cannot be read{(string.IsNullOrEmpty(path) ? "" : $" at `{path}`")}: {why}",
            string.IsNullOrEmpty(path) ? null : path);
    }

    /// <summary>Every text of a small body obeys the same rules as a span's.</summary>
    static void CheckTexts<T>(T value)
    {
        foreach (var property in typeof(T).GetProperties())
            if (property.PropertyType == typeof(string) && property.GetValue(value) is string text && SpanRules.Text(text) is { } why)
            {
                var field = JsonNamingPolicy.SnakeCaseLower.ConvertName(property.Name);
                throw RequestException.BadField(field, $"`{field}` {why}");
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
