using System.Net;
using System.Net.Sockets;

namespace Flywheel.Validators.Webhooks;

/// <summary>Where webhooks may go and how they sign: the operator's settings, never the API's.</summary>
/// <remarks>
/// An address is checked when a metric is saved, and again for every connection: the name is resolved, all of its addresses are checked,
/// and
/// the connection goes to a checked one, so that a name which changes its mind in between reaches nothing. No redirects, no proxy, no
/// cookies.
/// </remarks>
public sealed class WebhookServices : IDisposable
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    readonly HashSet<string> _allowed;
    readonly IReadOnlyDictionary<string, string> _keys;
    readonly Func<string, CancellationToken, Task<IPAddress[]>> _resolve;

    /// <param name="allowed"><c>host:port</c> that may be private and need no TLS.</param>
    /// <param name="keys">Signing keys by name.</param>
    /// <param name="resolve">Null for DNS.</param>
    /// <param name="clock">For the time that is signed.</param>
    public WebhookServices(
        IEnumerable<string>? allowed = null, IReadOnlyDictionary<string, string>? keys = null, TimeProvider? clock = null,
        Func<string, CancellationToken, Task<IPAddress[]>>? resolve = null)
    {
        _allowed = new(allowed ?? [], StringComparer.OrdinalIgnoreCase);
        _keys = keys ?? new Dictionary<string, string>();
        _resolve = resolve ?? Dns.GetHostAddressesAsync;
        Clock = clock ?? TimeProvider.System;
        Http = new HttpClient(new SocketsHttpHandler
        {
            AllowAutoRedirect = false, UseProxy = false, UseCookies = false, ConnectCallback = ConnectAsync,
            PooledConnectionLifetime = TimeSpan.FromMinutes(2),
            ConnectTimeout = TimeSpan.FromSeconds(10), MaxResponseHeadersLength = 16,
        });
    }

    internal HttpClient Http { get; }

    internal TimeProvider Clock { get; }

    internal string? Key(string name) => _keys.GetValueOrDefault(name);

    internal IEnumerable<string> KeyNames => _keys.Keys.Order(StringComparer.Ordinal);

    /// <summary>Why an address may not be called, as the end of a sentence that begins with its name; null when it may be.</summary>
    internal string? WhyNot(Uri url)
    {
        if (_allowed.Contains($"{url.IdnHost}:{url.Port}"))
            return null;
        if (url.Scheme != Uri.UriSchemeHttps)
            return "must be an https address: what is judged would travel in the open. For a service of your own, add "
                + $"\"{url.IdnHost}:{url.Port}\" to `Webhooks:Allow` in the server's settings.";
        try
        {
            // A name that cannot be resolved now may be later; every connection is checked again.
            var found = IPAddress.TryParse(url.IdnHost.Trim('[', ']'), out var literal) ? [literal] : Resolve(url.IdnHost);
            return found.FirstOrDefault(address => !PublicAddress.Is(address)) is { } hidden ? Hidden(url.IdnHost, url.Port, hidden) : null;
        }
        catch (Exception error) when (error is SocketException or TimeoutException or AggregateException or OperationCanceledException)
        {
            return null;
        }
    }

    public void Dispose() => Http.Dispose();

    IPAddress[] Resolve(string host)
    {
        using var late = new CancellationTokenSource(Patience);
        return Task.Run(() => _resolve(host, late.Token), late.Token).WaitAsync(Patience).GetAwaiter().GetResult();
    }

    async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken ct)
    {
        var (host, port) = (context.DnsEndPoint.Host, context.DnsEndPoint.Port);
        var addresses = IPAddress.TryParse(host.Trim('[', ']'), out var literal) ? [literal] : await _resolve(host, ct);
        if (!_allowed.Contains($"{host}:{port}") && addresses.FirstOrDefault(address => !PublicAddress.Is(address)) is { } hidden)
            throw new WebhookRefusedException("the webhook's address " + Hidden(host, port, hidden));
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(addresses, port, ct);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    static string Hidden(string host, int port, IPAddress address) =>
        $"leads to {address}, which is not on the public internet: for a service of your own, add \"{host}:{port}\" to `Webhooks:Allow` "
            + "in the server's settings.";
}

/// <summary>A connection that must not be made.</summary>
public sealed class WebhookRefusedException(string message) : Exception(message);
