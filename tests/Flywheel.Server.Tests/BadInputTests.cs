using System.Text;
using System.Text.Json;
using static Flywheel.Server.Tests.RunningServer;

namespace Flywheel.Server.Tests;

public sealed class BadInputTests
{
    const string Good = """{"trace_id":"t","span_id":"good","node":"n","kind":"writer","input":"i","output":"o","started_at":"2026-01-31T12:00:00Z","duration_ms":1}""";

    public static TheoryData<string, string> BadBodies => new()
    {
        { "not JSON", "{\"spans\": [" },
        { "empty", "" },
        { "null", "null" },
        { "a list", "[]" },
        { "no spans", "{}" },
        { "spans is text", "{\"spans\": \"x\"}" },
        { "a duplicate key", $$"""{"spans":[{{Good}}],"spans":[]}""" },
        { "a duplicate key in a span", """{"spans":[{"trace_id":"a","trace_id":"b","span_id":"s","node":"n"}]}""" },
        { "too deep", "{\"spans\":" + new string('[', 200) + new string(']', 200) + "}" },
        { "a trailing comma", "{\"spans\":[],}" },
        { "a comment", "{\"spans\":[] /* no */}" },
        { "a lone surrogate in a key", "{\"spans\":[{\"\\ud800\":1}]}" },
    };

    [Theory, MemberData(nameof(BadBodies))]
    public async Task A_body_that_cannot_be_read_is_refused_and_nothing_is_stored(string what, string body)
    {
        await using var server = await StartAsync();

        var (status, problem) = await server.PostAsync("/api/v1/spans", body);

        Assert.True(status == 400, $"{what}: {status} {problem}");
        Assert.NotEmpty(problem.GetProperty("code").GetString()!);
        Assert.NotEmpty(problem.GetProperty("detail").GetString()!);
        Assert.Equal(0, await server.Store.Spans.CountAsync(Core.Projects.ProjectId.Default, TestContext.Current.CancellationToken));
    }

    public static TheoryData<string, string> BadFields => new()
    {
        { "trace_id", """{"trace_id":"","span_id":"s","node":"n"}""" },
        { "trace_id", """{"span_id":"s","node":"n"}""" },
        { "trace_id", """{"trace_id":5,"span_id":"s","node":"n"}""" },
        { "span_id", """{"trace_id":"t","node":"n"}""" },
        { "node", """{"trace_id":"t","span_id":"s"}""" },
        { "node", """{"trace_id":"t","span_id":"s","node":"a\u0000b"}""" },
        { "kind", """{"trace_id":"t","span_id":"s","node":"n","kind":"poet"}""" },
        { "input", """{"trace_id":"t","span_id":"s","node":"n","input":"a\u0000b"}""" },
        { "output", """{"trace_id":"t","span_id":"s","node":"n","output":"\ud800"}""" },
        { "input", """{"trace_id":"t","span_id":"s","node":"n","input":{"deep":["\udc00"]}}""" },
        { "attributes", """{"trace_id":"t","span_id":"s","node":"n","attributes":{"x":"\ud800 lone"}}""" },
        { "attributes", """{"trace_id":"t","span_id":"s","node":"n","attributes":[1]}""" },
        { "started_at", """{"trace_id":"t","span_id":"s","node":"n","started_at":"1970-01-01T00:00:00Z"}""" },
        { "started_at", """{"trace_id":"t","span_id":"s","node":"n","started_at":"2100-01-01T00:00:00Z"}""" },
        { "started_at", """{"trace_id":"t","span_id":"s","node":"n","started_at":"yesterday"}""" },
        { "duration_ms", """{"trace_id":"t","span_id":"s","node":"n","duration_ms":-1}""" },
        { "duration_ms", """{"trace_id":"t","span_id":"s","node":"n","duration_ms":"5"}""" },
        { "input_tokens", """{"trace_id":"t","span_id":"s","node":"n","input_tokens":1.5}""" },
        { "parent_id", """{"trace_id":"t","span_id":"s","parent_id":"s","node":"n"}""" },
        { "demonstrations", """{"trace_id":"t","span_id":"s","node":"n","demonstrations":["x"]}""" },
        { "span", """5""" },
    };

    [Theory, MemberData(nameof(BadFields))]
    public async Task A_bad_span_is_named_and_its_neighbour_kept(string field, string span)
    {
        await using var server = await StartAsync();

        var (status, answer) = await server.PostAsync("/api/v1/spans", $$"""{"spans":[{{span}},{{Good}}]}""");
        var (alone, problem) = await server.PostAsync("/api/v1/spans", $$"""{"spans":[{{span}}]}""");

        Assert.Equal(200, status);
        Assert.Equal(1, answer.GetProperty("accepted").GetInt32());
        var rejection = Assert.Single(answer.GetProperty("rejected").EnumerateArray());
        Assert.Equal(0, rejection.GetProperty("index").GetInt32());
        Assert.Equal("invalid_" + field, rejection.GetProperty("code").GetString());
        Assert.Equal(400, alone);
        Assert.Equal("invalid_" + field, problem.GetProperty("code").GetString());
    }

    [Fact]
    public async Task A_field_of_ten_megabytes_is_refused_by_name()
    {
        await using var server = await StartAsync();

        var (status, problem) = await server.PostAsync(
            "/api/v1/spans", $$"""{"spans":[{"trace_id":"t","span_id":"s","node":"n","input":"{{new string('x', 10_000_000)}}"}]}""");

        Assert.Equal(400, status);
        Assert.Equal("invalid_input", problem.GetProperty("code").GetString());
    }

    [Fact]
    public async Task A_body_over_the_limit_is_413()
    {
        await using var server = await StartAsync();

        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/spans")
        {
            Content = new StringContent("{\"spans\":[\"" + new string('x', 33 * 1024 * 1024) + "\"]}", Encoding.UTF8, "application/json"),
        };
        request.Headers.ExpectContinue = true; // so that the answer is read before 33 MB are sent in vain

        var (status, problem) = await server.SendAsync(request);

        Assert.Equal(413, status);
        Assert.Equal("body_too_large", problem.GetProperty("code").GetString());
    }

    [Fact]
    public async Task Bytes_that_are_no_utf8_are_refused()
    {
        await using var server = await StartAsync();
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/spans")
        {
            Content = new ByteArrayContent([.. "{\"spans\":[\""u8, 0xC3, 0x28, .. "\"]}"u8]),
        };
        request.Content.Headers.ContentType = new("application/json");

        var (status, problem) = await server.SendAsync(request);

        Assert.Equal(400, status);
        Assert.Contains("UTF-8", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/api/v1/labels", """{"trace_id":"t","span_id":"good","metric":"nope","passed":true}""", 404, "unknown_metric")]
    [InlineData("/api/v1/labels", """{"trace_id":"t","span_id":"nope","metric":"m","passed":true}""", 404, "unknown_span")]
    [InlineData("/api/v1/labels", """{"trace_id":"t","span_id":"good","metric":"m"}""", 400, "malformed_json")]
    [InlineData("/api/v1/labels", """{"trace_id":"t","span_id":"good","metric":"m","passed":"yes"}""", 400, "malformed_json")]
    [InlineData("/api/v1/labels", """{"trace_id":"t","span_id":"good","metric":"m","passed":true,"mode":"guess"}""", 400, "invalid_mode")]
    [InlineData("/api/v1/labels", """{"trace_id":"t","span_id":"good","metric":"m","passed":true,"propensity":0}""", 400,
        "invalid_propensity")]
    [InlineData("/api/v1/labels", """{"trace_id":"t","span_id":"good","metric":"m","passed":true,"pased":true}""", 400, "malformed_json")]
    [InlineData("/api/v1/labels", """{"trace_id":"t","span_id":"good","metric":"m","passed":true,"critique":"a\u0000"}""", 400,
        "invalid_critique")]
    [InlineData("/api/v1/labels", """{"trace_id":"t","span_id":"good","metric":"m","passed":true,"critique":"\ud800"}""", 400,
        "malformed_json")]
    [InlineData("/api/v1/corrections", """{"trace_id":"t","span_id":"good"}""", 400, "malformed_json")]
    [InlineData("/api/v1/corrections", """{"trace_id":"t","span_id":"nope","corrected_output":"x"}""", 404, "unknown_span")]
    [InlineData("/api/v1/feedback", """{"trace_id":"nope","name":"thumbs","value":1}""", 404, "unknown_trace")]
    [InlineData("/api/v1/feedback", """{"trace_id":"t","name":"thumbs","value":{}}""", 400, "invalid_value")]
    [InlineData("/api/v1/metrics", """{"name":"m2","criterion":"c","validator":{"kind":"nope"}}""", 400, "invalid_metric")]
    [InlineData("/api/v1/metrics", """{"name":"m2","criterion":"c","validator":{"kind":"length"}}""", 400, "invalid_metric")]
    [InlineData("/api/v1/metrics", """{"name":"m2","criterion":"c","validator":{"kind":"length","max":400,"unti":"characters"}}""", 400,
        "invalid_metric")]
    [InlineData("/api/v1/metrics", """{"name":"m2","criterion":"c","validator":{"kind":"regex","pattern":"(a)\\1"}}""", 400,
        "invalid_metric")]
    [InlineData("/api/v1/metrics",
        """{"name":"m2","criterion":"c","validator":{"kind":"sql-expression","expression":"1); DROP TABLE span; --"}}""", 400,
        "invalid_metric")]
    [InlineData("/api/v1/metrics", """{"name":"m2","criterion":"c","sampling":2,"validator":{"kind":"length","max":4}}""", 400,
        "invalid_metric")]
    [InlineData("/api/v1/metrics", """{"name":"m","criterion":"c","validator":{"kind":"length","max":4}}""", 409, "metric_exists")]
    [InlineData("/api/v1/demonstrations/search", """{"input":"x"}""", 400, "invalid_node")]
    [InlineData("/api/v1/demonstrations/search", """{"input":"x","node":"n","strategy":"best"}""", 400, "invalid_strategy")]
    [InlineData("/api/v1/demonstrations/search", """{"input":"x","node":"n","k":-1}""", 400, "invalid_k")]
    public async Task A_mistake_is_answered_with_its_code(string path, string body, int expected, string code)
    {
        await using var server = await StartAsync();
        await server.PostAsync("/api/v1/spans", $$"""{"spans":[{{Good}}]}""");
        await server.PostAsync("/api/v1/metrics", """{"name":"m","criterion":"c","validator":{"kind":"length","max":400}}""");

        var (status, problem) = await server.PostAsync(path, body);

        Assert.True(status == expected, $"{status} {problem}");
        Assert.Equal(code, problem.GetProperty("code").GetString());
    }

    [Theory]
    [InlineData("/api/v1/traces/nope", 404)]
    [InlineData("/api/v1/traces?limit=0", 400)]
    [InlineData("/api/v1/traces?limit=abc", 400)]
    [InlineData("/api/v1/traces?cursor=garbage", 400)]
    [InlineData("/api/v1/review?cursor=garbage", 400)]
    [InlineData("/api/v1/demonstrations?cursor=garbage", 400)]
    [InlineData("/api/v1/jobs?cursor=garbage", 400)]
    [InlineData("/api/v1/review?reason=mood", 400)]
    [InlineData("/api/v1/metrics/nope/summary", 404)]
    [InlineData("/api/v1/jobs?state=gone", 400)]
    [InlineData("/api/v1/demonstrations?state=gone", 400)]
    [InlineData("/api/v1/nothing", 404)]
    public async Task A_question_that_makes_no_sense_is_a_problem(string path, int expected)
    {
        await using var server = await StartAsync();

        var (status, problem) = await server.GetAsync(path);

        Assert.True(status == expected, $"{status} {problem}");
        Assert.Equal(JsonValueKind.Object, problem.ValueKind);
    }

    [Fact]
    public async Task Naughty_texts_come_back_as_they_went_in()
    {
        await using var server = await StartAsync();
        string[] texts = ["", " ", "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 👩‍👩‍👧", "\u202Eright to left", "Robert'); DROP TABLE span;--", "\"quotes\" \\ and / slashes",
            "\u0001\u0002", "line\r\nbreak\u2028", "null", "{\"a\":1}", "é e\u0301", "<script>alert(1)</script>", new('x', 100_000)];
        for (var i = 0; i < texts.Length; i++)
            Assert.Equal(200, (await server.AddSpansAsync(Span("t" + i, "s", input: texts[i], output: texts[i]))).Status);

        for (var i = 0; i < texts.Length; i++)
        {
            var (_, trace) = await server.GetAsync("/api/v1/traces/t" + i);

            Assert.Equal(texts[i], trace.GetProperty("spans")[0].GetProperty("input").GetString());
            Assert.Equal(texts[i], trace.GetProperty("spans")[0].GetProperty("output").GetString());
        }
    }
}
