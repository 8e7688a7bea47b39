using System.Globalization;
using Flywheel.Core;
using Flywheel.Core.Traces;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Mvc;

namespace Flywheel.Server.Api;

/// <summary>Turns whatever went wrong into a problem response that says what to do.</summary>
sealed class Problems(IProblemDetailsService service, ILogger<Problems> log, IEnumerable<IErrorFormat> formats) : IExceptionHandler
{
    public async ValueTask<bool> TryHandleAsync(HttpContext http, Exception exception, CancellationToken ct)
    {
        if (exception is OperationCanceledException && http.RequestAborted.IsCancellationRequested)
        {
            http.Response.StatusCode = 499;
            return true;
        }
        var problem = Describe(exception);
        if (problem.Status >= 500 && exception is not OverloadedException and not RequestException)
            log.LogError(exception, "{Method} {Path} failed", http.Request.Method, http.Request.Path);
        if (problem.RetryAfter is { } wait)
            http.Response.Headers.RetryAfter = Math.Max(1, (int)Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
        http.Response.StatusCode = problem.Status;
        if (formats.FirstOrDefault(each => each.IsFor(http.Request)) is { } format)
        {
            http.Response.ContentType = "application/json";
            await http.Response.Body.WriteAsync(format.Write(problem.Status, problem.Code, problem.Message, problem.Field), ct);
            return true;
        }
        var details = new ProblemDetails
        {
            Status = problem.Status,
            Title = Microsoft.AspNetCore.WebUtilities.ReasonPhrases.GetReasonPhrase(problem.Status),
            Detail = problem.Message,
        };
        details.Extensions["code"] = problem.Code;
        if (problem.Field is not null)
            details.Extensions["field"] = problem.Field;
        foreach (var (name, value) in problem.Details ?? new Dictionary<string, object?>())
            details.Extensions[name] = value;
        await service.WriteAsync(new ProblemDetailsContext { HttpContext = http, ProblemDetails = details });
        return true;
    }

    sealed record Problem(
        int Status, string Code, string Message, string? Field = null, TimeSpan? RetryAfter = null,
        IReadOnlyDictionary<string, object?>? Details = null);

    static Problem Describe(Exception exception) => exception switch
    {
        RequestException known => new(HttpStatus.Of(known.Kind), known.Code, known.Message, known.Field, known.RetryAfter, known.Details),
        OverloadedException busy => new(503, "overloaded", busy.Message, RetryAfter: busy.RetryAfter),
        ArgumentException { ParamName: "cursor" } cursor => new(400, "invalid_cursor", cursor.Message.Split(" (Parameter")[0], "cursor"),
        BadHttpRequestException { StatusCode: 413 } => new(413, "body_too_large",
            $"The request body is over {Body.MaxBytes / (1024 * 1024)} MB: send fewer or shorter spans a request."),
        BadHttpRequestException bad => new(bad.StatusCode, "bad_request", bad.Message),
        _ => new(500, "internal_error", "The server failed; its log says how. Nothing of this request was kept unless it says otherwise."),
    };
}
