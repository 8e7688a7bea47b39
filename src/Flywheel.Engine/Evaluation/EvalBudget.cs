namespace Flywheel.Engine.Evaluation;

/// <summary>Dollars that a run may cost. A row is begun only when one as dear as the dearest so far would still fit.</summary>
/// <remarks>What a row costs is known afterwards, so the last rows may go over by what they cost more than any before.
/// Thread-safe.</remarks>
/// <param name="spent">By earlier starts of the run.</param>
public sealed class EvalBudget(double limitUsd, double spent, TimeProvider clock)
{
    static readonly TimeSpan Look = TimeSpan.FromMilliseconds(20);

    readonly Lock _gate = new();
    double _spent = spent, _dearest;
    int _working;
    bool _known, _refused;

    public double SpentUsd
    {
        get
        {
            lock (_gate)
                return _spent;
        }
    }

    /// <summary>True when rows were left because there was no money for them.</summary>
    public bool IsUsedUp
    {
        get
        {
            lock (_gate)
                return _refused;
        }
    }

    /// <returns>False when there is no money for a row.</returns>
    public async ValueTask<bool> EnterAsync(CancellationToken ct)
    {
        while (true)
        {
            lock (_gate)
            {
                if (_refused)
                    return false;
                // The first row goes alone: it tells what one costs.
                if (_working == 0 || _known)
                {
                    if (_spent + (_working + 1) * _dearest <= limitUsd && _spent < limitUsd)
                    {
                        _working++;
                        return true;
                    }
                    if (_working == 0)
                    {
                        _refused = true;
                        return false;
                    }
                }
            }
            await Task.Delay(Look, clock, ct).ConfigureAwait(false);
        }
    }

    public void Leave(double costUsd)
    {
        lock (_gate)
        {
            _spent += costUsd;
            _dearest = Math.Max(_dearest, costUsd);
            _working--;
            _known = true;
        }
    }
}
