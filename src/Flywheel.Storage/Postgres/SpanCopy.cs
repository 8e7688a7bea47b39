using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Traces;

namespace Flywheel.Storage.Postgres;

/// <summary>
/// The rows of one request as COPY takes them in binary, made on the caller's thread: whoever sends them sends bytes. The driver's
/// importer does the same field by field at three times the cost.
/// </summary>
/// <remarks>Format: PostgreSQL's documentation of COPY, "Binary Format".</remarks>
internal sealed class SpanCopy : IDisposable
{
    public const string Columns =
        """
        project_id, trace_id, span_id, parent_id, node, kind, started_at, duration_ms, received_at, session, end_user, model,
            input_tokens, output_tokens, cost_usd, error, demonstrations, input, output, attributes, response_id, prompt,
            prompt_version, turn
        """;

    const short Fields = 24;
    const int Null = -1;

    /// <summary>Bytes of UTF-8 that one character may take.</summary>
    const int MaxBytes = 3;

    /// <summary>Of a row, beside its texts: the count, each field's length and the numbers.</summary>
    const int RowSize = sizeof(short) + Fields * (sizeof(int) + sizeof(long));

    /// <summary>Half a surrogate pair has no bytes: nobody is served by a text that was changed.</summary>
    static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    byte[] bytes;
    int length;

    public SpanCopy(ProjectId project, IReadOnlyList<NewSpan> spans, DateTimeOffset receivedAt)
    {
        var size = 0;
        foreach (var span in spans)
            size += RowSize + 256 + (span.Input?.Length ?? 0) + (span.Output?.Length ?? 0) + (span.Attributes?.Length ?? 0);
        bytes = ArrayPool<byte>.Shared.Rent(size + size / 8);
        var received = Timestamps.Micros(receivedAt);
        foreach (var span in spans)
        {
            Reserve(RowSize);
            BinaryPrimitives.WriteInt16BigEndian(bytes.AsSpan(length), Fields);
            length += sizeof(short);
            Number(project.Value);
            Text(span.Key.Trace);
            Text(span.Key.Span);
            Text(span.ParentId);
            Text(span.Node);
            Text(Wire.Name(span.Kind));
            Number(Timestamps.Micros(span.StartedAt));
            Number(span.DurationMs);
            Number(received);
            Text(span.Session);
            Text(span.EndUser);
            Text(span.Model);
            Number(span.InputTokens);
            Number(span.OutputTokens);
            Number(span.CostUsd);
            Text(span.Error);
            Text(Rows.Json(span.Demonstrations));
            Text(span.Input);
            Text(span.Output);
            Text(span.Attributes);
            var marks = SpanMarks.Of(span.Attributes);
            Text(marks.ResponseId);
            Text(marks.Prompt);
            Number(marks.PromptVersion);
            Number(marks.Turn);
        }
    }

    /// <summary>Before the first request's rows: signature, no flags, no extension.</summary>
    public static ReadOnlyMemory<byte> Head { get; } = "PGCOPY\n"u8.ToArray()
        .Concat<byte>([0xFF, (byte)'\r', (byte)'\n', 0, 0, 0, 0, 0, 0, 0, 0, 0]).ToArray();

    /// <summary>After the last row.</summary>
    public static ReadOnlyMemory<byte> Tail { get; } = new byte[] { 0xFF, 0xFF };

    public ReadOnlyMemory<byte> Bytes
    {
        get
        {
            ObjectDisposedException.ThrowIf(bytes.Length == 0, this);
            return bytes.AsMemory(0, length);
        }
    }

    public void Dispose()
    {
        var rented = Interlocked.Exchange(ref bytes, []);
        if (rented.Length > 0)
            ArrayPool<byte>.Shared.Return(rented);
    }

    void Text(string? value)
    {
        if (value is null)
        {
            Length(Null);
            return;
        }
        // The numbers that stand behind the last text have their room too.
        Reserve(value.Length * MaxBytes + RowSize);
        var size = Utf8.GetBytes(value, bytes.AsSpan(length + sizeof(int)));
        Length(size);
        length += size;
    }

    void Number(long value)
    {
        Length(sizeof(long));
        BinaryPrimitives.WriteInt64BigEndian(bytes.AsSpan(length), value);
        length += sizeof(long);
    }

    void Number(double value) => Number(BitConverter.DoubleToInt64Bits(value));

    void Number(double? value)
    {
        if (value is { } number)
            Number(number);
        else
            Length(Null);
    }

    void Number(int? value)
    {
        if (value is not { } number)
        {
            Length(Null);
            return;
        }
        Length(sizeof(int));
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(length), number);
        length += sizeof(int);
    }

    void Length(int size)
    {
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(length), size);
        length += sizeof(int);
    }

    void Reserve(int more)
    {
        if (bytes.Length - length >= more)
            return;
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(bytes.Length * 2, length + more));
        bytes.AsSpan(0, length).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(bytes);
        bytes = larger;
    }
}
