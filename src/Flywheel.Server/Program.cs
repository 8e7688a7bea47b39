return await Flywheel.Server.Cli.Cli.RunAsync(args);
