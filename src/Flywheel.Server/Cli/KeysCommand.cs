using System.CommandLine;
using Flywheel.Core;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Server.Api;
using Spectre.Console;

namespace Flywheel.Server.Cli;

static class KeysCommand
{
    const int MaxDays = 36_500;

    /// <summary>As the table of projects wants it.</summary>
    const int MaxProjectName = 200;

    public static Command Create() =>
        new("keys", "API keys: create, list, revoke") { CreateKey(), List(), Revoke() };

    static Command CreateKey()
    {
        var db = CommonOptions.Db();
        var project = CommonOptions.Project();
        var json = CommonOptions.Json();
        var name = new Option<string>("--name") { Description = "What the key is for", DefaultValueFactory = _ => "key" };
        var scope = new Option<string>("--scope") { Description = "ingest, read, models, agent or admin", DefaultValueFactory = _ => "admin" };
        var days = new Option<int?>("--days") { Description = "Days until it expires (default: never)" };
        var command = new Command("create", "Create a key; its secret is shown once. A new project name creates the project")
            { db, project, name, scope, days, json };
        command.SetAction(async (parsed, ct) =>
        {
            var wanted = Wire.Parse<KeyScope>(parsed.GetValue(scope))
                ?? throw new UsageException($"--scope is `{parsed.GetValue(scope)}`: use {Wire.Choices<KeyScope>()}.");
            if (parsed.GetValue(days) is < 1 or > MaxDays)
                throw new UsageException($"--days must be a whole number from 1 to {MaxDays}.");
            if (parsed.GetValue(project)!.Length is 0 or > MaxProjectName)
                throw new UsageException($"--project must have 1 to {MaxProjectName} characters.");
            await using var store = await CommonOptions.OpenAsync(parsed.GetValue(db), ct);
            var now = TimeProvider.System.GetUtcNow();
            var owner = await store.Projects.EnsureAsync(parsed.GetValue(project)!, now, ct);
            var secret = Access.NewSecret();
            var key = new ApiKey(
                Guid.CreateVersion7(), owner.Id, parsed.GetValue(name)!, secret[..10], wanted, now,
                parsed.GetValue(days) is { } count ? now.AddDays(count) : null, null);
            await store.Projects.AddKeyAsync(key, Access.HashOf(secret), ct);
            if (parsed.GetValue(json))
                Output.Json(new { id = key.Id, project = owner.Name, name = key.Name, scope = Wire.Name(wanted), secret, expires_at = key.ExpiresAt });
            else
                Console.WriteLine($"{secret}\nKey `{key.Name}` of project `{owner.Name}`, scope {Wire.Name(wanted)}. It is not shown again.");
            return ExitCodes.Ok;
        });
        return command;
    }

    static Command List()
    {
        var db = CommonOptions.Db();
        var project = CommonOptions.Project();
        var json = CommonOptions.Json();
        var command = new Command("list", "Keys of a project, without their secrets") { db, project, json };
        command.SetAction(async (parsed, ct) =>
        {
            await using var store = await CommonOptions.OpenExistingAsync(parsed.GetValue(db), ct);
            var owner = await CommonOptions.ProjectAsync(store, parsed.GetValue(project)!, ct);
            var keys = await store.Projects.ListKeysAsync(owner.Id, ct);
            if (parsed.GetValue(json))
            {
                Output.Json(keys.Select(key => new { id = key.Id, name = key.Name, prefix = key.Prefix, scope = Wire.Name(key.Scope), created_at = key.CreatedAt, expires_at = key.ExpiresAt, revoked_at = key.RevokedAt }));
                return ExitCodes.Ok;
            }
            if (keys.Count == 0)
            {
                Console.WriteLine($"Project `{owner.Name}` has no keys: `flywheel keys create` makes one.");
                return ExitCodes.Ok;
            }
            var table = new Table().Border(TableBorder.Simple).AddColumns("id", "name", "prefix", "scope", "created", "state");
            foreach (var key in keys)
                table.AddRow(
                    key.Id.ToString(), Markup.Escape(key.Name), key.Prefix + "...", Wire.Name(key.Scope), key.CreatedAt.ToString("yyyy-MM-dd", null),
                    key.RevokedAt is not null ? "revoked" : key.ExpiresAt <= TimeProvider.System.GetUtcNow() ? "expired" : "valid");
            Output.People.Write(table);
            return ExitCodes.Ok;
        });
        return command;
    }

    static Command Revoke()
    {
        var db = CommonOptions.Db();
        var project = CommonOptions.Project();
        var id = new Argument<string>("id") { Description = "The key's id, from `keys list`" };
        var json = CommonOptions.Json();
        var command = new Command("revoke", "Revoke a key at once") { id, db, project, json };
        command.SetAction(async (parsed, ct) =>
        {
            if (!Guid.TryParse(parsed.GetValue(id), out var key))
                throw new UsageException("The id must be a UUID, as `flywheel keys list` shows it.");
            await using var store = await CommonOptions.OpenExistingAsync(parsed.GetValue(db), ct);
            var owner = await CommonOptions.ProjectAsync(store, parsed.GetValue(project)!, ct);
            if (!await store.Projects.RevokeKeyAsync(owner.Id, key, TimeProvider.System.GetUtcNow(), ct))
                throw new FlywheelException($"Project `{owner.Name}` has no key {key}.");
            if (parsed.GetValue(json))
                Output.Json(new { id = key, revoked = true });
            else
                Console.WriteLine($"Key {key} is revoked.");
            return ExitCodes.Ok;
        });
        return command;
    }
}
