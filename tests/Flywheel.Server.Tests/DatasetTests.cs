using System.Text;
using System.Text.Json;
using Flywheel.Core.Datasets;
using Flywheel.Core.Projects;
using Flywheel.Engine.Datasets;
using Flywheel.Server.Files;

namespace Flywheel.Server.Tests;

public sealed class DatasetTests
{
    static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_data_set_is_made_filled_paged_compared_and_thinned_over_http()
    {
        await using var server = await RunningServer.StartAsync(("Work", "false"));

        Assert.Equal(201, (await server.PostAsync("/api/v1/datasets", new { name = "gold", description = "what is right" })).Status);
        Assert.Equal(200, (await server.PostAsync("/api/v1/datasets", new { name = "gold" })).Status);
        var (_, added) = await server.PostAsync("/api/v1/datasets/gold/items", new
        {
            items = new object[] { new { input = "a", expected = "1", attributes = new { z = 1, b = "x" } }, new { input = "b" },
                new { input = "c" } }, note = "first",
        });
        var (_, again) = await server.PostAsync(
            "/api/v1/datasets/gold/items",
            new { items = new object[] { new { input = "b" }, new { input = "a", expected = "1", attributes = new { b = "x", z = 1 } } } });
        var (_, removed) = await server.PostAsync("/api/v1/datasets/gold/items/remove", new { ordinals = new[] { 2 } });

        Assert.Equal((true, 3, 1),
            (added.GetProperty("is_new").GetBoolean(), added.GetProperty("added").GetInt32(),
                added.GetProperty("version").GetProperty("version").GetInt32()));
        Assert.False(again.GetProperty("is_new").GetBoolean());
        Assert.Equal(2, removed.GetProperty("version").GetProperty("version").GetInt32());
        var (_, page) = await server.GetAsync("/api/v1/datasets/gold/versions/1/items?limit=2");
        var (_, rest) = await server.GetAsync(
            $"/api/v1/datasets/gold/versions/1/items?limit=2&cursor={page.GetProperty("next").GetString()}");
        Assert.Equal(["a", "b"], Inputs(page));
        Assert.Equal(["c"], Inputs(rest));
        Assert.Equal(JsonValueKind.Null, rest.GetProperty("next").ValueKind);
        Assert.Equal(["a", "c"], Inputs((await server.GetAsync("/api/v1/datasets/gold/versions/latest/items")).Body));
        var (_, diff) = await server.GetAsync("/api/v1/datasets/gold/diff?from=1");
        Assert.Equal(["removed"], diff.GetProperty("changes").EnumerateArray().Select(change => change.GetProperty("change").GetString()));
        Assert.Equal(2, (await server.GetAsync("/api/v1/datasets/gold/versions")).Body.GetProperty("versions").GetArrayLength());
        Assert.Equal("gold", (await server.GetAsync("/api/v1/datasets")).Body.GetProperty("datasets")[0].GetProperty("name").GetString());
    }

    [Fact]
    public async Task Corrected_spans_become_items_with_the_correction_as_expected()
    {
        await using var server = await RunningServer.StartAsync(("Work", "false"));
        await server.AddSpansAsync(RunningServer.Span("t1", "s1", input: "where is it"), RunningServer.Span("t2", "s2", input: "hello"));
        await server.PostAsync(
            "/api/v1/corrections", new { trace_id = "t1", span_id = "s1", corrected_output = "delivery", author = "ann" });
        await server.PostAsync("/api/v1/datasets", new { name = "gold" });

        var (status, preview) = await server.PostAsync("/api/v1/datasets/gold/items/from-traces", new { corrected = true, preview = true });
        var (_, none) = await server.GetAsync("/api/v1/datasets/gold");
        var (_, added) = await server.PostAsync(
            "/api/v1/datasets/gold/items/from-traces", new { corrected = true, sample = true, seed = 3, split = "test" });

        Assert.Equal((200, 1, 1), (status, preview.GetProperty("items").GetInt32(), preview.GetProperty("with_expected").GetInt32()));
        Assert.Equal(JsonValueKind.Null, none.GetProperty("latest").ValueKind);
        Assert.Equal((1, 1), (added.GetProperty("added").GetInt32(), added.GetProperty("matched").GetInt32()));
        var item = (await server.GetAsync("/api/v1/datasets/gold/versions/1/items?split=test")).Body.GetProperty("items")[0];
        Assert.Equal(("where is it", "delivery", "t1", "intent"),
            (item.GetProperty("input").GetString(), item.GetProperty("expected").GetString(), item.GetProperty("trace_id").GetString(),
                item.GetProperty("attributes").GetProperty("node").GetString()));
    }

    [Fact]
    public async Task Files_of_three_formats_give_the_same_items()
    {
        await using var server = await RunningServer.StartAsync(("Work", "false"));
        var folder = Directory.CreateTempSubdirectory("flywheel-dataset-").FullName;
        try
        {
            await server.PostAsync("/api/v1/datasets", new { name = "gold" });
            var (_, jsonl) = await UploadAsync(
                "jsonl", Encoding.UTF8.GetBytes(
                    "{\"input\":\"Ä, \\\"b\\\"\",\"expected\":\"1\",\"lang\":\"de\",\"split\":\"test\"}\n{\"other\":1}\n{\"input\":\"c\"}\n"));
            var (_, csv) = await UploadAsync(
                "csv", Encoding.UTF8.GetBytes("input,expected,lang,split\n\"Ä, \"\"b\"\"\",1,de,test\nc,,,\n"));
            var version = (await server.Store.Datasets.VersionAsync(Core.Projects.ProjectId.Default, "gold", 1, Ct))!;
            var path = Path.Combine(folder, "gold.parquet");
            await DatasetFile.WriteAsync(path, Items(server, version), _ => { }, Ct);
            var (_, parquet) = await UploadAsync("parquet", await File.ReadAllBytesAsync(path, Ct));
            var (status, broken) = await UploadAsync("parquet", Encoding.UTF8.GetBytes("no parquet at all"));

            Assert.Equal((2, 2), (jsonl.GetProperty("added").GetInt32(), jsonl.GetProperty("rejected")[0].GetProperty("row").GetInt32()));
            // An empty CSV field is nothing, so its rows are the same items.
            Assert.Equal((false, 2), (csv.GetProperty("is_new").GetBoolean(), csv.GetProperty("known").GetInt32()));
            Assert.Equal((false, 2), (parquet.GetProperty("is_new").GetBoolean(), parquet.GetProperty("known").GetInt32()));
            Assert.Equal((400, "unreadable_file"), (status, broken.GetProperty("code").GetString()));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

        async Task<(int, JsonElement)> UploadAsync(string format, byte[] bytes)
        {
            using var request = new HttpRequestMessage(
                HttpMethod.Post, $"/api/v1/datasets/gold/items/from-file?format={format}") { Content = new ByteArrayContent(bytes) };
            return await server.SendAsync(request);
        }

        static IAsyncEnumerable<DatasetItem> Items(RunningServer server, DatasetVersion version) =>
            new DatasetService(server.Store.Datasets, server.Store.Metrics, TimeProvider.System)
                .ItemsAsync(new(ProjectId.Default, KeyScope.Read, "test"), version, null, Ct);
    }

    [Fact]
    public async Task A_data_set_is_deleted_over_http_and_by_a_command_that_is_told_to_be_sure()
    {
        await using var server = await RunningServer.StartAsync(("Work", "false"));
        await server.PostAsync("/api/v1/datasets", new { name = "gold" });
        await server.PostAsync("/api/v1/datasets/gold/items", new { items = new object[] { new { input = "a" } } });
        await server.PostAsync("/api/v1/datasets", new { name = "silver" });

        Assert.Equal(200, await DeleteAsync("silver"));
        Assert.Equal(404, await DeleteAsync("silver"));
        Assert.Equal(["gold"], await NamesAsync());
        Assert.Equal(2, await Cli.Commands.RunAsync(["datasets", "delete", "gold", "--db", server.Db]));
        Assert.Equal(["gold"], await NamesAsync());
        Assert.Equal(0, await Cli.Commands.RunAsync(["datasets", "delete", "gold", "--yes", "--db", server.Db]));
        Assert.Empty(await NamesAsync());

        async Task<int> DeleteAsync(string name) =>
            (await server.SendAsync(new HttpRequestMessage(HttpMethod.Delete, "/api/v1/datasets/" + name))).Status;

        async Task<string?[]> NamesAsync() =>
            [.. (await server.GetAsync("/api/v1/datasets")).Body.GetProperty("datasets").EnumerateArray()
                .Select(each => each.GetProperty("name").GetString())];
    }

    [Fact]
    public async Task What_cannot_be_right_is_named()
    {
        await using var server = await RunningServer.StartAsync(("Work", "false"));
        await server.PostAsync("/api/v1/datasets", new { name = "gold" });

        await RefusedAsync("/api/v1/datasets", """{"name": "a/b"}""", 400, "invalid_name");
        await RefusedAsync("/api/v1/datasets/gold/items", """{"items": []}""", 400, "invalid_items");
        await RefusedAsync("/api/v1/datasets/gold/items", """{"items": [{"input": ""}]}""", 400, "invalid_items");
        await RefusedAsync("/api/v1/datasets/gold/items", """{"items": [{"input": "a", "trace_id": "t"}]}""", 400, "invalid_items");
        await RefusedAsync("/api/v1/datasets/gold/items", """{"items": [{"input": "a", "attributes": 3}]}""", 400, "invalid_items");
        await RefusedAsync("/api/v1/datasets/none/items", """{"items": [{"input": "a"}]}""", 404, "unknown_dataset");
        await RefusedAsync("/api/v1/datasets/gold/items/from-traces", """{"outcome": "fail"}""", 400, "invalid_metric");
        await RefusedAsync("/api/v1/datasets/gold/items/from-traces", """{"metric": "none", "outcome": "fail"}""", 404, "unknown_metric");
        await RefusedAsync("/api/v1/datasets/gold/items/from-traces", """{"kind": "painter"}""", 400, "invalid_kind");
        await RefusedAsync("/api/v1/datasets/gold/items/from-traces", """{"limit": 0}""", 400, "invalid_limit");
        await RefusedAsync("/api/v1/datasets/gold/items/from-file?format=xml", "{}", 400, "invalid_format");
        Assert.Equal("unknown_dataset_version",
            (await server.GetAsync("/api/v1/datasets/gold/versions/1")).Body.GetProperty("code").GetString());
        Assert.Equal(404, (await server.GetAsync("/api/v1/datasets/none")).Status);

        async Task RefusedAsync(string path, string body, int status, string code)
        {
            var answer = await server.PostAsync(path, body);
            Assert.Equal((status, code), (answer.Status, answer.Body.GetProperty("code").GetString()));
        }
    }

    static string?[] Inputs(JsonElement page) =>
        [.. page.GetProperty("items").EnumerateArray().Select(item => item.GetProperty("input").GetString())];
}
