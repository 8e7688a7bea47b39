namespace Flywheel.Engine.Models.Http;

/// <summary>The HTTP clients that models are reached through.</summary>
internal static class ModelHttp
{
    /// <summary>Follows no redirect (a key must not travel to another host) and reads no reply without end.</summary>
    /// <remarks>Has no timeout of its own: the SDK on top sets one.</remarks>
    public static HttpClient Client() => new(Bounded()) { Timeout = Timeout.InfiniteTimeSpan };

    /// <summary>The same, and an error status throws <see cref="ModelHttpException"/>.</summary>
    public static HttpClient ThrowingClient() => new(new ErrorStatuses(Bounded())) { Timeout = Timeout.InfiniteTimeSpan };

    private static BoundedReplies Bounded() => new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        ConnectTimeout = TimeSpan.FromSeconds(10),
        PooledConnectionLifetime = TimeSpan.FromMinutes(5),
    });
}
