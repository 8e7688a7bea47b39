using Flywheel.Client;
using Flywheel.Client.Remote;
using Flywheel.Core.Traces;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace ClientTour;

/// <summary>An application with Flywheel among its services. Try: curl -d 'Why was I charged twice?' ADDRESS/ask</summary>
static class AspNetCoreSample
{
    public static async Task RunAsync(Uri server, string[] args, CancellationToken ct)
    {
        var builder = WebApplication.CreateBuilder(args);
        builder.Configuration.AddInMemoryCollection([new("Flywheel:Server", server.ToString())]);

        builder.Services.AddFlywheel();
        builder.Services.AddChatClient(ShopModel.Classifier()).UseFunctionInvocation().UseFlywheel("intent", NodeKind.Classifier);

        await using var app = builder.Build();
        app.MapPost("/ask", async (HttpRequest request, IChatClient intent) =>
        {
            var message = await new StreamReader(request.Body).ReadToEndAsync(request.HttpContext.RequestAborted);
            using var trace = FlywheelTrace.Start(session: request.Headers["x-chat"], endUser: request.Headers["x-user"]);
            var answer = await intent.GetResponseAsync([new(ChatRole.System, ShopModel.Intents), new(ChatRole.User, message)]);
            return Results.Ok(new { answer = answer.Text, span = answer.SpanKey()?.ToString() });
        });
        app.MapPost("/thumbs/{trace}/{span}/{up:bool}", (string trace, string span, bool up, FlywheelApi flywheel, CancellationToken stop) =>
            flywheel.FeedbackAsync(trace, span, "thumbs", up, ct: stop));

        await app.StartAsync(ct);
        Console.WriteLine($"listening on {app.Urls.First()}");
        await app.WaitForShutdownAsync(ct);
    }
}
