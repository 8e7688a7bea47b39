using System.ComponentModel.DataAnnotations;
using System.Net;

namespace Flywheel.Server.Hosting;

public enum AuthMode
{
    /// <summary>Keys are needed as soon as the server listens beyond loopback.</summary>
    Auto,

    /// <summary>Keys are always needed.</summary>
    Keys,

    /// <summary>No keys; refused unless the server listens on loopback only.</summary>
    Off,
}

/// <summary>Settings of the server, from <c>flywheel.json</c>, <c>FLYWHEEL__…</c> variables and flags, later ones winning.</summary>
public sealed class ServerOptions
{
    /// <summary><c>sqlite:FILE</c> or <c>postgres://…</c>.</summary>
    [Required]
    public string Db { get; set; } = "sqlite:flywheel.db";

    /// <summary>Address to listen on.</summary>
    [Required]
    public string Host { get; set; } = "127.0.0.1";

    /// <summary>0 takes any free port.</summary>
    [Range(0, 65535)]
    public int Port { get; set; } = 5151;

    /// <summary>A port for OTLP over HTTP beside <see cref="Port"/>, which takes it too; 0 is off. <c>serve</c> sets 4318.</summary>
    [Range(0, 65535)]
    [ConfigurationKeyName("otlp_http_port")]
    public int OtlpHttpPort { get; set; }

    /// <summary>A port for OTLP over gRPC, which without TLS needs one of its own; 0 is off. <c>serve</c> sets 4317.</summary>
    [Range(0, 65535)]
    [ConfigurationKeyName("otlp_grpc_port")]
    public int OtlpGrpcPort { get; set; }

    public AuthMode Auth { get; set; } = AuthMode.Auto;

    /// <summary>Run the workers in this process.</summary>
    public bool Work { get; set; } = true;

    /// <summary>Code jobs running at once.</summary>
    [Range(1, 256)]
    public int CodeConcurrency { get; set; } = Math.Max(1, Environment.ProcessorCount);

    /// <summary>Judge calls running at once.</summary>
    [Range(1, 1024)]
    public int JudgeConcurrency { get; set; } = 8;

    /// <summary>Seconds after which the work of a dead process comes back.</summary>
    [Range(1, 3600)]
    public int LeaseSeconds { get; set; } = 30;

    public bool IsLoopback => Host == "localhost" || (IPAddress.TryParse(Host, out var address) && IPAddress.IsLoopback(address));

    public bool RequiresKeys => Auth == AuthMode.Keys || (Auth == AuthMode.Auto && !IsLoopback);

    /// <summary>Every reason why the server must not start.</summary>
    public IEnumerable<string> Problems()
    {
        var results = new List<ValidationResult>();
        Validator.TryValidateObject(this, new ValidationContext(this), results, validateAllProperties: true);
        foreach (var result in results)
            yield return $"`{string.Join(", ", result.MemberNames)}`: {result.ErrorMessage}";
        foreach (var (name, port, other) in new[] { ("otlp_http_port", OtlpHttpPort, Port), ("otlp_grpc_port", OtlpGrpcPort, Port),
            ("otlp_grpc_port", OtlpGrpcPort, OtlpHttpPort) })
            if (port != 0 && port == other)
                yield return $"`{name}` is {port}, which another door has: give each its own, or 0 to leave it closed.";
        if (Host != "localhost" && !IPAddress.TryParse(Host, out _))
            yield return $"`Host` is `{Host}`: give an IP address, such as 127.0.0.1 or 0.0.0.0.";
        if (Auth == AuthMode.Off && !IsLoopback)
            yield return $"`Auth` is off while `Host` is {Host}: beyond loopback keys are needed. Set `Auth` to auto or keys, or listen "
                + "on 127.0.0.1.";
    }
}
