using System.Buffers;
using System.Text;

namespace Flywheel.Core.Retrieval;

/// <summary>
/// The hashed features of a text: words, pairs of neighbouring words, and runs of 3 to 5 characters inside words.
/// </summary>
/// <remarks>
/// <para>
/// A feature is one 64-bit number: bits 0-2 its <see cref="FeatureKind"/>, bit 15 its sign, bits 16-47 its place in
/// a vector, bits 48-63 its bucket in a <see cref="Lexicon"/>. The hash folds code points with an odd multiplier and
/// ends with the 64-bit finaliser of MurmurHash3 (Appleby, public domain). It is part of every stored vector: change
/// anything here and <see cref="LexicalEmbedder.Fingerprint"/> must change with it.
/// </para>
/// <para>
/// Letters and digits of any script form words; lower-cased, full-width forms and Latin accents folded, so that
/// "CAFÉ", "café" and "cafe" are one word. Each ideograph or kana is a word of its own, as those scripts put no
/// spaces. Lone surrogates count as separators. Each feature comes once, with how often it occurs.
/// </para>
/// </remarks>
internal sealed class TextFeatures
{
    /// <summary>Longer texts are cut here (code points): beyond it a bag of words says little more.</summary>
    public const int MaxCodePoints = 16_384;

    private const ulong Multiplier = 0x9E37_79B9_7F4A_7C15;
    private const int Boundary = ' ';

    [ThreadStatic] private static TextFeatures? t_shared;

    private int[] _codePoints = new int[256];
    private ulong[] _features = new ulong[1024];
    private int[] _occurrences = new int[1024];
    private int[] _slots = new int[2048];
    private int _count;

    /// <summary>The distinct features of a text in order of appearance; valid until the next call on this thread.</summary>
    /// <param name="occurrences">How often each occurs, 1 or more.</param>
    public static ReadOnlySpan<ulong> Of(ReadOnlySpan<char> text, out ReadOnlySpan<int> occurrences)
    {
        var shared = t_shared ??= new();
        shared.Collect(text);
        occurrences = shared._occurrences.AsSpan(0, shared._count);
        return shared._features.AsSpan(0, shared._count);
    }

    public static ReadOnlySpan<ulong> Of(ReadOnlySpan<char> text) => Of(text, out _);

    public static FeatureKind Kind(ulong feature) => (FeatureKind)(feature & 7);

    public static float Sign(ulong feature) => (feature & 0x8000) == 0 ? 1f : -1f;

    public static int Place(ulong feature, int dimensions) => (int)(((feature >> 16) & 0xFFFF_FFFF) * (ulong)dimensions >> 32);

    public static int Bucket(ulong feature) => (int)(feature >> 48);

    private void Collect(ReadOnlySpan<char> text)
    {
        _count = 0;
        Array.Clear(_slots);
        var length = Fold(text);
        ulong previous = 0;
        for (var start = 0; start < length;)
        {
            if (_codePoints[start] == Boundary)
            {
                start++;
                continue;
            }

            var end = start + 1;
            while (_codePoints[end] != Boundary)
                end++;

            var word = Hash(start, end);
            Add(word, FeatureKind.Word);
            if (previous != 0)
                Add(previous * Multiplier + word, FeatureKind.WordPair);
            previous = word;
            CharacterRuns(start - 1, end + 1);
            start = end;
        }
    }

    /// <summary>Runs of the word with one boundary on each side, so that prefixes and suffixes differ from middles.</summary>
    private void CharacterRuns(int from, int to)
    {
        for (var i = from; i < to; i++)
        {
            var hash = 0UL;
            for (var n = 1; n <= 5 && i + n <= to; n++)
            {
                hash = Step(hash, _codePoints[i + n - 1]);
                if (n >= 3)
                    Add(hash, FeatureKind.Run3 + (n - 3));
            }
        }
    }

    private ulong Hash(int start, int end)
    {
        var hash = 0UL;
        for (var i = start; i < end; i++)
            hash = Step(hash, _codePoints[i]);
        return hash == 0 ? 1 : hash;
    }

    private static ulong Step(ulong hash, int codePoint)
    {
        hash = (hash ^ (uint)codePoint) * Multiplier;
        return hash ^ (hash >> 29);
    }

    private void Add(ulong hash, FeatureKind kind)
    {
        hash += (ulong)(kind + 1) * 0xD6E8_FEB8_6659_FD93;
        hash = (hash ^ (hash >> 33)) * 0xFF51_AFD7_ED55_8CCD;
        hash = (hash ^ (hash >> 33)) * 0xC4CE_B9FE_1A85_EC53;
        hash ^= hash >> 33;
        var feature = (hash & ~7UL) | (ulong)kind;

        var slot = Slot(feature);
        if (_slots[slot] != 0)
        {
            _occurrences[_slots[slot] - 1]++;
            return;
        }

        if (_count == _features.Length)
        {
            Grow();
            slot = Slot(feature);
        }

        _features[_count] = feature;
        _occurrences[_count] = 1;
        _slots[slot] = ++_count;
    }

    /// <summary>Where the feature's number (counted from 1) is, or would go, by linear probing.</summary>
    private int Slot(ulong feature)
    {
        var mask = _slots.Length - 1;
        var slot = (int)(feature >> 20) & mask;
        while (_slots[slot] != 0 && _features[_slots[slot] - 1] != feature)
            slot = (slot + 1) & mask;
        return slot;
    }

    private void Grow()
    {
        Array.Resize(ref _features, _count * 2);
        Array.Resize(ref _occurrences, _count * 2);
        _slots = new int[_count * 4];
        for (var i = 0; i < _count; i++)
            _slots[Slot(_features[i])] = i + 1;
    }

    /// <summary>Writes folded code points with a boundary before, between and after words; returns how many.</summary>
    private int Fold(ReadOnlySpan<char> text)
    {
        var capacity = Math.Min(text.Length, MaxCodePoints) * 3 + 3;
        if (_codePoints.Length < capacity)
            _codePoints = new int[capacity];

        var count = 0;
        _codePoints[count++] = Boundary;
        for (var read = 0; !text.IsEmpty && read < MaxCodePoints; read++)
        {
            var status = Rune.DecodeFromUtf16(text, out var rune, out var consumed);
            text = text[consumed..];
            var folded = status == OperationStatus.Done ? TextFolding.Fold(rune) : Boundary;
            if (folded == TextFolding.Dropped)
                continue;
            var alone = TextFolding.IsWordOfItsOwn(folded);
            if (folded != Boundary || _codePoints[count - 1] != Boundary)
            {
                if (alone && _codePoints[count - 1] != Boundary)
                    _codePoints[count++] = Boundary;
                _codePoints[count++] = folded;
                if (alone)
                    _codePoints[count++] = Boundary;
            }
        }

        if (_codePoints[count - 1] != Boundary)
            _codePoints[count++] = Boundary;
        return count;
    }
}

internal enum FeatureKind { Word, WordPair, Run3, Run4, Run5 }
