using Flywheel.Core.Traces;

namespace Flywheel.Server.Features.Telemetry;

/// <summary>How much of the senders' requests is in memory; beyond the limit they are sent away for a moment.</summary>
sealed class OtlpLoad
{
    const long Limit = 128 * 1024 * 1024;

    static readonly TimeSpan Moment = TimeSpan.FromSeconds(1);

    long _bytes;

    /// <exception cref="OverloadedException">Too much is in memory already. One request alone always has room.</exception>
    public void Take(int bytes)
    {
        var now = Interlocked.Add(ref _bytes, bytes);
        if (now <= Limit || now == bytes)
            return;
        Interlocked.Add(ref _bytes, -bytes);
        throw new OverloadedException(Moment);
    }

    public void Give(int bytes) => Interlocked.Add(ref _bytes, -bytes);
}
