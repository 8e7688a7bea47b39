using System.Globalization;
using Flywheel.Core;
using Flywheel.Core.Projects;
using Flywheel.Core.Traces;
using Flywheel.Engine.Telemetry;
using Flywheel.Engine.Telemetry.Otlp;
using Flywheel.Server.Api;
using Flywheel.Server.Hosting;

namespace Flywheel.Server.Features.Telemetry;

/// <summary>OpenTelemetry's doors: OTLP over HTTP in protobuf and JSON, and over gRPC.</summary>
static class OtlpEndpoints
{
    const string Protobuf = "application/x-protobuf", JsonType = "application/json", Grpc = "application/grpc";

    /// <summary>Marks the routes that OpenTelemetry's own ports serve.</summary>
    sealed record OtlpRoute;

    public static void MapOtlp(this IEndpointRouteBuilder app)
    {
        app.MapPost("/v1/traces", (HttpContext http) => HttpAsync(http, spans: true)).AsOtlpRoute("Take spans in OTLP");
        app.MapPost("/v1/logs", (HttpContext http) => HttpAsync(http, spans: false))
            .AsOtlpRoute("Take log records in OTLP: texts of spans");
        app.MapPost("/opentelemetry.proto.collector.trace.v1.TraceService/Export", (HttpContext http) => GrpcAsync(http, spans: true))
            .AsOtlpRoute("Spans over gRPC").ExcludeFromDescription();
        app.MapPost("/opentelemetry.proto.collector.logs.v1.LogsService/Export", (HttpContext http) => GrpcAsync(http, spans: false))
            .AsOtlpRoute("Log records over gRPC").ExcludeFromDescription();
    }

    static IEndpointConventionBuilder AsOtlpRoute(this IEndpointConventionBuilder route, string summary) =>
        route.Needs(KeyScope.Ingest).WithTags("Telemetry").WithSummary(summary).WithMetadata(new OtlpRoute());

    /// <summary>Answers faults as the protocol says, and keeps OpenTelemetry's ports to OpenTelemetry.</summary>
    public static void UseOtlpRoutes(this IApplicationBuilder app, ServerOptions options) => app.Use(next => http =>
    {
        if (http.GetEndpoint()?.Metadata.GetMetadata<OtlpRoute>() is not null)
            return AnswerFaultsAsync(http, next);
        var port = http.Connection.LocalPort;
        if (port == 0 || (port != options.OtlpHttpPort && port != options.OtlpGrpcPort))
            return next(http);
        if (IsGrpc(http.Request))
            return GrpcFaultAsync(http, OtlpReply.Unimplemented, "This server takes traces and logs only.", null);
        http.Response.StatusCode = 404;
        return Task.CompletedTask;
    });

    /// <summary>What goes wrong behind a door is told in the words of its protocol.</summary>
    static async Task AnswerFaultsAsync(HttpContext http, RequestDelegate next)
    {
        try
        {
            await next(http);
        }
        catch (Exception e) when (
            !http.Response.HasStarted && !(e is OperationCanceledException && http.RequestAborted.IsCancellationRequested))
        {
            var fault = Describe(e);
            if (fault.Status == 500)
                http.RequestServices.GetRequiredService<ILoggerFactory>().CreateLogger("Flywheel.Telemetry")
                    .LogError(e, "{Path} failed", http.Request.Path);
            if (IsGrpc(http.Request))
                await GrpcFaultAsync(http, fault.Code, fault.Message, fault.RetryAfter);
            else
                await HttpFaultAsync(http, fault);
        }
    }

    static async Task HttpAsync(HttpContext http, bool spans)
    {
        var type = (http.Request.ContentType ?? "").Split(';')[0].Trim();
        var json = type.Equals(JsonType, StringComparison.OrdinalIgnoreCase);
        if (!json && !type.Equals(Protobuf, StringComparison.OrdinalIgnoreCase))
            throw new RequestException(
                RequestErrorKind.UnsupportedFormat, "unsupported_media_type",
                $"The content type is `{type}`: send `{Protobuf}` or `{JsonType}`.");
        using var body = await OtlpBody.OfHttpAsync(http.Request, Load(http), http.RequestAborted);
        var taken = await TakeAsync(http, body, json, spans);
        http.Response.ContentType = json ? JsonType : Protobuf;
        var reply = OtlpReply.Success(json, spans, taken.Rejected, taken.Message);
        http.Response.ContentLength = reply.Length;
        await http.Response.Body.WriteAsync(reply, http.RequestAborted);
    }

    static async Task GrpcAsync(HttpContext http, bool spans)
    {
        if (!HttpProtocol.IsHttp2(http.Request.Protocol) || !IsGrpc(http.Request))
            throw new RequestException(
                RequestErrorKind.UnsupportedFormat, "unsupported_media_type",
                $"This route speaks gRPC over HTTP/2 (`{Grpc}`); over HTTP/1.1 use /v1/traces and /v1/logs.");
        using var body = await OtlpBody.OfGrpcAsync(http.Request, Load(http), http.RequestAborted);
        var taken = await TakeAsync(http, body, json: false, spans);
        var reply = OtlpReply.Success(json: false, spans, taken.Rejected, taken.Message);
        http.Response.ContentType = Grpc;
        var frame = new byte[5 + reply.Length];
        System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(1), reply.Length);
        reply.CopyTo(frame, 5);
        await http.Response.Body.WriteAsync(frame, http.RequestAborted);
        http.Response.AppendTrailer("grpc-status", "0");
    }

    static Task<TakenIn> TakeAsync(HttpContext http, OtlpBody body, bool json, bool spans)
    {
        var caller = http.Features.Get<HttpCaller>()!;
        var intake = http.RequestServices.GetRequiredService<TelemetryIntake>();
        var mayLabel = caller.Scope == KeyScope.Admin;
        return spans
            ? intake.TracesAsync(
                caller.Project, json ? OtlpJson.Traces(body.Memory) : OtlpProtobuf.Traces(body.Memory.Span), http.RequestAborted, mayLabel)
            : intake.LogsAsync(caller.Project, json ? OtlpJson.Logs(body.Memory) : OtlpProtobuf.Logs(body.Memory.Span), http.RequestAborted,
                mayLabel);
    }

    static OtlpLoad Load(HttpContext http) => http.RequestServices.GetRequiredService<OtlpLoad>();

    static bool IsGrpc(HttpRequest request) => request.ContentType?.StartsWith(Grpc, StringComparison.OrdinalIgnoreCase) == true;

    sealed record Fault(int Status, int Code, string Message, TimeSpan? RetryAfter = null);

    static Fault Describe(Exception exception) => exception switch
    {
        OverloadedException busy => new(503, OtlpReply.Unavailable, busy.Message, busy.RetryAfter),
        OtlpFormatException broken => new(400, OtlpReply.InvalidArgument, broken.Message),
        RequestException { Kind: RequestErrorKind.Unauthenticated } key => new(401, OtlpReply.Unauthenticated, key.Message),
        RequestException { Kind: RequestErrorKind.Forbidden } key => new(403, OtlpReply.PermissionDenied, key.Message),
        // Without RetryInfo this code tells an exporter not to send the same again.
        RequestException { Kind: RequestErrorKind.TooLarge } large => new(413, OtlpReply.ResourceExhausted, large.Message),
        RequestException { Kind: RequestErrorKind.RateLimited } limited =>
            new(429, OtlpReply.Unavailable, limited.Message, limited.RetryAfter ?? TimeSpan.FromSeconds(1)),
        RequestException known => new(HttpStatus.Of(known.Kind), OtlpReply.InvalidArgument, known.Message),
        BadHttpRequestException { StatusCode: 413 } =>
            new(413, OtlpReply.ResourceExhausted, "The request body is too large: send fewer spans a request."),
        BadHttpRequestException bad => new(bad.StatusCode, OtlpReply.InvalidArgument, bad.Message),
        _ => new(500, OtlpReply.Internal, "The server failed; its log says how."),
    };

    static async Task HttpFaultAsync(HttpContext http, Fault fault)
    {
        var json = http.Request.ContentType?.StartsWith(JsonType, StringComparison.OrdinalIgnoreCase) == true;
        http.Response.StatusCode = fault.Status;
        if (fault.RetryAfter is { } wait)
            http.Response.Headers.RetryAfter = Math.Max(1, (int)Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
        http.Response.ContentType = json ? JsonType : Protobuf;
        await http.Response.Body.WriteAsync(OtlpReply.Fault(json, fault.Code, fault.Message, fault.RetryAfter), http.RequestAborted);
    }

    static async Task GrpcFaultAsync(HttpContext http, int code, string message, TimeSpan? retryAfter)
    {
        // All in the head: a gRPC answer without a message has no other place for it.
        http.Response.StatusCode = 200;
        http.Response.ContentType = Grpc;
        http.Response.Headers["grpc-status"] = code.ToString(CultureInfo.InvariantCulture);
        http.Response.Headers["grpc-message"] = Uri.EscapeDataString(message);
        if (retryAfter is not null)
            http.Response.Headers["grpc-status-details-bin"] = Convert.ToBase64String(
                OtlpReply.Fault(json: false, code, message, retryAfter)).TrimEnd('=');
        await http.Response.CompleteAsync();
    }
}
