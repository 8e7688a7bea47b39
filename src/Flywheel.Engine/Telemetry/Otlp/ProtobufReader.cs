using System.Buffers.Binary;
using System.Text;
using System.Text.Unicode;

namespace Flywheel.Engine.Telemetry.Otlp;

/// <summary>Reads one protobuf message's fields in the order of the wire; what it does not know is skipped.</summary>
ref struct ProtobufReader(ReadOnlySpan<byte> bytes)
{
    readonly ReadOnlySpan<byte> _bytes = bytes;
    int _at;

    public int Field { get; private set; }

    public int WireType { get; private set; }

    /// <summary>Moves to the next field.</summary>
    /// <exception cref="OtlpFormatException">The bytes are no protobuf.</exception>
    public bool Next()
    {
        if (_at == _bytes.Length)
            return false;
        var tag = Varint();
        if (tag >> 3 is 0 or > int.MaxValue)
            throw Broken("a field number is out of range");
        Field = (int)(tag >> 3);
        WireType = (int)(tag & 7);
        return true;
    }

    public ReadOnlySpan<byte> Bytes()
    {
        Expect(2);
        var length = Varint();
        if (length > (ulong)(_bytes.Length - _at))
            throw Broken("a length goes beyond the end");
        var part = _bytes.Slice(_at, (int)length);
        _at += (int)length;
        return part;
    }

    public string Text() => Text(Bytes());

    /// <exception cref="OtlpItemException">Not UTF-8, or with a NUL that no database should hold.</exception>
    public static string Text(ReadOnlySpan<byte> utf8)
    {
        if (utf8.Contains((byte)0))
            throw new OtlpItemException("holds a NUL character (U+0000): remove it.");
        return Utf8.IsValid(utf8)
            ? Encoding.UTF8.GetString(utf8) : throw new OtlpItemException("holds a text that is not UTF-8: encode it as UTF-8.");
    }

    public ulong Number()
    {
        Expect(0);
        return Varint();
    }

    public ulong Fixed64()
    {
        Expect(1);
        if (_bytes.Length - _at < 8)
            throw Broken("it ends within a number");
        var value = BinaryPrimitives.ReadUInt64LittleEndian(_bytes[_at..]);
        _at += 8;
        return value;
    }

    public void Skip()
    {
        switch (WireType)
        {
            case 0: Varint(); break;
            case 1: Move(8); break;
            case 2: Bytes(); break;
            case 5: Move(4); break;
            default: throw Broken($"wire type {WireType} is not used by OTLP");
        }
    }

    void Move(int count)
    {
        if (_bytes.Length - _at < count)
            throw Broken("it ends within a field");
        _at += count;
    }

    readonly void Expect(int wireType)
    {
        if (WireType != wireType)
            throw Broken($"field {Field} has wire type {WireType} instead of {wireType}");
    }

    ulong Varint()
    {
        ulong value = 0;
        for (var shift = 0; shift < 64; shift += 7)
        {
            if (_at == _bytes.Length)
                throw Broken("it ends within a number");
            var next = _bytes[_at++];
            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80)
                return value;
        }
        throw Broken("a number has more than ten bytes");
    }

    static OtlpFormatException Broken(string why) => new($"The body is not a protobuf message of OTLP: {why}.");
}
