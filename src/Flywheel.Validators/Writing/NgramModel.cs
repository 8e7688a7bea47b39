namespace Flywheel.Validators.Writing;

/// <summary>How well a text's characters can be foretold from the five before each: bits a character.</summary>
/// <remarks>
/// Interpolated Witten-Bell smoothing (Witten and Bell 1991) down to a uniform distribution over 256 characters. Contexts are kept
/// as 64-bit hashes. What was added can be taken away again, exactly.
/// </remarks>
sealed class NgramModel
{
    const int Order = 5;
    const double Uniform = 1.0 / 256;

    readonly Dictionary<ulong, (int Seen, int Kinds)> _contexts = [];
    readonly Dictionary<ulong, int> _followed = [];

    public void Add(string text) => Count(text, 1);

    public void Remove(string text) => Count(text, -1);

    /// <summary>NaN for an empty text.</summary>
    public double BitsPerCharacter(string text)
    {
        var bits = 0.0;
        for (var at = 0; at < text.Length; at++)
        {
            var p = Uniform;
            var hash = Start;
            for (var order = 0; order <= Order && order <= at; order++)
            {
                hash = order == 0 ? hash : Mix(hash, text[at - order]);
                if (!_contexts.TryGetValue(hash, out var context) || context.Seen == 0)
                    break;
                p = (_followed.GetValueOrDefault(Next(hash, text[at])) + context.Kinds * p) / (context.Seen + context.Kinds);
            }
            bits -= Math.Log2(p);
        }
        return bits / text.Length;
    }

    void Count(string text, int by)
    {
        for (var at = 0; at < text.Length; at++)
        {
            var hash = Start;
            for (var order = 0; order <= Order && order <= at; order++)
            {
                hash = order == 0 ? hash : Mix(hash, text[at - order]);
                var next = Next(hash, text[at]);
                var before = _followed.GetValueOrDefault(next);
                _followed[next] = before + by;
                var context = _contexts.GetValueOrDefault(hash);
                var kinds = (before > 0 ? 0 : 1) - (before + by > 0 ? 0 : 1);
                _contexts[hash] = (context.Seen + by, context.Kinds + kinds);
            }
        }
    }

    const ulong Start = 14695981039346656037;

    static ulong Mix(ulong hash, char c)
    {
        hash = (hash ^ c) * 0x9E3779B97F4A7C15;
        return hash ^ hash >> 29;
    }

    static ulong Next(ulong hash, char c) => Mix(hash ^ 0xD6E8FEB86659FD93, c);
}
