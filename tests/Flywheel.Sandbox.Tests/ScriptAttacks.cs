namespace Flywheel.SandboxTests;

/// <summary>Scripts that look for a way out, or for a way not to end. A way out puts what it read into <c>globalThis.leak</c>.</summary>
internal static class ScriptAttacks
{
    public static IEnumerable<string> All(string secretFile) => WaysOut.Select(script => Catching(script, secretFile)).Concat(Endless);

    /// <summary>Ways to files, the network and the environment.</summary>
    public static IEnumerable<string> WaysOut =>
    [
        "System.IO.File.ReadAllText('{file}')", "System.Environment.GetEnvironmentVariable('FLYWHEEL_CANARY')",
        "System.Environment.GetEnvironmentVariables()['FLYWHEEL_CANARY']", "System.IO.Directory.GetFiles('/').length + ''",
        "System.Diagnostics.Process.Start('env')",
        "importNamespace('System.IO').File.ReadAllText('{file}')",
        "importNamespace('System').Environment.GetEnvironmentVariable('FLYWHEEL_CANARY')", "clr.System.IO.File.ReadAllText('{file}')",
        "host.System.IO.File.ReadAllText('{file}')",
        "require('fs').readFileSync('{file}', 'utf8')", "require('node:fs').readFileSync('{file}', 'utf8')",
        "require('child_process').execSync('env') + ''", "require('os').hostname()", "require('net').connect(80)",
        "require('http').get('http://127.0.0.1')", "module.require('fs').readFileSync('{file}')", "module.constructor._load('fs')",
        "process.env.FLYWHEEL_CANARY", "globalThis.process.env.FLYWHEEL_CANARY", "process.binding('fs')",
        "process.mainModule.require('fs').readFileSync('{file}')", "global.process.env.FLYWHEEL_CANARY",
        "Deno.readTextFileSync('{file}')", "Deno.env.get('FLYWHEEL_CANARY')", "Deno.run({ cmd: ['env'] })", "Bun.file('{file}').text()",
        "Bun.env.FLYWHEEL_CANARY", "std.loadFile('{file}')", "std.getenv('FLYWHEEL_CANARY')", "os.readdir('/')[0][0]", "os.exec(['env'])",
        "read('{file}')", "readFile('{file}')", "load('{file}')", "snarf('{file}')", "readline()", "open('{file}').read()",
        "java.lang.System.getenv('FLYWHEEL_CANARY')", "Java.type('java.lang.System').getenv('FLYWHEEL_CANARY')",
        "Packages.java.io.File('{file}')", "Polyglot.eval('python', 'open(\"{file}\").read()')",
        "fetch('http://127.0.0.1/').then(r => { globalThis.leak = r })", "new XMLHttpRequest().open('GET', 'file://{file}')",
        "new WebSocket('ws://127.0.0.1')", "navigator.sendBeacon('http://127.0.0.1')", "importScripts('file://{file}')",
        "new Worker('file://{file}')", "new EventSource('http://127.0.0.1')", "document.cookie", "window.location.href",
        "localStorage.getItem('FLYWHEEL_CANARY')", "new ActiveXObject('Scripting.FileSystemObject').OpenTextFile('{file}').ReadAll()",
        "WScript.CreateObject('WScript.Shell').Environment('FLYWHEEL_CANARY')",
        "(function () {}).constructor('return process.env.FLYWHEEL_CANARY')()",
        "[].constructor.constructor('return System.IO.File.ReadAllText(\"{file}\")')()",
        "new Function('return require(\"fs\")')().readFileSync('{file}')", "eval('System.IO.File.ReadAllText(\"{file}\")')",
        "(0, eval)('process.env.FLYWHEEL_CANARY')", "Reflect.construct(Function, ['return process'])().env.FLYWHEEL_CANARY",
        "(async () => {}).constructor('return process.env')()",
        "(function* () {}).constructor('yield process.env')().next().value.FLYWHEEL_CANARY",
        "({}).GetType().Assembly.Location", "assert.GetType().Assembly.GetType('System.IO.File')", "'x'.GetType().Assembly.CodeBase",
        "console.log.GetType().Module.FullyQualifiedName", "Object.getPrototypeOf(console).GetType()",
        "new Error().stack.includes('/work') ? new Error().stack : undefined.x",
        "globalThis.System.Type.GetType('System.IO.File').GetMethod('ReadAllText').Invoke(null, ['{file}'])",
    ];

    public static IEnumerable<string> Endless =>
    [
        "while (true) {}", "for (;;) {}", "do {} while (1)", "let x = 0; while (true) x++;", "(function f() { f() })()",
        "const f = () => f(); f()", "const o = { get a() { return this.a } }; o.a",
        "const p = new Proxy({}, { get(t, k, r) { return r[k] } }); p.a",
        "let s = 'x'; while (true) s += s;", "let a = []; while (true) a.push(new Array(1000).fill(1));",
        "let o = {}; for (let i = 0; ; i++) o['k' + i] = 'v'.repeat(1000);", "'x'.repeat(2 ** 30)", "'x'.repeat(1e6).repeat(1e3).length",
        "new Array(4294967295).fill(0)", "new Array(1e8).join('x')", "new Uint8Array(4e9)", "new ArrayBuffer(8e9)",
        "Array.from({ length: 1e9 })", "[...Array(1e8).keys()]",
        "2n ** 100000000n", "let b = 3n; while (true) b = b * b;", "10n ** 10000000n + ''", "BigInt('9'.repeat(5000000))",
        "(1n << 100000000n).toString()", "'a'.repeat(1e6).replaceAll('a', 'b'.repeat(1e4))",
        "'a'.repeat(1e6).split('').map(x => 'b'.repeat(1e4)).join('')", "/(a+)+$/.test('a'.repeat(40) + 'b')",
        "/(x+x+)+y/.test('x'.repeat(50))", "'a'.repeat(1e6).match(/(a|aa)+$/)",
        "JSON.parse('['.repeat(1e5) + ']'.repeat(1e5))",
        "JSON.stringify((() => { let o = {}; for (let i = 0; i < 1e5; i++) o = { o }; return o })())",
        "let d = []; for (let i = 0; i < 1e5; i++) d = [d]; d.flat(Infinity)", "let t = []; for (let i = 0; i < 1e5; i++) t = [t]; t + ''",
        "eval('('.repeat(1e5) + ')'.repeat(1e5))", "new Function('return ' + '-'.repeat(1e5) + '1')()", "eval('[' .repeat(20000))",
        "[3, 1, 2].sort(() => { while (true) {} })", "[1].map(function f() { return [1].map(f) })",
        "(function* () { while (true) yield 1 })().next(); for (const x of (function* () { while (true) yield 1 })()) {}",
        "Promise.resolve().then(function f() { return Promise.resolve().then(f) }); while (1) {}",
        "const m = new Map(); for (let i = 0; ; i++) m.set(i, 'x'.repeat(100))", "const g = new Set(); for (let i = 0n; ; i++) g.add(i)",
        "try { while (true) {} } finally { while (true) {} }", "try { (function f() { f() })() } catch (e) { while (true) {} }",
        "Object.defineProperty(Array.prototype, 0, { get() { while (true) {} } }); [][0]",
        "String.prototype.toString = function () { while (true) {} }; 'x'.toString()", "`${{ toString() { while (true) {} } }}`",
        "Symbol.iterator; for (const x of { [Symbol.iterator]() { return { next() { return { done: false } } } } }) {}",
        "new Date(8.64e15).toISOString(); while (1) {}", "let w = 'x'.repeat(1e6); while (true) w.indexOf('y')",
    ];

    private static string Catching(string script, string file) =>
        $"try {{ globalThis.leak = ({script.Replace("{file}", file, StringComparison.Ordinal).TrimEnd(';')}); }} catch (e) {{ }}";
}
