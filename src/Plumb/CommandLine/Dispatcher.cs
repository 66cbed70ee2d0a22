using System.CommandLine;
using System.CommandLine.Parsing;
using Plumb.Commands;
using Plumb.Lab;
using Plumb.Lab.Containers.Roots;
using Plumb.Lab.Rootless;
using Plumb.Lab.Running;
using Plumb.Output;

namespace Plumb.CommandLine;

/// <summary>From the words of a command line to an exit code. All errors of all commands end here, each as one line.</summary>
internal static class Dispatcher
{
    /// <param name="home">The lab in whose process this is; null: it is the user's own.</param>
    public static async Task<int> RunAsync(IReadOnlyList<string> words, Terminal terminal, TimeProvider time, LabName? home = null)
    {
        var verb = "";
        try
        {
            if (words.Count == 0)
            {
                Help.WriteOverview(terminal.Out, terminal.Style);
                return ExitCode.Usage;
            }
            verb = words[0];
            switch (verb)
            {
                case "--help" or "-h" or "-?" or "help":
                    return HelpOn(words.Count > 1 ? words[1] : null, terminal);
                case "--version":
                    terminal.Out.WriteLine(Product.Version);
                    return ExitCode.Done;
                case ContainerProcess.Verb when words.Count == 2:
                    return ContainerProcess.Run(words[1]);
                case LabLauncher.Verb:
                    // What the user typed was `plumb up`; mistakes are that command's.
                    verb = "up";
                    return await LabProcessCommand.RunAsync([.. words.Skip(1)], terminal, time);
            }
            if (Verbs.Find(verb) is not { } command)
            {
                throw new UsageException(verb.StartsWith('-')
                    ? $"no option {verb} here; options stand behind a command, see `plumb --help`"
                    : $"no command {verb}{Nearest.Suggest(verb, Verbs.Names)}; `plumb --help` lists them");
            }
            return await RunAsync(command, [.. words.Skip(1)], terminal, time, home);
        }
        catch (Exception exception)
        {
            return Failure.Report(exception, verb, terminal);
        }
    }

    private static async Task<int> RunAsync(Verb verb, IReadOnlyList<string> words, Terminal terminal, TimeProvider time, LabName? home)
    {
        var end = IndexOf(words, "--");
        var own = end < 0 ? words : [.. words.Take(end)];
        IReadOnlyList<string>? tail = end < 0 ? null : [.. words.Skip(end + 1)];
        if (own.Any(static w => w is "--help" or "-h"))
        {
            Help.Write(verb, terminal.Out, terminal.Style);
            return ExitCode.Done;
        }
        if (tail is not null && verb.Tail is null)
        {
            throw new UsageException($"nothing can stand behind `--` here: {string.Join(' ', tail)}");
        }
        if (tail is [])
        {
            throw new UsageException("a command is missing behind `--`");
        }
        var parsed = verb.Parse([.. own]);
        if (parsed.Errors.Count > 0)
        {
            throw new UsageException(Mistake(verb, parsed));
        }
        foreach (var option in verb.Options)
        {
            if ((option as IChecked)?.Mistake(parsed) is { } mistake)
            {
                throw new UsageException(mistake);
            }
        }
        var invocation = new Invocation(parsed, tail, terminal, time) { Home = home };
        if (home is not null && verb.RunsIn(invocation) is null)
        {
            throw new UsageException("that is not for a lab's own process to run");
        }
        return home is null && verb.RunsIn(invocation) is { } lab ? RunIn(lab, [verb.Name, .. words], terminal, time) : await verb.RunAsync(invocation);
    }

    private static int RunIn(LabName lab, IReadOnlyList<string> words, Terminal terminal, TimeProvider time)
    {
        var answer = LabClient.Connect(lab, time).Run(new LabCommand([.. words], terminal.OutIsTerminal, terminal.ErrorIsTerminal, terminal.Colours));
        terminal.Out.Write(answer.Out);
        terminal.Error.Write(answer.Error);
        return answer.ExitCode;
    }

    private static string Mistake(Verb verb, ParseResult parsed)
    {
        if (parsed.UnmatchedTokens is [var token, ..])
        {
            return token.StartsWith('-')
                ? $"no option {token}{Nearest.Suggest(token, verb.Options.Select(static o => o.Name))}"
                : $"'{token}' is one word too many";
        }
        foreach (var option in verb.Options)
        {
            if (parsed.GetResult(option) is { Implicit: false } result)
            {
                if (result.Tokens.Count < option.Arity.MinimumNumberOfValues)
                {
                    return $"{option.Name} needs a value: {option.Name} {option.HelpName}";
                }
                if (result.Tokens.Count > option.Arity.MaximumNumberOfValues)
                {
                    return $"{option.Name} can be given once only";
                }
            }
        }
        foreach (var argument in verb.Arguments)
        {
            if (argument.Arity.MinimumNumberOfValues > 0 && parsed.GetResult(argument) is null or { Tokens.Count: 0 })
            {
                return $"{argument.Name} is missing: {Help.Usage(verb)}";
            }
        }
        return parsed.Errors[0].Message;
    }

    private static int HelpOn(string? name, Terminal terminal)
    {
        if (name is null)
        {
            Help.WriteOverview(terminal.Out, terminal.Style);
            return ExitCode.Done;
        }
        Help.Write(
            Verbs.Find(name) ?? throw new UsageException($"no command {name}{Nearest.Suggest(name, Verbs.Names)}; `plumb --help` lists them"),
            terminal.Out,
            terminal.Style);
        return ExitCode.Done;
    }

    private static int IndexOf(IReadOnlyList<string> words, string word)
    {
        for (var i = 0; i < words.Count; i++)
        {
            if (words[i] == word)
            {
                return i;
            }
        }
        return -1;
    }
}
