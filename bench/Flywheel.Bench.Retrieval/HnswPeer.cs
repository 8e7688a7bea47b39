using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;

namespace Flywheel.Bench.Retrieval;

/// <summary>The peer: hnswlib through its Node.js package, the same rows and queries, one thread, M 16, efConstruction 200.</summary>
internal static class HnswPeer
{
    /// <param name="folder">Where <c>npm install hnswlib-node@3.0.0</c> was run.</param>
    public static JsonNode Measure(string folder, SpeedData data)
    {
        var work = Directory.CreateTempSubdirectory("flywheel-hnsw");
        try
        {
            var start = new ProcessStartInfo(
                "node",
                ["--max-old-space-size=8000", Path.Combine(AppContext.BaseDirectory, "hnswlib.mjs"), folder, Write("rows", data.Rows),
                    Write("queries", data.Queries), $"{SpeedData.Dimensions}"])
            {
                RedirectStandardOutput = true,
            };
            using var process = Process.Start(start)!;
            var output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0
                ? JsonNode.Parse(output)!
                : throw new InvalidOperationException($"hnswlib did not run: is hnswlib-node installed in {folder}?");
        }
        finally
        {
            work.Delete(recursive: true);
        }

        string Write(string name, float[][] vectors)
        {
            var path = Path.Combine(work.FullName, name);
            using var file = File.Create(path);
            foreach (var vector in vectors)
                file.Write(MemoryMarshal.AsBytes(vector.AsSpan()));
            return path;
        }
    }
}
