using System.Collections.Concurrent;
using System.Net;
using System.Text;
using Flywheel.Core.Observability;
using Flywheel.Server.Features.Observability;
using Flywheel.Server.Hosting;
using Microsoft.Extensions.Configuration;

namespace Flywheel.Server.Tests.Observability;

/// <summary>Our own metrics and activities over the real exporter, to a receiver in this process.</summary>
public sealed class OtlpExportTests : IDisposable
{
    readonly HttpListener _receiver = new();
    readonly ConcurrentDictionary<string, string> _received = new();
    readonly Task _receiving;
    readonly string _address;

    public OtlpExportTests()
    {
        _address = $"http://127.0.0.1:{Telemetry.Otlp.FreePort()}";
        _receiver.Prefixes.Add(_address + "/");
        _receiver.Start();
        _receiving = Task.Run(ReceiveAsync);
    }

    public void Dispose() => _receiver.Close();

    [Fact]
    public void Metrics_and_activities_go_where_the_usual_variables_say()
    {
        using (Start(("OTEL_EXPORTER_OTLP_ENDPOINT", _address), ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
            ("OTEL_SERVICE_NAME", "wheel-7")))
        {
            FlywheelMeter.JudgeCost.Add(0.25);
            FlywheelActivities.Source.StartActivity("flywheel.test")?.Dispose();
        }

        Assert.Contains("flywheel.judge.cost", _received["/v1/metrics"], StringComparison.Ordinal);
        Assert.Contains("wheel-7", _received["/v1/metrics"], StringComparison.Ordinal);
        Assert.Contains("flywheel.test", _received["/v1/traces"], StringComparison.Ordinal);
    }

    [Fact]
    public void One_signal_can_have_an_endpoint_of_its_own_and_the_other_none()
    {
        using (Start(("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", _address + "/here"), ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")))
        {
            FlywheelMeter.JudgeCost.Add(0.25);
            FlywheelActivities.Source.StartActivity("flywheel.test")?.Dispose();
        }

        Assert.Equal(["/here"], _received.Keys);
    }

    [Fact]
    public void Nothing_is_sent_unless_it_is_asked_for()
    {
        Assert.Null(OtlpExport.Start(Variables(), new()));
        Assert.Null(OtlpExport.Start(Variables(("OTEL_SERVICE_NAME", "x")), new()));
        Assert.Null(OtlpExport.Start(Variables(("OTEL_EXPORTER_OTLP_ENDPOINT", _address), ("OTEL_SDK_DISABLED", "true")), new()));
        Assert.Null(OtlpExport.Start(
            Variables(("OTEL_EXPORTER_OTLP_ENDPOINT", _address), ("OTEL_METRICS_EXPORTER", "none"), ("OTEL_TRACES_EXPORTER", "none")),
            new()));
    }

    /// <summary>Applications on the same machine are told to send to Flywheel by the same variables.</summary>
    [Theory]
    [InlineData("http://127.0.0.1:5151")]
    [InlineData("http://localhost:4318")]
    [InlineData("http://[::1]:4317")]
    public void A_server_does_not_send_to_itself(string endpoint)
    {
        var options = new ServerOptions { Port = 5151, OtlpHttpPort = 4318, OtlpGrpcPort = 4317 };

        Assert.Null(OtlpExport.Start(Variables(("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)), options));
    }

    static IConfiguration Variables(params (string Name, string Value)[] variables) => new ConfigurationBuilder()
        .AddInMemoryCollection(variables.Select(each => KeyValuePair.Create(each.Name, (string?)each.Value))).Build();

    static OtlpExport Start(params (string Name, string Value)[] variables) => OtlpExport.Start(Variables(variables), new())!;

    async Task ReceiveAsync()
    {
        while (true)
        {
            HttpListenerContext request;
            try
            {
                request = await _receiver.GetContextAsync();
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
            {
                return;
            }
            using var body = new MemoryStream();
            await request.Request.InputStream.CopyToAsync(body);
            var text = Encoding.Latin1.GetString(body.ToArray());
            _received.AddOrUpdate(request.Request.Url!.AbsolutePath, text, (_, before) => before + text);
            request.Response.Close();
        }
    }
}
