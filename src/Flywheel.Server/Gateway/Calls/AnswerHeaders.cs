namespace Flywheel.Server.Gateway.Calls;

/// <summary>Which of a provider's headers the client sees.</summary>
static class AnswerHeaders
{
    static readonly string[] Passed =
        ["x-request-id", "openai-processing-ms", "openai-version", "openai-model", "retry-after", "retry-after-ms"];

    public static void Pass(HttpResponseMessage from, HttpResponse to)
    {
        foreach (var (name, values) in from.Headers.NonValidated)
            if (name.StartsWith("x-ratelimit-", StringComparison.OrdinalIgnoreCase)
                || Passed.Contains(name, StringComparer.OrdinalIgnoreCase))
                to.Headers[name] = values.ToString();
    }

    public static void Name(HttpResponse response, GatewayCall call)
    {
        response.Headers["x-flywheel-trace"] = call.Trace.Trace;
        response.Headers["x-flywheel-span"] = call.Trace.Span;
    }
}
