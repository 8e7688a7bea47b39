using Flywheel.Server.Api;

namespace Flywheel.Server.Gateway;

/// <inheritdoc cref="GatewayError"/>
sealed class OpenAIErrorFormat : IErrorFormat
{
    public bool IsFor(HttpRequest request) => GatewayError.IsFor(request);

    public byte[] Write(int status, string code, string message, string? field) => GatewayError.Write(status, code, message, field);
}
