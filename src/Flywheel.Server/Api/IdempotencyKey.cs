using System.Security.Cryptography;
using System.Text;
using Flywheel.Core;

namespace Flywheel.Server.Api;

/// <summary>The <c>Idempotency-Key</c> header: a repeat of a request gets the id that the first one got.</summary>
static class IdempotencyKey
{
    const string Header = "Idempotency-Key";
    const int MaxLength = 255;

    /// <returns>The id that the sender chose, else one derived from the header; null without either.</returns>
    /// <exception cref="RequestException">The header is too long.</exception>
    public static Guid? IdOf(HttpRequest request, HttpCaller caller, Guid? own)
    {
        if (own is not null)
            return own;
        var key = request.Headers[Header].ToString();
        if (key.Length == 0)
            return null;
        if (key.Length > MaxLength)
            throw new RequestException(RequestErrorKind.Invalid, "invalid_idempotency_key", $"`{Header}` is over {MaxLength} characters.",
                Header);
        return new Guid(SHA256.HashData(Encoding.UTF8.GetBytes($"{caller.Project.Value}\n{request.Path}\n{key}")).AsSpan(0, 16));
    }
}
