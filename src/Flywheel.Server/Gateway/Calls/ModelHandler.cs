using System.Text.Json;
using Flywheel.Core;
using Flywheel.Core.Prompts;
using Flywheel.Core.Traces;
using Flywheel.Server.Api;
using Flywheel.Server.Gateway.Policy;
using Flywheel.Server.Gateway.Upstreams;
using Flywheel.Server.Gateway.Wire;

namespace Flywheel.Server.Gateway.Calls;

/// <summary>A model call from the client's request to its span.</summary>
sealed class ModelHandler(
    NodeRulesSource rules, ModelRoutes routes, PromptPreparation preparation, ModelCaller caller, CallRecorder recorder, TimeProvider clock)
{
    public async Task HandleAsync(HttpContext http, Protocol protocol)
    {
        var (startedAt, started) = (clock.GetUtcNow(), clock.GetTimestamp());
        using var body = await RentedBody.ReadAsync(http.Request, http.RequestAborted);
        var call = await OpenAsync(http, protocol, body.Memory, startedAt, started);
        AnswerHeaders.Name(http.Response, call);
        var wanted = Routes(call);

        var edits = new BodyEdits();
        call.Body = call.Original;
        call.Prompt = call.Outline.Prompt;
        if (!await preparation.PrepareAsync(call, edits, http.RequestAborted))
        {
            await RefuseAsync(http, call);
            return;
        }
        await caller.CallAsync(http, call, wanted, edits);
    }

    async Task<GatewayCall> OpenAsync(
        HttpContext http, Protocol protocol, ReadOnlyMemory<byte> body, DateTimeOffset startedAt, long started)
    {
        var outline = Outline(body.Span, protocol);
        var headers = http.Request.Headers;
        var (node, model) = Names(headers, outline.Model, protocol);
        var owner = http.Features.Get<HttpCaller>()!;
        var held = await rules.OfAsync(owner.Project, node, http.RequestAborted);
        var kind = headers.TryGetValue("x-flywheel-kind", out var word)
            ? Core.Metrics.Wire.Parse<NodeKind>(word.ToString())
                ?? throw GatewayError.Invalid(
                    "x-flywheel-kind", $"`x-flywheel-kind` is `{word}`: use {Core.Metrics.Wire.Choices<NodeKind>()}.")
            : held.Kind ?? NodeKind.Other;
        var session = Header(headers, "x-flywheel-session");
        var endUser = Header(headers, "x-flywheel-user")
            ?? (outline.EndUser is { } user && SpanRules.Name(user, SpanRules.MaxNameLength) is null ? user : null);
        var prompt = protocol.HasMessages ? Prompt(held) : null;
        if (prompt is not null)
            (body, outline) = PromptFilling.Fill(body, outline, protocol, prompt, name => name switch
            {
                "end_user" => endUser,
                "session" => session,
                "node" => node,
                _ => null,
            });
        return new GatewayCall(owner, protocol, outline, TraceContext.Begin(headers[TraceContext.Header], startedAt), startedAt, started)
        {
            Original = body,
            Node = node,
            Kind = kind,
            Rules = held,
            RequestedModel = held.Settings.Model ?? (prompt is null ? null : PromptFilling.Model(prompt)) ?? model,
            Session = session,
            EndUser = endUser,
            Filled = prompt,
        };
    }

    /// <summary>A call without the instructions that its policy names would do something else than what was approved.</summary>
    static PromptVersion? Prompt(NodeRules rules) => rules.Settings.Prompt is null || rules.Prompt is not null
        ? rules.Prompt
        : throw new RequestException(
            RequestErrorKind.NotFound, "prompt_not_found",
            $"The node's policy names the prompt `{rules.Settings.Prompt}` at "
                + $"`{rules.Settings.PromptLabel ?? rules.Settings.PromptVersion?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? PromptLabel.Production}`, which is not there.");

    static RequestOutline Outline(ReadOnlySpan<byte> body, Protocol protocol)
    {
        try
        {
            var outline = RequestOutline.Read(body, protocol.Prompt);
            if (!outline.ModelValue.IsPresent)
                throw GatewayError.Invalid("model", "`model` is missing: name a model, or NODE::MODEL.");
            return outline;
        }
        catch (JsonException e)
        {
            throw new RequestException(
                RequestErrorKind.Invalid, "malformed_json", $"The body cannot be read: {e.Message.Split(" Path:")[0]}");
        }
    }

    /// <summary>`node::model`, or the node's own header; a call that names none belongs to the node of its operation.</summary>
    static (string Node, string Model) Names(IHeaderDictionary headers, string model, Protocol protocol)
    {
        var split = model.IndexOf("::", StringComparison.Ordinal);
        var (inName, rest) = split > 0 ? (model[..split], model[(split + 2)..]) : (null, model);
        var node = inName ?? Header(headers, "x-flywheel-node") ?? protocol.Operation;
        if (SpanRules.Name(node, SpanRules.MaxNameLength) is { } why)
            throw GatewayError.Invalid("model", $"The node's name {why}");
        return (node, rest);
    }

    static string? Header(IHeaderDictionary headers, string name)
    {
        if (!headers.TryGetValue(name, out var values) || values.Count == 0)
            return null;
        var value = values.ToString();
        return SpanRules.Name(value, SpanRules.MaxNameLength) is { } why ? throw GatewayError.Invalid(name, $"`{name}` {why}") : value;
    }

    /// <summary>
    /// The model asked for and the node's fallbacks; names that no provider has are a mistake of the caller's or the policy's.
    /// </summary>
    List<ModelRoute> Routes(GatewayCall call)
    {
        var found = new List<ModelRoute> { Find(call.RequestedModel) };
        foreach (var name in call.Rules.Settings.Fallbacks!)
            found.Add(Find(name));
        return found;

        ModelRoute Find(string name) => routes.Find(name)
            ?? throw new RequestException(
                RequestErrorKind.NotFound, "model_not_found", $"There is no model `{name}`. {routes.Known}", "model");
    }

    async Task RefuseAsync(HttpContext http, GatewayCall call)
    {
        call.Body = Array.Empty<byte>();
        call.Prompt = default;
        // The question that was refused is still what the span is about; guards that redact have taken out what they found.
        call.Question = call.Guarded!.Input;
        var settings = call.Rules.Settings;
        call.Fail("input_refused", call.Guarded.Reason);
        if (settings.OnRefusal == "answer" && call.Protocol.HasMessages)
        {
            var answer = Refusal.Write(call);
            if (!call.Outline.Stream)
            {
                await Relay.GiveAsync(http, call, answer, recorder);
                return;
            }
            await recorder.RecordAsync(call);
            http.Response.ContentType = "text/event-stream";
            await http.Response.Body.WriteAsync(answer, http.RequestAborted);
            return;
        }
        await ModelCaller.ErrorAsync(http, call, recorder, 400, "input_refused", settings.Refusal!, null, null);
    }
}
