using System.Text.Json;

namespace Flywheel.Bench.Gateway;

/// <summary>A provider that answers at once: some 900 bytes of JSON, or 20 events, each flushed by itself.</summary>
static class Upstream
{
    const int Events = 20;
    static readonly string Text = string.Concat(Enumerable.Repeat("your invoice was credited on the second of the month and ", 11));

    public static async Task RunAsync(string[] args)
    {
        var whole = Json(new { id = "c-1", @object = "chat.completion", created = 1_700_000_000, model = "mock-1",
            choices = new[] { new { index = 0, message = new { role = "assistant", content = Text }, finish_reason = "stop" } },
            usage = new { prompt_tokens = 180, completion_tokens = 140, total_tokens = 320 } });
        var pieces = Enumerable.Range(0, Events)
            .Select(i => Event(Chunk(new { content = Text[(i * Text.Length / Events)..((i + 1) * Text.Length / Events)] }, null)))
            .ToArray();
        byte[] end = [.. Event(Chunk(new { }, "stop")), .. "data: [DONE]\n\n"u8];
        await WebRole.RunAsync(args, _ => { }, app => app.MapPost("/v1/chat/completions", async http =>
        {
            using var request = await JsonDocument.ParseAsync(http.Request.Body);
            if (!request.RootElement.TryGetProperty("stream", out var stream) || stream.ValueKind != JsonValueKind.True)
            {
                http.Response.ContentType = "application/json";
                http.Response.ContentLength = whole.Length;
                await http.Response.BodyWriter.WriteAsync(whole);
                return;
            }
            http.Response.ContentType = "text/event-stream";
            foreach (var piece in pieces)
                await http.Response.BodyWriter.WriteAsync(piece);
            await http.Response.BodyWriter.WriteAsync(end);
        }));
    }

    static object Chunk(object delta, string? finish) =>
        new { id = "c-1", @object = "chat.completion.chunk", created = 1_700_000_000, model = "mock-1",
            choices = new[] { new { index = 0, delta, finish_reason = finish } } };

    static byte[] Json(object value) => JsonSerializer.SerializeToUtf8Bytes(value);

    static byte[] Event(object value) => [.. "data: "u8, .. Json(value), .. "\n\n"u8];
}
