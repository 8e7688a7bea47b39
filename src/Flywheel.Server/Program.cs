return await Flywheel.Server.Cli.Commands.RunAsync(args);
