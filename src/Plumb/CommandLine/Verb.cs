using System.CommandLine;
using System.CommandLine.Parsing;
using Plumb.Lab;

namespace Plumb.CommandLine;

/// <summary>One command of `plumb`: it parses, asks a floor below for the work, and prints one result.</summary>
internal abstract class Verb(string name, string description) : Command(name, description)
{
    /// <summary>What may follow `--`, as help shows it; null when nothing may.</summary>
    public virtual string? Tail => null;

    /// <summary>Command lines with what they do, for help and for the reference.</summary>
    public abstract IReadOnlyList<Example> Examples { get; }

    /// <summary>The lab whose own process is to run this call of the command; null: whoever typed it.</summary>
    public virtual LabName? RunsIn(Invocation invocation) => null;

    public abstract Task<int> RunAsync(Invocation invocation);
}

/// <param name="Line">What is typed, from `plumb` on.</param>
internal sealed record Example(string Line, string Does);

/// <summary>One call of a command.</summary>
/// <param name="Tail">What stood behind `--`; null when there was no `--`.</param>
internal sealed record Invocation(ParseResult Parsed, IReadOnlyList<string>? Tail, Output.Terminal Terminal, TimeProvider Time)
{
    /// <summary>The lab in whose process this is; null: it is the user's own.</summary>
    public LabName? Home { get; init; }

    public T Value<T>(ValueOption<T> option) => option.Of(Parsed);

    public string[] Values(ListOption option) => Parsed.GetValue(option) ?? [];

    public bool IsOn(Flag flag) => Parsed.GetResult(flag) is not null;

    public string? Value(Argument<string?> argument) => Parsed.GetValue(argument);

    /// <summary>When the command began.</summary>
    public DateTimeOffset Started { get; } = Time.GetUtcNow();

    /// <summary>Whether the user wrote the option, rather than its default being used.</summary>
    public bool IsGiven(Option option) => Parsed.GetResult(option) is OptionResult { Implicit: false };
}

/// <summary>The command line itself is wrong: one line for the user, exit code 2.</summary>
internal sealed class UsageException(string message) : Exception(message);

/// <summary>What the process tells its caller.</summary>
internal static class ExitCode
{
    public const int Done = 0;
    public const int Failed = 1;
    public const int Usage = 2;

    /// <summary>128 + SIGHUP, as shells have it.</summary>
    public const int HungUp = 129;

    /// <summary>128 + SIGINT</summary>
    public const int Interrupted = 130;

    /// <summary>128 + SIGTERM</summary>
    public const int Terminated = 143;
}
