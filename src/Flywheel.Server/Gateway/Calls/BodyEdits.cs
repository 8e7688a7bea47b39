using Flywheel.Server.Gateway.Wire;

namespace Flywheel.Server.Gateway.Calls;

/// <summary>Changes of a body at a few places; everything else stays as it came, byte for byte.</summary>
sealed class BodyEdits
{
    readonly List<(int Start, int Length, byte[] With)> _edits = [];

    public BodyEdits Copy()
    {
        var copy = new BodyEdits();
        copy._edits.AddRange(_edits);
        return copy;
    }

    public bool Any => _edits.Count > 0;

    public void Replace(JsonSlice slice, byte[] with) => _edits.Add((slice.Start, slice.Length, with));

    public void Insert(int at, byte[] what) => _edits.Add((at, 0, what));

    public byte[] Apply(ReadOnlySpan<byte> body)
    {
        _edits.Sort((a, b) => a.Start.CompareTo(b.Start));
        var length = body.Length;
        foreach (var (_, removed, with) in _edits)
            length += with.Length - removed;
        var edited = new byte[length];
        int from = 0, to = 0;
        foreach (var (start, removed, with) in _edits)
        {
            body[from..start].CopyTo(edited.AsSpan(to));
            to += start - from;
            with.CopyTo(edited.AsSpan(to));
            to += with.Length;
            from = start + removed;
        }
        body[from..].CopyTo(edited.AsSpan(to));
        return edited;
    }

    /// <summary>Where a slice of the body stands afterwards, grown by what was put into it.</summary>
    public JsonSlice Moved(JsonSlice slice)
    {
        var (start, length) = (slice.Start, slice.Length);
        foreach (var (at, removed, with) in _edits)
            if (at < slice.Start)
                start += with.Length - removed;
            else if (at < slice.End)
                length += with.Length - removed;
        return slice.IsPresent ? new JsonSlice(start, length) : slice;
    }
}
