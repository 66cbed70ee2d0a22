using Plumb.Output;

namespace Plumb.CommandLine;

/// <summary>What a user is told about an exception: one line. PLUMB_DEBUG=1 adds where it came from.</summary>
internal static class Failure
{
    public static int Report(Exception exception, string verb, Terminal terminal)
    {
        var where = verb.Length == 0 || verb.StartsWith('-') ? "plumb" : $"plumb {verb}";
        switch (exception)
        {
            case UsageException usage:
                Say(terminal, $"{(Verbs.Names.Contains(verb) ? where : "plumb")}: {usage.Message}");
                return ExitCode.Usage;
            case OperationCanceledException:
                return ExitCode.Interrupted;
        }
        Say(terminal, $"{where}: {OneLine(exception)}");
        if (Environment.GetEnvironmentVariable("PLUMB_DEBUG") is { Length: > 0 })
        {
            terminal.Error.WriteLine(exception);
        }
        return ExitCode.Failed;
    }

    /// <summary>The message as it is where it was written for users; a foreign one with its kind, which is then the only hint.</summary>
    private static string OneLine(Exception exception)
    {
        var text = exception is AggregateException { InnerExceptions: [var only] } ? only.Message : exception.Message;
        var line = string.Join("; ", text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
        var ours = exception.GetType().Namespace?.StartsWith("Plumb", StringComparison.Ordinal) == true || exception is IOException or UnauthorizedAccessException;
        return ours ? line : $"unexpected {exception.GetType().Name}: {line} (PLUMB_DEBUG=1 shows more)";
    }

    private static void Say(Terminal terminal, string line) => terminal.Error.WriteLine(terminal.ErrorStyle.Bad(line));
}
