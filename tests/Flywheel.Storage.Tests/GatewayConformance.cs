using Flywheel.Core.Gateway;
using Flywheel.Core.Projects;

namespace Flywheel.Storage.Tests;

public abstract class GatewayConformance(ITestDatabases databases) : StoreConformance(databases)
{
    [Fact]
    public async Task A_nodes_policy_is_the_last_one_set_and_each_is_in_the_audit()
    {
        var first = new GatewayPolicy(Home, "intent", """{"retries": 1}""", "ann", Noon);
        var second = first with { Settings = """{"retries": 2}""", Author = "bo", UpdatedAt = Noon.AddHours(1) };

        Assert.Null(await Store.GatewayPolicies.FindAsync(Home, "intent", Ct));
        await Store.GatewayPolicies.SetAsync(first, Ct);
        await Store.GatewayPolicies.SetAsync(second, Ct);
        await Store.GatewayPolicies.SetAsync(first with { Node = "answer" }, Ct);

        Assert.Equal(second, await Store.GatewayPolicies.FindAsync(Home, "intent", Ct));
        Assert.Equal([first with { Node = "answer" }, second], await Store.GatewayPolicies.ListAsync(Home, Ct));
        Assert.Equal(
            [("gateway.policy", "answer"), ("gateway.policy", "intent"), ("gateway.policy", "intent")],
            (await Store.Audit.ListAsync(Home, 10, Ct)).Select(entry => (entry.Action, entry.Subject)));
        var other = await Store.Projects.EnsureAsync("other", Noon, Ct);
        Assert.Null(await Store.GatewayPolicies.FindAsync(other.Id, "intent", Ct));
    }

    [Fact]
    public async Task A_key_may_be_for_calling_models()
    {
        var key = new ApiKey(Guid.CreateVersion7(), Home, "app", "fw_1234567", KeyScope.Models, Noon, null, null);

        await Store.Projects.AddKeyAsync(key, new string('a', 64), Ct);

        Assert.Equal(key, await Store.Projects.FindKeyAsync(new string('a', 64), Ct));
    }
}
