using System.Text.Json;

namespace Flywheel.Engine.Telemetry.Otlp;

/// <summary>Answers of the protocol in the request's encoding.</summary>
public static class OtlpReply
{
    /// <summary>gRPC status codes that we give.</summary>
    public const int Ok = 0, InvalidArgument = 3, PermissionDenied = 7, ResourceExhausted = 8, Unimplemented = 12, Internal = 13,
        Unavailable = 14, Unauthenticated = 16;

    /// <param name="spans">Traces' answer; false: logs'.</param>
    /// <param name="rejected">0 and no message is full success.</param>
    public static byte[] Success(bool json, bool spans, long rejected, string? message)
    {
        if (!json)
        {
            var protobuf = new ProtobufWriter();
            if (rejected > 0 || message is not null)
                protobuf.Message(1, partial =>
                {
                    partial.Number(1, rejected);
                    partial.Text(2, message);
                });
            return protobuf.ToArray();
        }
        return Json(writer =>
        {
            if (rejected == 0 && message is null)
                return;
            writer.WriteStartObject("partialSuccess");
            // 64-bit numbers are strings in OTLP/JSON.
            writer.WriteString(spans ? "rejectedSpans" : "rejectedLogRecords",
                rejected.ToString(System.Globalization.CultureInfo.InvariantCulture));
            writer.WriteString("errorMessage", message ?? "");
            writer.WriteEndObject();
        });
    }

    /// <summary><c>google.rpc.Status</c>; with a wait, its <c>RetryInfo</c>.</summary>
    public static byte[] Fault(bool json, int code, string message, TimeSpan? retryAfter = null)
    {
        if (json)
            return Json(writer =>
            {
                writer.WriteNumber("code", code);
                writer.WriteString("message", message);
            });
        var status = new ProtobufWriter();
        status.Number(1, code);
        status.Text(2, message);
        if (retryAfter is { } wait)
            status.Message(3, any =>
            {
                any.Text(1, "type.googleapis.com/google.rpc.RetryInfo");
                var info = new ProtobufWriter();
                info.Message(1, delay =>
                {
                    delay.Number(1, (long)wait.TotalSeconds);
                    delay.Number(2, wait.Ticks % TimeSpan.TicksPerSecond * 100);
                });
                any.Bytes(2, info.Written);
            });
        return status.ToArray();
    }

    static byte[] Json(Action<Utf8JsonWriter> members)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            members(writer);
            writer.WriteEndObject();
        }
        return buffer.ToArray();
    }
}
