using Plumb.CommandLine;
using Plumb.Output;

namespace Plumb.Cli.Tests.CommandLine;

/// <summary>What `plumb` says and returns, run in this process.</summary>
internal sealed record Said(int ExitCode, string Output, string Error)
{
    public static async Task<Said> By(params string[] words)
    {
        using var output = new StringWriter { NewLine = "\n" };
        using var error = new StringWriter { NewLine = "\n" };
        var terminal = new Terminal(output, error, OutIsTerminal: false, ErrorIsTerminal: false, Colours: true);
        var code = await Dispatcher.RunAsync(words, terminal, TimeProvider.System);
        return new Said(code, output.ToString(), error.ToString());
    }
}
