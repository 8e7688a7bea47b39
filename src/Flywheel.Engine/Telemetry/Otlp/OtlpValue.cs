namespace Flywheel.Engine.Telemetry.Otlp;

public enum OtlpKind : byte
{
    Empty,
    Text,
    Bool,
    Int,
    Double,
    Bytes,
    List,
    Map,
}

/// <summary>An attribute's value: OTLP's <c>AnyValue</c>.</summary>
public readonly struct OtlpValue
{
    readonly object? _reference;
    readonly long _bits;

    OtlpValue(OtlpKind kind, object? reference, long bits = 0) => (Kind, _reference, _bits) = (kind, reference, bits);

    public OtlpKind Kind { get; }

    public static OtlpValue Of(string text) => new(OtlpKind.Text, text);
    public static OtlpValue Of(bool value) => new(OtlpKind.Bool, null, value ? 1 : 0);
    public static OtlpValue Of(long value) => new(OtlpKind.Int, null, value);
    public static OtlpValue Of(double value) => new(OtlpKind.Double, null, BitConverter.DoubleToInt64Bits(value));
    public static OtlpValue Of(byte[] value) => new(OtlpKind.Bytes, value);
    public static OtlpValue Of(IReadOnlyList<OtlpValue> list) => new(OtlpKind.List, list);
    public static OtlpValue Of(IReadOnlyList<OtlpAttribute> map) => new(OtlpKind.Map, map);

    public string? Text => Kind == OtlpKind.Text ? (string)_reference! : null;
    public bool Bool => _bits != 0;
    public long Int => _bits;
    public double Double => BitConverter.Int64BitsToDouble(_bits);
    public byte[] Bytes => (byte[])_reference!;
    public IReadOnlyList<OtlpValue> List => Kind == OtlpKind.List ? (IReadOnlyList<OtlpValue>)_reference! : [];
    public IReadOnlyList<OtlpAttribute> Map => Kind == OtlpKind.Map ? (IReadOnlyList<OtlpAttribute>)_reference! : [];
}

/// <summary>A key and its value, as sent: a key may stand twice, and none is special.</summary>
public readonly record struct OtlpAttribute(string Key, OtlpValue Value);
