using System.Security.Cryptography;
using Flywheel.Core;
using Flywheel.Core.Datasets;
using Flywheel.Engine.Evaluation;

namespace Flywheel.Server.Files;

/// <summary>A JSONL, CSV or Parquet file as the rows of an evaluation.</summary>
sealed class EvalFile(string path) : IEvalSource
{
    public string Name => path;

    public DatasetVersion? Dataset => null;

    public async Task<(string Hash, long Rows)> FingerprintAsync(CancellationToken ct)
    {
        if (!File.Exists(path))
            throw RequestException.BadField("data", $"There is no file {path}: name JSONL or CSV rows with --data.");
        await using var file = File.OpenRead(path);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[1 << 16];
        var (lines, last) = (0L, (byte)'\n');
        for (int read; (read = await file.ReadAsync(buffer, ct)) > 0; last = buffer[read - 1])
        {
            hash.AppendData(buffer, 0, read);
            lines += buffer.AsSpan(0, read).Count((byte)'\n');
        }
        return (Convert.ToHexStringLower(hash.GetHashAndReset()), lines + (last == '\n' ? 0 : 1));
    }

    public IEnumerable<RawRow> Read(IReadOnlySet<int> done)
    {
        if (!RowFile.IsJsonl(path))
        {
            foreach (var (line, row) in RowFile.Read(path))
                if (!done.Contains(line))
                    yield return new(line, row.GetRawText());
            yield break;
        }
        var number = 0;
        foreach (var line in File.ReadLines(path))
            if (!done.Contains(++number) && !string.IsNullOrWhiteSpace(line))
                yield return new(number, line);
    }
}
