using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace Flywheel.Client.Hosting;

/// <summary>Reads a section; a name that no setting has is an error, because it would be a setting that does nothing.</summary>
sealed class SectionSettings(string name, Func<IConfiguration?> section) : IConfigureNamedOptions<FlywheelHostOptions>
{
    public void Configure(string? name1, FlywheelHostOptions options)
    {
        if (name1 == name)
            Configure(options);
    }

    public void Configure(FlywheelHostOptions options) =>
        section()?.Bind(options, static binder => binder.ErrorOnUnknownConfiguration = true);
}

/// <summary>What the environment says, for settings that neither configuration nor code gave.</summary>
sealed class EnvironmentSettings(string name) : IPostConfigureOptions<FlywheelHostOptions>
{
    public void PostConfigure(string? name1, FlywheelHostOptions options)
    {
        if (name1 != name || options.Server is not null || options.Loop is not null || Read("FLYWHEEL_URL") is not { } url)
            return;
        options.Server = new(url, UriKind.RelativeOrAbsolute);
        options.ApiKey ??= Read("FLYWHEEL_API_KEY");
        options.Project ??= Read("FLYWHEEL_PROJECT");
        options.Outbox ??= Read("FLYWHEEL_OUTBOX");
    }

    static string? Read(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;
}

sealed class HostSettingsCheck(string name) : IValidateOptions<FlywheelHostOptions>
{
    public ValidateOptionsResult Validate(string? name1, FlywheelHostOptions options)
    {
        if (name1 != name)
            return ValidateOptionsResult.Skip;
        var what = name.Length == 0 ? "Flywheel" : $"Flywheel ({name})";
        if (options is { Server: null, Loop: null })
            return ValidateOptionsResult.Fail(
                $"{what} has no server: set `Flywheel:Server` in the configuration, `Server` in AddFlywheel, or FLYWHEEL_URL in the "
                    + "environment, to an address such as http://127.0.0.1:5151.");
        if (options is { Server: not null, Loop: not null })
            return ValidateOptionsResult.Fail($"{what} has both `Server` and `Loop`: set the one that is meant.");
        if (options.Server is { } server && (!server.IsAbsoluteUri || server.Scheme is not ("http" or "https")))
            return ValidateOptionsResult.Fail(
                $"{what}: `Server` is `{server}`: give an http or https address, such as http://127.0.0.1:5151.");
        if (options.PromptsFresh < TimeSpan.Zero)
            return ValidateOptionsResult.Fail($"{what}: `PromptsFresh` is {options.PromptsFresh}: give 0 or more.");
        try
        {
            options.Check();
        }
        catch (ArgumentException wrong)
        {
            return ValidateOptionsResult.Fail($"{what}: {wrong.Message}");
        }
        return ValidateOptionsResult.Success;
    }
}
