using System.Text.Json;
using Flywheel.Core;
using Flywheel.Core.Traces;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace Flywheel.Server.Features.Mcp;

/// <summary>Turns what goes wrong in a tool into an answer that an agent can act on: the code, and what to do.</summary>
static class McpErrors
{
    public static async ValueTask<CallToolResult> AnswerAsync(
        McpRequestHandler<CallToolRequestParams, CallToolResult> next, RequestContext<CallToolRequestParams> request, CancellationToken ct)
    {
        try
        {
            var services = request.Services!;
            services.GetRequiredService<AgentPace>().Take(services.GetRequiredService<AgentCaller>().Caller);
            return await next(request, ct);
        }
        catch (RequestException e)
        {
            return Say(e.Code, e.Message, e.Field);
        }
        catch (OverloadedException e)
        {
            return Say("overloaded", e.Message);
        }
        catch (FlywheelException e)
        {
            return Say("refused", e.Message);
        }
        catch (ArgumentException e)
        {
            return Say(e.ParamName == "cursor" ? "invalid_cursor" : "invalid_arguments", e.Message.Split(" (Parameter")[0]);
        }
        catch (JsonException e)
        {
            return Say("invalid_arguments", $"An argument cannot be read: {e.Message.Split(" Path:")[0]} See the tool's input schema.");
        }
        catch (Exception e) when (e is not OperationCanceledException and not ModelContextProtocol.McpException)
        {
            request.Services!.GetRequiredService<ILoggerFactory>().CreateLogger("Flywheel.Mcp")
                .LogError(e, "The tool {Tool} failed", request.Params?.Name);
            return Say("internal_error", "The server failed; its log says how. Nothing of this call was kept.");
        }
    }

    static CallToolResult Say(string code, string message, string? field = null) => new()
    {
        IsError = true,
        Content = [new TextContentBlock { Text = $"{code}: {message}" }],
        StructuredContent = JsonSerializer.SerializeToElement(new { code, message, field }),
    };
}
