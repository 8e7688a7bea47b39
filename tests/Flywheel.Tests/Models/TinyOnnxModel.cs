using System.Runtime.InteropServices;
using System.Text;

namespace Flywheel.Tests.Models;

/// <summary>
/// A sentence model small enough to check by hand: each token's vector is its row of a table. Written as ONNX, which
/// is protobuf, field by field.
/// </summary>
internal static class TinyOnnxModel
{
    private const int Float = 1, Int64 = 7;

    /// <param name="table">A row a token id.</param>
    /// <param name="inputs">Names of the model's inputs; the first is looked up, the others are ignored.</param>
    public static byte[] Write(float[][] table, params string[] inputs)
    {
        var width = table[0].Length;
        var graph = Message(
            Field(1, Message(Field(1, "table"), Field(1, inputs[0]), Field(2, "last_hidden_state"), Field(4, "Gather"))),
            Field(2, "tiny"),
            Field(5, Message(
                Varint(1, table.Length), Varint(1, width), Varint(2, Float), Field(8, "table"),
                Field(9, MemoryMarshal.AsBytes(table.SelectMany(row => row).ToArray().AsSpan()).ToArray()))),
            [.. inputs.SelectMany(name => Field(11, Tensor(name, Int64, "batch", "tokens")))],
            Field(12, Tensor("last_hidden_state", Float, "batch", "tokens", width)));
        return Message(Varint(1, 8), Field(7, graph), Field(8, Message(Varint(2, 17))));
    }

    private static byte[] Tensor(string name, int type, params object[] shape)
    {
        var axes = shape.SelectMany(axis => Field(1, axis is int size ? Varint(1, size) : Field(2, (string)axis))).ToArray();
        return Message(Field(1, name), Field(2, Field(1, Message(Varint(1, type), Field(2, axes)))));
    }

    private static byte[] Message(params byte[][] fields) => [.. fields.SelectMany(field => field)];

    private static byte[] Field(int number, string text) => Field(number, Encoding.UTF8.GetBytes(text));

    private static byte[] Field(int number, byte[] content) => [.. Number((number << 3) | 2), .. Number(content.Length), .. content];

    private static byte[] Varint(int number, int value) => [.. Number(number << 3), .. Number(value)];

    private static IEnumerable<byte> Number(int value)
    {
        for (; value >= 0x80; value >>= 7)
            yield return (byte)(value | 0x80);
        yield return (byte)value;
    }
}
