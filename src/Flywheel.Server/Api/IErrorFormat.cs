namespace Flywheel.Server.Api;

/// <summary>Errors of routes whose clients do not read RFC 9457 problems.</summary>
interface IErrorFormat
{
    bool IsFor(HttpRequest request);

    /// <returns>JSON in UTF-8.</returns>
    byte[] Write(int status, string code, string message, string? field);
}
