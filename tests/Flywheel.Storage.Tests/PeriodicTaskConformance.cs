using Flywheel.Core.Jobs;

namespace Flywheel.Storage.Tests;

public abstract class PeriodicTaskConformance(ITestDatabases databases) : StoreConformance(databases)
{
    IPeriodicTaskStore Leases => Store.PeriodicTasks;

    [Fact]
    public async Task One_of_many_that_ask_at_once_gets_the_lease()
    {
        var granted = await Task.WhenAll(
            Enumerable.Range(0, 8).Select(i => Leases.ClaimAsync("plan", $"p{i}", Noon, Noon.AddMinutes(1), Ct)));

        Assert.Single(granted, isHeld => isHeld);
    }

    [Fact]
    public async Task A_lease_is_extended_by_its_holder_and_taken_by_another_once_it_ended()
    {
        Assert.True(await Leases.ClaimAsync("plan", "one", Noon, Noon.AddSeconds(30), Ct));
        Assert.False(await Leases.ClaimAsync("plan", "two", Noon.AddSeconds(29), Noon.AddSeconds(59), Ct));
        Assert.True(await Leases.ClaimAsync("watch", "two", Noon, Noon.AddSeconds(30), Ct));
        Assert.True(await Leases.ClaimAsync("plan", "one", Noon.AddSeconds(29), Noon.AddSeconds(59), Ct));
        Assert.False(await Leases.ClaimAsync("plan", "two", Noon.AddSeconds(58), Noon.AddSeconds(90), Ct));

        Assert.True(await Leases.ClaimAsync("plan", "two", Noon.AddSeconds(59), Noon.AddSeconds(89), Ct));
        Assert.False(await Leases.ClaimAsync("plan", "one", Noon.AddSeconds(60), Noon.AddSeconds(90), Ct));
    }

    [Fact]
    public async Task Only_the_holder_gives_a_lease_back()
    {
        await Leases.ClaimAsync("plan", "one", Noon, Noon.AddSeconds(30), Ct);

        await Leases.ReleaseAsync("plan", "two", Ct);
        Assert.False(await Leases.ClaimAsync("plan", "two", Noon, Noon.AddSeconds(30), Ct));
        await Leases.ReleaseAsync("plan", "one", Ct);
        Assert.True(await Leases.ClaimAsync("plan", "two", Noon, Noon.AddSeconds(30), Ct));
    }
}
