using Flywheel.Core;
using Flywheel.Core.Projects;

namespace Flywheel.Engine.Projects;

/// <summary>API keys: create, list, revoke.</summary>
public sealed class KeyService(IProjectStore projects, TimeProvider clock)
{
    /// <summary>Creates a key. Only someone who can open the database may: a key can reach any project.</summary>
    /// <exception cref="RequestException"><c>invalid_scope</c>, <c>invalid_days</c>, <c>invalid_project</c>.</exception>
    public async Task<CreatedKey> CreateAsync(NewKeyRequest request, CancellationToken ct)
    {
        var scope = request.Check();
        var now = clock.GetUtcNow();
        var owner = await projects.EnsureAsync(request.Project, now, ct);
        var secret = KeySecret.New();
        var key = new ApiKey(
            Guid.CreateVersion7(), owner.Id, request.Name, KeySecret.PrefixOf(secret), scope, now,
            request.Days is { } days ? now.AddDays(days) : null, null);
        await projects.AddKeyAsync(key, KeySecret.HashOf(secret), ct);
        return new(owner, key, secret);
    }

    public Task<IReadOnlyList<ApiKey>> ListAsync(Caller caller, CancellationToken ct) => projects.ListKeysAsync(caller.Project, ct);

    /// <summary>Revokes a key at once.</summary>
    /// <exception cref="RequestException"><c>unknown_key</c>.</exception>
    public async Task RevokeAsync(Caller caller, Guid id, CancellationToken ct)
    {
        if (!await projects.RevokeKeyAsync(caller.Project, id, clock.GetUtcNow(), ct))
            throw RequestException.NotFound("key", $"There is no key {id} in this project.", "id");
    }
}
