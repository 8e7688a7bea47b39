namespace Flywheel.Engine.Telemetry.Otlp;

/// <summary>Export requests in protobuf (opentelemetry-proto 1.x, traces and logs); unknown fields are skipped.</summary>
/// <remarks>Hand-written: a generated parser makes an object for every value, which costs more than storing the span.</remarks>
public static class OtlpProtobuf
{
    public static OtlpBatch<OtlpSpan> Traces(ReadOnlySpan<byte> body) => Request(body, spans: true, ReadSpan);

    public static OtlpBatch<OtlpLog> Logs(ReadOnlySpan<byte> body) => Request(body, spans: false, ReadLog);

    delegate T ReadItem<T>(ReadOnlySpan<byte> bytes, OtlpOrigin origin, KeyCache keys);

    static OtlpBatch<T> Request<T>(ReadOnlySpan<byte> body, bool spans, ReadItem<T> read)
    {
        var batch = new OtlpBatch<T>();
        var keys = new KeyCache();
        var what = spans ? "A span" : "A log record";
        var request = new ProtobufReader(body);
        while (request.Next())
            if (request.Field == 1)
                Resource(request.Bytes(), batch, keys, what, read);
            else
                request.Skip();
        return batch;
    }

    static void Resource<T>(ReadOnlySpan<byte> bytes, OtlpBatch<T> batch, KeyCache keys, string what, ReadItem<T> read)
    {
        // The resource may stand behind what it describes, so it is looked for first.
        List<OtlpAttribute> resource = [];
        var fields = new ProtobufReader(bytes);
        while (fields.Next())
            if (fields.Field == 1)
                resource = Attributes(fields.Bytes(), 1, keys);
            else
                fields.Skip();
        fields = new ProtobufReader(bytes);
        while (fields.Next())
            if (fields.Field == 2)
                Scope(fields.Bytes(), resource, batch, keys, what, read);
            else
                fields.Skip();
    }

    static void Scope<T>(
        ReadOnlySpan<byte> bytes, List<OtlpAttribute> resource, OtlpBatch<T> batch, KeyCache keys, string what, ReadItem<T> read)
    {
        string? name = null, version = null;
        List<OtlpAttribute> attributes = [];
        var fields = new ProtobufReader(bytes);
        while (fields.Next())
        {
            if (fields.Field != 1)
            {
                fields.Skip();
                continue;
            }
            var scope = fields.Bytes();
            attributes = Attributes(scope, 3, keys);
            var inner = new ProtobufReader(scope);
            while (inner.Next())
                switch (inner.Field)
                {
                    case 1: name = Tolerant(inner.Bytes()); break;
                    case 2: version = Tolerant(inner.Bytes()); break;
                    default: inner.Skip(); break;
                }
        }
        var origin = new OtlpOrigin { Resource = resource, Scope = name, ScopeVersion = version, ScopeAttributes = attributes };
        fields = new ProtobufReader(bytes);
        while (fields.Next())
        {
            if (fields.Field != 2)
            {
                fields.Skip();
                continue;
            }
            var item = fields.Bytes();
            if (batch.Items.Count + batch.Rejected >= OtlpLimits.MaxItems)
                throw new OtlpFormatException($"The request holds more than {OtlpLimits.MaxItems:N0} items: send several requests.");
            try
            {
                batch.Items.Add(read(item, origin, keys));
            }
            catch (Exception e) when (e is OtlpFormatException or OtlpItemException)
            {
                batch.Reject(e is OtlpItemException ? $"{what} {e.Message}" : $"{what} cannot be read: {e.Message}");
            }
        }
    }

    /// <summary>Texts that describe the sender must not cost its spans.</summary>
    static string? Tolerant(ReadOnlySpan<byte> utf8) => System.Text.Encoding.UTF8.GetString(utf8).Replace('\0', '\uFFFD');

    /// <summary>The attributes in a message that has them under the field number; a bad one is left out.</summary>
    static List<OtlpAttribute> Attributes(ReadOnlySpan<byte> bytes, int field, KeyCache keys)
    {
        var attributes = new List<OtlpAttribute>();
        var fields = new ProtobufReader(bytes);
        while (fields.Next())
        {
            if (fields.Field != field)
            {
                fields.Skip();
                continue;
            }
            var pair = fields.Bytes();
            try
            {
                attributes.Add(Attribute(pair, keys, 0));
            }
            catch (OtlpItemException)
            {
            }
        }
        return attributes;
    }

    static OtlpSpan ReadSpan(ReadOnlySpan<byte> bytes, OtlpOrigin origin, KeyCache keys)
    {
        var span = new OtlpSpan { Origin = origin };
        var fields = new ProtobufReader(bytes);
        while (fields.Next())
            switch (fields.Field)
            {
                case 1: span.Trace = Id(fields.Bytes(), 16, "trace_id"); break;
                case 2: span.Id = Id(fields.Bytes(), 8, "span_id"); break;
                case 3: span.TraceState = fields.Text(); break;
                case 4: span.Parent = OptionalId(fields.Bytes(), 8, "parent_span_id"); break;
                case 5: span.Name = keys.Get(fields.Bytes()); break;
                case 6: span.Kind = (int)fields.Number(); break;
                case 7: span.Start = fields.Fixed64(); break;
                case 8: span.End = fields.Fixed64(); break;
                case 9:
                    span.Attributes.Add(Attribute(fields.Bytes(), keys, 0));
                    OtlpLimits.Attributes(span.Attributes.Count);
                    break;
                case 11: span.Events.Add(ReadEvent(fields.Bytes(), keys)); break;
                case 13: span.Links.Add(ReadLink(fields.Bytes(), keys)); break;
                case 15:
                    var status = new ProtobufReader(fields.Bytes());
                    while (status.Next())
                        switch (status.Field)
                        {
                            case 2: span.StatusMessage = status.Text(); break;
                            case 3: span.StatusCode = (int)status.Number(); break;
                            default: status.Skip(); break;
                        }
                    break;
                default: fields.Skip(); break;
            }
        if (span.Trace.Length == 0)
            throw new OtlpItemException("has no trace_id: give 16 bytes.");
        return span.Id.Length > 0 ? span : throw new OtlpItemException("has no span_id: give 8 bytes.");
    }

    static OtlpEvent ReadEvent(ReadOnlySpan<byte> bytes, KeyCache keys)
    {
        var (name, at) = ("", 0ul);
        var attributes = new List<OtlpAttribute>();
        var fields = new ProtobufReader(bytes);
        while (fields.Next())
            switch (fields.Field)
            {
                case 1: at = fields.Fixed64(); break;
                case 2: name = keys.Get(fields.Bytes()); break;
                case 3: attributes.Add(Attribute(fields.Bytes(), keys, 0)); break;
                default: fields.Skip(); break;
            }
        OtlpLimits.Attributes(attributes.Count);
        return new(name, at, attributes);
    }

    static OtlpLink ReadLink(ReadOnlySpan<byte> bytes, KeyCache keys)
    {
        var (trace, span) = ("", "");
        var attributes = new List<OtlpAttribute>();
        var fields = new ProtobufReader(bytes);
        while (fields.Next())
            switch (fields.Field)
            {
                case 1: trace = Convert.ToHexStringLower(fields.Bytes()); break;
                case 2: span = Convert.ToHexStringLower(fields.Bytes()); break;
                case 4: attributes.Add(Attribute(fields.Bytes(), keys, 0)); break;
                default: fields.Skip(); break;
            }
        return new(trace, span, attributes);
    }

    static OtlpLog ReadLog(ReadOnlySpan<byte> bytes, OtlpOrigin origin, KeyCache keys)
    {
        var log = new OtlpLog { Origin = origin };
        ulong observed = 0;
        var fields = new ProtobufReader(bytes);
        while (fields.Next())
            switch (fields.Field)
            {
                case 1: log.UnixNano = fields.Fixed64(); break;
                case 5: log.Body = Value(fields.Bytes(), keys, 0); break;
                case 6:
                    log.Attributes.Add(Attribute(fields.Bytes(), keys, 0));
                    OtlpLimits.Attributes(log.Attributes.Count);
                    break;
                case 9: log.Trace = OptionalId(fields.Bytes(), 16, "trace_id"); break;
                case 10: log.Span = OptionalId(fields.Bytes(), 8, "span_id"); break;
                case 11: observed = fields.Fixed64(); break;
                case 12: log.EventName = keys.Get(fields.Bytes()); break;
                default: fields.Skip(); break;
            }
        if (log.UnixNano == 0)
            log.UnixNano = observed;
        return log;
    }

    static string? OptionalId(ReadOnlySpan<byte> bytes, int length, string field) =>
        bytes.Length == 0 || !bytes.ContainsAnyExcept((byte)0) ? null : Id(bytes, length, field);

    static string Id(ReadOnlySpan<byte> bytes, int length, string field)
    {
        if (bytes.Length != length)
            throw new OtlpItemException($"has a {field} of {bytes.Length} bytes: give {length}.");
        return bytes.ContainsAnyExcept((byte)0)
            ? Convert.ToHexStringLower(bytes)
            : throw new OtlpItemException($"has a {field} of zeros only: give it an id.");
    }

    static OtlpAttribute Attribute(ReadOnlySpan<byte> bytes, KeyCache keys, int depth)
    {
        var key = "";
        OtlpValue value = default;
        var fields = new ProtobufReader(bytes);
        while (fields.Next())
            switch (fields.Field)
            {
                case 1: key = keys.Get(fields.Bytes()); break;
                case 2: value = Value(fields.Bytes(), keys, depth); break;
                default: fields.Skip(); break;
            }
        return new(key, value);
    }

    static OtlpValue Value(ReadOnlySpan<byte> bytes, KeyCache keys, int depth)
    {
        if (depth > OtlpLimits.MaxDepth)
            throw new OtlpItemException($"has an attribute more than {OtlpLimits.MaxDepth} levels deep: flatten it.");
        OtlpValue value = default;
        var fields = new ProtobufReader(bytes);
        while (fields.Next())
            switch (fields.Field)
            {
                case 1: value = OtlpValue.Of(fields.Text()); break;
                case 2: value = OtlpValue.Of(fields.Number() != 0); break;
                case 3: value = OtlpValue.Of((long)fields.Number()); break;
                case 4: value = OtlpValue.Of(BitConverter.UInt64BitsToDouble(fields.Fixed64())); break;
                case 5:
                    var list = new List<OtlpValue>();
                    var items = new ProtobufReader(fields.Bytes());
                    while (items.Next())
                        if (items.Field == 1)
                            list.Add(Value(items.Bytes(), keys, depth + 1));
                        else
                            items.Skip();
                    value = OtlpValue.Of(list);
                    break;
                case 6:
                    var map = new List<OtlpAttribute>();
                    var pairs = new ProtobufReader(fields.Bytes());
                    while (pairs.Next())
                        if (pairs.Field == 1)
                            map.Add(Attribute(pairs.Bytes(), keys, depth + 1));
                        else
                            pairs.Skip();
                    value = OtlpValue.Of(map);
                    break;
                case 7: value = OtlpValue.Of(fields.Bytes().ToArray()); break;
                default: fields.Skip(); break;
            }
        return value;
    }
}
