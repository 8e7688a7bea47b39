using System.Security.Cryptography;
using System.Text;
using Flywheel.Core.Projects;
using Flywheel.Server.Gateway.Upstreams;

namespace Flywheel.Server.Gateway.Calls;

/// <summary>Plain answers of this process to requests that are equal to the byte, by project and node.</summary>
sealed class AnswerCache(GatewayOptions options, TimeProvider clock) : IErasureObserver
{
    readonly Lock _gate = new();
    readonly Dictionary<string, (byte[] Answer, long Until)> _answers = [];
    readonly Queue<(string Key, byte[] Answer)> _order = new();
    long _bytes;

    public static string KeyOf(GatewayCall call, ModelRoute route)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes($"{call.Caller.Project.Value}\n{call.Node}\n{call.Protocol.Path}\n{route.Upstream.Base}\n"));
        hash.AppendData(call.Body.Span);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>Forgets all answers, of every project: an answer may hold what a person asked to have deleted.</summary>
    public void Forget(ProjectId project)
    {
        lock (_gate)
        {
            _answers.Clear();
            _order.Clear();
            _bytes = 0;
        }
    }

    public byte[]? Find(string key)
    {
        lock (_gate)
            return _answers.TryGetValue(key, out var found) && found.Until > clock.GetTimestamp() ? found.Answer : null;
    }

    public void Keep(string key, ReadOnlySpan<byte> answer, TimeSpan time)
    {
        var limit = options.CacheMegabytes * 1024L * 1024;
        if (answer.Length > limit)
            return;
        var copy = answer.ToArray();
        var until = clock.GetTimestamp() + (long)(time.TotalSeconds * clock.TimestampFrequency);
        lock (_gate)
        {
            _answers[key] = (copy, until);
            _order.Enqueue((key, copy));
            _bytes += copy.Length;
            while (_bytes > limit && _order.TryDequeue(out var oldest))
            {
                _bytes -= oldest.Answer.Length;
                if (_answers.TryGetValue(oldest.Key, out var kept) && ReferenceEquals(kept.Answer, oldest.Answer))
                    _answers.Remove(oldest.Key);
            }
        }
    }
}
