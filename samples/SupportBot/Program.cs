using System.ClientModel;
using Flywheel.Demo.Orders;
using Flywheel.Demo;
using SupportBot;

using var interrupted = new CancellationTokenSource();
Console.CancelKeyPress += (_, pressed) =>
{
    pressed.Cancel = true;
    interrupted.Cancel();
};
if (args is [] or ["-h"] or ["--help"])
{
    Console.WriteLine(CommandLine.Usage);
    return args.Length == 0 ? 2 : 0;
}
try
{
    var command = CommandLine.Parse(args);
    var options = SupportBotOptions.FromEnvironment(Environment.GetEnvironmentVariable);
    using var orders = OrdersDatabase.Create();
    if (command.WriteExpected is { } file)
    {
        await File.WriteAllTextAsync(file, SupportMessages.Write(ExpectedRows.Of(SupportMessages.Load(), orders)), interrupted.Token);
        return 0;
    }
    await Conversation.RunAsync(command, options, orders, Console.Out, interrupted.Token);
    return 0;
}
catch (ArgumentException mistake)
{
    Console.Error.WriteLine(mistake.Message);
    Console.Error.WriteLine("See --help.");
    return 2;
}
catch (OperationCanceledException) when (interrupted.IsCancellationRequested)
{
    return 130;
}
catch (Exception fault) when (fault is HttpRequestException or ClientResultException or AggregateException)
{
    // The provider's library retries by itself and then throws all that it saw.
    Console.Error.WriteLine($"The model did not answer: {fault.GetBaseException().Message}. See SUPPORTBOT_ENDPOINT, _MODEL and _API_KEY.");
    return 1;
}
catch (IOException fault)
{
    Console.Error.WriteLine(fault.Message);
    return 1;
}
