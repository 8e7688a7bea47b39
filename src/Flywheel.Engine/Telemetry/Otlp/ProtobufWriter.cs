using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Flywheel.Engine.Telemetry.Otlp;

/// <summary>Writes protobuf fields; a message within is written by a nested call.</summary>
sealed class ProtobufWriter
{
    readonly ArrayBufferWriter<byte> _out = new();

    public ReadOnlySpan<byte> Written => _out.WrittenSpan;

    public byte[] ToArray() => _out.WrittenSpan.ToArray();

    public void Number(int field, long value)
    {
        if (value == 0)
            return;
        Varint((ulong)field << 3);
        Varint((ulong)value);
    }

    public void Fixed64(int field, ulong value)
    {
        Varint((ulong)field << 3 | 1);
        BinaryPrimitives.WriteUInt64LittleEndian(_out.GetSpan(8), value);
        _out.Advance(8);
    }

    public void Double(int field, double value) => Fixed64(field, BitConverter.DoubleToUInt64Bits(value));

    public void Text(int field, string? text)
    {
        if (!string.IsNullOrEmpty(text))
            Bytes(field, Encoding.UTF8.GetBytes(text));
    }

    public void Bytes(int field, ReadOnlySpan<byte> bytes)
    {
        Varint((ulong)field << 3 | 2);
        Varint((ulong)bytes.Length);
        _out.Write(bytes);
    }

    public void Message(int field, Action<ProtobufWriter> write)
    {
        var inner = new ProtobufWriter();
        write(inner);
        Bytes(field, inner.Written);
    }

    void Varint(ulong value)
    {
        var span = _out.GetSpan(10);
        var length = 0;
        for (; value >= 0x80; value >>= 7)
            span[length++] = (byte)(value | 0x80);
        span[length++] = (byte)value;
        _out.Advance(length);
    }
}
