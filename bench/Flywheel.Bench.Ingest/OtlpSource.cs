using System.Buffers.Binary;
using System.Globalization;
using Microsoft.Data.Sqlite;

namespace Flywheel.Bench.Ingest;

/// <summary>Export requests made of the spans that real exporters sent (recorded protobuf), under new ids.</summary>
sealed class OtlpSource
{
    readonly List<(byte[] Resource, byte[] Scope, List<byte[]> Spans)> _origins = [];
    long _next = DateTime.UtcNow.Ticks;

    /// <param name="folder">Holds <c>*.traces.pb</c>: one export request each.</param>
    public OtlpSource(string folder)
    {
        foreach (var file in Directory.GetFiles(folder, "*.traces.pb").Order(StringComparer.Ordinal))
            foreach (var (_, resourceSpans) in Fields(File.ReadAllBytes(file), 1))
            {
                var resource = Fields(resourceSpans, 1).Select(field => field.Content).FirstOrDefault([]);
                foreach (var (_, scopeSpans) in Fields(resourceSpans, 2))
                    _origins.Add((resource, Fields(scopeSpans, 1).Select(field => field.Content).FirstOrDefault([]),
                        [.. Fields(scopeSpans, 2).Select(field => field.Content)]));
            }
        if (_origins.Count == 0)
            throw new FileNotFoundException($"{folder} holds no *.traces.pb: name the folder of recorded requests with --otlp.");
    }

    /// <summary>One request of that many spans, taking turns among the exporters; the positions are those of span ids.</summary>
    public byte[] Body(int spans, out int[] positions)
    {
        var chosen = _origins.Select(_ => new List<byte[]>()).ToArray();
        for (var i = 0; i < spans; i++)
        {
            // A recorded request at a time, so that each has the weight of its real spans.
            var all = _origins.SelectMany((origin, at) => origin.Spans.Select(span => (at, span))).ToArray();
            var (origin, span) = all[i % all.Length];
            chosen[origin].Add(span);
        }
        using var request = new MemoryStream();
        for (var i = 0; i < chosen.Length; i++)
            if (chosen[i].Count > 0)
            {
                using var scope = new MemoryStream();
                Put(scope, 1, _origins[i].Scope);
                foreach (var span in chosen[i])
                    Put(scope, 2, span);
                using var resource = new MemoryStream();
                Put(resource, 1, _origins[i].Resource);
                Put(resource, 2, scope.ToArray());
                Put(request, 1, resource.ToArray());
            }
        var body = request.ToArray();
        positions = [.. Ids(body)];
        return positions.Length == spans ? body : throw new InvalidOperationException($"{positions.Length} ids for {spans} spans");
    }

    public void Patch(Span<byte> body, int[] positions)
    {
        foreach (var position in positions)
            BinaryPrimitives.WriteInt64BigEndian(body[position..], Interlocked.Increment(ref _next));
    }

    public string NextId() => Interlocked.Increment(ref _next).ToString("x16", CultureInfo.InvariantCulture);

    /// <summary>The rows that the product stored, with all their columns.</summary>
    public static List<object[]> Rows(string database)
    {
        using var connection = new SqliteConnection($"Data Source={database};Mode=ReadOnly;Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = $"SELECT {BareRows.SpanNames} FROM span ORDER BY id LIMIT 512";
        using var reader = command.ExecuteReader();
        var rows = new List<object[]>();
        while (reader.Read())
        {
            var row = new object[reader.FieldCount];
            reader.GetValues(row);
            rows.Add(row);
        }
        return rows;
    }

    /// <summary>Where the eight bytes of each span's id stand.</summary>
    static IEnumerable<int> Ids(byte[] body)
    {
        foreach (var (resourceAt, resource) in Fields(body, 1))
            foreach (var (scopeAt, scope) in Fields(resource, 2))
                foreach (var (spanAt, span) in Fields(scope, 2))
                    foreach (var (idAt, _) in Fields(span, 2))
                        yield return resourceAt + scopeAt + spanAt + idAt;
    }

    /// <summary>The length-delimited fields of one number, and where their content begins.</summary>
    static List<(int At, byte[] Content)> Fields(byte[] message, int number)
    {
        var fields = new List<(int, byte[])>();
        for (var at = 0; at < message.Length;)
        {
            var tag = Varint(message, ref at);
            switch (tag & 7)
            {
                case 0: Varint(message, ref at); break;
                case 1: at += 8; break;
                case 5: at += 4; break;
                default:
                    var length = (int)Varint(message, ref at);
                    if ((int)(tag >> 3) == number)
                        fields.Add((at, message[at..(at + length)]));
                    at += length;
                    break;
            }
        }
        return fields;
    }

    static ulong Varint(byte[] bytes, ref int at)
    {
        ulong value = 0;
        for (var shift = 0; ; shift += 7)
        {
            var next = bytes[at++];
            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80)
                return value;
        }
    }

    static void Put(MemoryStream to, int number, byte[] content)
    {
        to.WriteByte((byte)(number << 3 | 2));
        var length = (uint)content.Length;
        for (; length >= 0x80; length >>= 7)
            to.WriteByte((byte)(length | 0x80));
        to.WriteByte((byte)length);
        to.Write(content);
    }
}
