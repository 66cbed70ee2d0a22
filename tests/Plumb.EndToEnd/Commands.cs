using System.Diagnostics;

namespace Plumb.EndToEnd;

/// <summary>How a command ended and what it said.</summary>
public sealed record CommandResult(int ExitCode, string Output, string Error)
{
    public IReadOnlyList<string> Lines => Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>Fails the test unless the command succeeded.</summary>
    public CommandResult Succeeds()
    {
        Assert.True(ExitCode == 0, $"exit {ExitCode}\n{Output}{Error}");
        return this;
    }
}

/// <summary>Starts programs as a person at a terminal does, with nothing of the test's own environment that matters to Plumb.</summary>
internal static class Commands
{
    /// <summary>The script that users call; <c>./test</c> has brought its build up to date.</summary>
    public static string Plumb => Path.Combine(Repository, "plumb");

    public static string Repository { get; } = FindRepository();

    public static Process Start(IReadOnlyDictionary<string, string?> environment, string program, params IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment.Remove("KUBECONFIG");
        start.Environment.Remove("PLUMB_LAB");
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }
        return Process.Start(start) ?? throw new InvalidOperationException($"{program} was not started");
    }

    public static async Task<CommandResult> RunAsync(
        IReadOnlyDictionary<string, string?> environment, string? input, string program, params IEnumerable<string> arguments)
    {
        var cancel = TestContext.Current.CancellationToken;
        using var process = Start(environment, program, arguments);
        var output = process.StandardOutput.ReadToEndAsync(cancel);
        var error = process.StandardError.ReadToEndAsync(cancel);
        if (input is not null)
        {
            await process.StandardInput.WriteAsync(input);
        }
        process.StandardInput.Close();
        try
        {
            await process.WaitForExitAsync(cancel);
            return new CommandResult(process.ExitCode, await output, await error);
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
            }
        }
    }

    private static string FindRepository()
    {
        var directory = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(directory, "Plumb.slnx")))
        {
            directory = Path.GetDirectoryName(directory) ?? throw new InvalidOperationException("the tests do not run from a checkout");
        }
        return directory;
    }
}
