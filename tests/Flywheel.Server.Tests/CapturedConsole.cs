using System.Runtime.CompilerServices;
using System.Text;

namespace Flywheel.Server.Tests;

/// <summary>What one flow of the tests writes to the console; the others write where they did.</summary>
internal sealed class CapturedConsole : IDisposable
{
    static readonly AsyncLocal<CapturedConsole?> Current = new();

    readonly StringWriter _output = new(), _errors = new();

    public string Output => _output.ToString();

    public string Errors => _errors.ToString();

    [ModuleInitializer]
    internal static void Install()
    {
        Console.SetOut(new Router(Console.Out, console => console._output));
        Console.SetError(new Router(Console.Error, console => console._errors));
    }

    public static CapturedConsole Begin() => Current.Value = new();

    public void Dispose() => Current.Value = null;

    sealed class Router(TextWriter otherwise, Func<CapturedConsole, TextWriter> captured) : TextWriter
    {
        public override Encoding Encoding => otherwise.Encoding;

        TextWriter Target => Current.Value is { } console ? captured(console) : otherwise;

        public override void Write(char value) => Target.Write(value);

        public override void Write(char[] buffer, int index, int count) => Target.Write(buffer, index, count);

        public override void Write(string? value) => Target.Write(value);

        public override void Flush() => Target.Flush();
    }
}
