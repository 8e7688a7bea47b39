namespace Flywheel.Engine.Telemetry.Mapping;

/// <summary>What an attribute says, whatever its dialect calls it.</summary>
enum Slot
{
    Operation,
    Provider,
    RequestModel,
    ResponseModel,
    ResponseId,
    FinishReasons,
    InputTokens,
    OutputTokens,
    CacheReadTokens,
    CacheWriteTokens,
    ReasoningTokens,
    Cost,
    InputMessages,
    OutputMessages,
    SystemInstructions,
    ToolDefinitions,
    ToolName,
    ToolArguments,
    ToolResult,
    CallId,
    InputValue,
    OutputValue,
    OutputText,
    OutputCalls,
    Query,
    Documents,
    Node,
    NodeKind,
    Agent,
    Workflow,
    Prompt,
    Session,
    EndUser,
    SpanKind,
    ErrorType,
    Demonstrations,
    Count,
}

/// <summary>
/// Which attribute means what: GenAI v1.41.1, its newer and deprecated names, OpenInference, Traceloop, Vercel AI, Logfire, Langfuse.
/// </summary>
static class Dialects
{
    /// <param name="Rank">Of several attributes that mean the same, the lowest wins.</param>
    /// <param name="Canonical">The name under which the winner is kept; null keeps its own.</param>
    public readonly record struct Meaning(Slot Slot, int Rank, string? Canonical);

    static readonly (Slot Slot, string? Canonical, string[] Names)[] Table =
    [
        (Slot.Operation, "gen_ai.operation.name", ["gen_ai.operation.name", "ai.operationId", "llm.request.type", "traceloop.span.kind"]),
        (Slot.Provider, "gen_ai.provider.name",
            ["gen_ai.provider.name", "gen_ai.system", "llm.provider", "llm.system", "ai.model.provider"]),
        (Slot.RequestModel, "gen_ai.request.model",
            ["gen_ai.request.model", "llm.model_name", "embedding.model_name", "reranker.model_name", "ai.model.id", "llm.request.model",
                "model_name"]),
        (Slot.ResponseModel, "gen_ai.response.model", ["gen_ai.response.model", "ai.response.model", "llm.response.model"]),
        (Slot.ResponseId, "gen_ai.response.id", ["gen_ai.response.id", "ai.response.id", "llm.response.id"]),
        (Slot.FinishReasons, "gen_ai.response.finish_reasons",
            ["gen_ai.response.finish_reasons", "llm.finish_reason", "ai.response.finishReason"]),
        (Slot.InputTokens, "gen_ai.usage.input_tokens",
            ["gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens", "llm.token_count.prompt", "llm.usage.prompt_tokens",
                "ai.usage.inputTokens", "ai.usage.promptTokens"]),
        (Slot.OutputTokens, "gen_ai.usage.output_tokens",
            ["gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens", "llm.token_count.completion", "llm.usage.completion_tokens",
                "ai.usage.outputTokens", "ai.usage.completionTokens"]),
        (Slot.CacheReadTokens, "gen_ai.usage.cache_read.input_tokens",
            ["gen_ai.usage.cache_read.input_tokens", "gen_ai.usage.cache_read_input_tokens", "llm.token_count.prompt_details.cache_read",
                "llm.usage.cache_read_input_tokens", "ai.usage.cachedInputTokens"]),
        (Slot.CacheWriteTokens, "gen_ai.usage.cache_creation.input_tokens",
            ["gen_ai.usage.cache_creation.input_tokens", "gen_ai.usage.cache_creation_input_tokens",
                "llm.token_count.prompt_details.cache_write"]),
        (Slot.ReasoningTokens, "gen_ai.usage.reasoning.output_tokens",
            ["gen_ai.usage.reasoning.output_tokens", "llm.token_count.completion_details.reasoning", "ai.usage.reasoningTokens"]),
        (Slot.Cost, null, ["flywheel.cost_usd", "gen_ai.usage.cost", "gen_ai.usage.total_cost", "llm.cost.total", "operation.cost"]),
        (Slot.InputMessages, null, ["gen_ai.input.messages", "ai.prompt.messages", "gen_ai.prompt", "ai.prompt"]),
        (Slot.OutputMessages, null, ["gen_ai.output.messages", "gen_ai.completion"]),
        (Slot.SystemInstructions, null, ["gen_ai.system_instructions"]),
        (Slot.ToolDefinitions, null, ["gen_ai.tool.definitions", "ai.prompt.tools"]),
        (Slot.ToolName, "gen_ai.tool.name", ["gen_ai.tool.name", "tool.name", "ai.toolCall.name"]),
        (Slot.ToolArguments, null, ["gen_ai.tool.call.arguments", "tool.parameters", "ai.toolCall.args", "ai.toolCall.input"]),
        (Slot.ToolResult, null, ["gen_ai.tool.call.result", "ai.toolCall.result", "ai.toolCall.output"]),
        (Slot.CallId, "gen_ai.tool.call.id", ["gen_ai.tool.call.id", "ai.toolCall.id", "tool.id"]),
        (Slot.InputValue, null, ["input.value", "traceloop.entity.input", "langfuse.observation.input", "ai.value"]),
        (Slot.OutputValue, null, ["output.value", "traceloop.entity.output", "langfuse.observation.output", "final_result"]),
        (Slot.OutputText, null, ["ai.response.text", "ai.result.text", "ai.response.object"]),
        (Slot.OutputCalls, null, ["ai.response.toolCalls", "ai.result.toolCalls"]),
        (Slot.Query, null, ["gen_ai.retrieval.query.text", "gen_ai.retrieval.query", "reranker.query"]),
        (Slot.Documents, null, ["gen_ai.retrieval.documents"]),
        (Slot.Node, null, ["flywheel.node", "graph.node.name", "graph.node.id"]),
        (Slot.NodeKind, null, ["flywheel.kind", "graph.node.kind"]),
        (Slot.Agent, "gen_ai.agent.name",
            ["gen_ai.agent.name", "agent.name", "agent_name", "ai.telemetry.functionId", "traceloop.entity.name"]),
        (Slot.Workflow, "gen_ai.workflow.name", ["gen_ai.workflow.name", "traceloop.workflow.name"]),
        (Slot.Prompt, "gen_ai.prompt.name",
            ["gen_ai.prompt.name", "llm.prompt_template.name", "prompt.name", "langfuse.observation.prompt.name"]),
        (Slot.Session, null, ["flywheel.session", "gen_ai.conversation.id", "session.id", "langfuse.session.id",
            "traceloop.association.properties.session_id", "ai.telemetry.metadata.sessionId"]),
        (Slot.EndUser, null, ["flywheel.end_user", "user.id", "enduser.id", "langfuse.user.id", "traceloop.association.properties.user_id",
            "ai.telemetry.metadata.userId"]),
        (Slot.SpanKind, null, ["openinference.span.kind", "langfuse.observation.type"]),
        (Slot.ErrorType, null, ["error.type", "exception.type"]),
        (Slot.Demonstrations, null, ["flywheel.demonstrations"]),
    ];

    public static System.Collections.Frozen.FrozenDictionary<string, Meaning> Names { get; } =
        System.Collections.Frozen.FrozenDictionary.ToFrozenDictionary(
            Table.SelectMany(row =>
                row.Names.Select((name, rank) => KeyValuePair.Create(name, new Meaning(row.Slot, rank, row.Canonical)))));

    /// <summary>The conventions' word for an operation; other words stay as they are.</summary>
    public static string? Operation(string? sent) => sent switch
    {
        "ai.generateText.doGenerate" or "ai.streamText.doStream" or "ai.generateObject.doGenerate" or "ai.streamObject.doStream" => "chat",
        "ai.generateText" or "ai.streamText" or "ai.generateObject" or "ai.streamObject" => "invoke_agent",
        "ai.toolCall" => "execute_tool",
        "ai.embed" or "ai.embedMany" or "ai.embed.doEmbed" or "ai.embedMany.doEmbed" or "embedding" => "embeddings",
        "completion" => "text_completion",
        "agent" => "invoke_agent",
        "tool" => "execute_tool",
        "workflow" => "invoke_workflow",
        _ => sent,
    };

    /// <summary>The operation that OpenInference's or Langfuse's kind of span stands for; null when none.</summary>
    public static string? OperationOfKind(string? kind) => kind?.ToUpperInvariant() switch
    {
        "LLM" or "GENERATION" => "chat",
        "EMBEDDING" => "embeddings",
        "RETRIEVER" or "RERANKER" => "retrieval",
        "TOOL" => "execute_tool",
        "AGENT" => "invoke_agent",
        _ => null,
    };
}
