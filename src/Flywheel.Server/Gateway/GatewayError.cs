using System.Text.Json;
using System.Text.Json.Serialization;
using Flywheel.Core;

namespace Flywheel.Server.Gateway;

/// <summary>Errors in the form that OpenAI's clients read: <c>{"error": {message, type, param, code}}</c>.</summary>
static class GatewayError
{
    public const string PathPrefix = "/openai/";

    public static RequestException Invalid(string? field, string message) =>
        new(RequestErrorKind.Invalid, "invalid_request", message, field);

    public static bool IsFor(HttpRequest request) => request.Path.StartsWithSegments("/openai");

    public static byte[] Write(int status, string code, string message, string? param = null) => JsonSerializer.SerializeToUtf8Bytes(
        new ErrorBody(new ErrorDetail(message, TypeOf(status), param, code)), GatewayJson.Default.ErrorBody);

    static string TypeOf(int status) => status switch
    {
        401 => "authentication_error",
        403 => "permission_error",
        404 => "not_found_error",
        429 => "rate_limit_error",
        >= 500 => "server_error",
        _ => "invalid_request_error",
    };
}

sealed record ErrorBody(ErrorDetail Error);

sealed record ErrorDetail(string Message, string Type, string? Param, string Code);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(string))]
[JsonSerializable(typeof(ModelList))]
[JsonSerializable(typeof(ErrorBody))]
[JsonSerializable(typeof(Wire.ResponseFailure))]
sealed partial class GatewayJson : JsonSerializerContext;
