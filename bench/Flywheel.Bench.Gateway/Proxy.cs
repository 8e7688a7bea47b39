using Yarp.ReverseProxy.Configuration;

namespace Flywheel.Bench.Gateway;

/// <summary>The limit for a gateway in .NET: a plain YARP proxy that looks at nothing and records nothing.</summary>
static class Proxy
{
    public static Task RunAsync(string[] args, string upstream) => WebRole.RunAsync(
        args,
        builder => builder.Services.AddReverseProxy().LoadFromMemory(
            [new RouteConfig { RouteId = "all", ClusterId = "upstream", Match = new RouteMatch { Path = "{**rest}" } }],
            [new ClusterConfig { ClusterId = "upstream",
                Destinations = new Dictionary<string, DestinationConfig> { ["only"] = new() { Address = upstream } } }]),
        app => app.MapReverseProxy());
}
