using System.Text;

namespace Flywheel.Engine.Telemetry.Otlp;

/// <summary>The keys of one request as strings, each made once: a batch repeats the same twenty keys for every span.</summary>
sealed class KeyCache
{
    const int Slots = 512;

    readonly string?[] _keys = new string?[Slots];

    public string Get(ReadOnlySpan<byte> utf8)
    {
        var hash = (uint)utf8.Length;
        foreach (var one in utf8)
            hash = (hash ^ one) * 16777619;
        ref var slot = ref _keys[(hash ^ hash >> 16) % Slots];
        if (slot is { } known && Same(known, utf8))
            return known;
        return slot = ProtobufReader.Text(utf8);
    }

    static bool Same(string known, ReadOnlySpan<byte> utf8) => known.Length == utf8.Length && Ascii.Equals(utf8, known);
}
