using System.CommandLine;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Engine.Projects;
using Spectre.Console;

namespace Flywheel.Server.Cli;

static class KeysCommand
{
    public static Command Create() =>
        new("keys", "Manage API keys") { CreateKey(), List(), Revoke() };

    static Command CreateKey()
    {
        var db = CommonOptions.Db();
        var project = CommonOptions.Project();
        var json = CommonOptions.Json();
        var name = new Option<string>("--name") { Description = "Purpose of the key", DefaultValueFactory = _ => "key" };
        var scope = new Option<string>(
            "--scope") { Description = "ingest, read, models, agent or admin", DefaultValueFactory = _ => "admin" };
        var days = new Option<int?>("--days") { Description = "Days until the key expires (default: never)" };
        var command = new Command("create", "Create a key and print it once; creates the project if it does not exist")
            { db, project, name, scope, days, json };
        command.SetAction(async (parsed, ct) =>
        {
            var request = new NewKeyRequest(
                parsed.GetValue(project)!, parsed.GetValue(name)!, parsed.GetValue(scope)!, parsed.GetValue(days));
            request.Check();
            await using var store = await CommonOptions.OpenAsync(parsed.GetValue(db), ct);
            await using var engine = CommandEngine.OverData(store);
            var (owner, key, secret) = await engine.Get<KeyService>().CreateAsync(request, ct);
            if (parsed.GetValue(json))
                Output.Json(new { id = key.Id, project = owner.Name, name = key.Name, scope = Wire.Name(key.Scope), secret,
                    expires_at = key.ExpiresAt });
            else
                Console.WriteLine($"{secret}\nKey `{key.Name}` of project `{owner.Name}`, scope {Wire.Name(key.Scope)}. It is not shown "
                    + "again.");
            return ExitCodes.Ok;
        });
        return command;
    }

    static Command List()
    {
        var common = new ProjectOptions();
        var command = new Command("list", "List the keys of a project without their secrets") { common.Db, common.Project, common.Json };
        command.SetAction((parsed, ct) => common.RunAsync<KeyService>(parsed, async (service, caller, json) =>
        {
            var keys = await service.ListAsync(caller, ct);
            if (json)
                Output.Json(keys.Select(key => new
                {
                    id = key.Id, name = key.Name, prefix = key.Prefix, scope = Wire.Name(key.Scope), created_at = key.CreatedAt,
                    expires_at = key.ExpiresAt, revoked_at = key.RevokedAt,
                }));
            else if (keys.Count == 0)
                Console.WriteLine($"Project `{parsed.GetValue(common.Project)}` has no keys: `flywheel keys create` makes one.");
            else
                Show(keys, TimeProvider.System.GetUtcNow());
        }, ct));
        return command;
    }

    static void Show(IReadOnlyList<ApiKey> keys, DateTimeOffset now)
    {
        var table = new Table().Border(TableBorder.Simple).AddColumns("id", "name", "prefix", "scope", "created", "state");
        foreach (var key in keys)
            table.AddRow(
                key.Id.ToString(), Markup.Escape(key.Name), key.Prefix + "...", Wire.Name(key.Scope),
                key.CreatedAt.ToString("yyyy-MM-dd", null),
                key.RevokedAt is not null ? "revoked" : key.ExpiresAt <= now ? "expired" : "valid");
        Output.People.Write(table);
    }

    static Command Revoke()
    {
        var common = new ProjectOptions();
        var id = new Argument<string>("id") { Description = "Id of the key, from `keys list`" };
        var command = new Command("revoke", "Revoke a key; it takes effect at once") { id, common.Db, common.Project, common.Json };
        command.SetAction((parsed, ct) => Guid.TryParse(parsed.GetValue(id), out var key)
            ? common.RunAsync<KeyService>(parsed, async (service, caller, json) =>
            {
                await service.RevokeAsync(caller, key, ct);
                if (json)
                    Output.Json(new { id = key, revoked = true });
                else
                    Console.WriteLine($"Key {key} is revoked.");
            }, ct)
            : throw new UsageException("The id must be a UUID, as `flywheel keys list` shows it."));
        return command;
    }
}
