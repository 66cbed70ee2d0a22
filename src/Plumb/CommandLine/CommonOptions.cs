using System.CommandLine;
using Plumb.Lab;

namespace Plumb.CommandLine;

/// <summary>Options that several commands have, with one meaning everywhere.</summary>
internal static class CommonOptions
{
    public const string LabVariable = "PLUMB_LAB";

    public static ValueOption<OutputFormat> Output() =>
        new("--output", ["-o"], "text|json", "how the result is printed", Read.OneOf([("text", OutputFormat.Text), ("json", OutputFormat.Json)]), OutputFormat.Text, "text")
        {
            Offers = ["text", "json"],
        };

    public static ValueOption<OutputFormat> PicturedOutput() =>
        new(
            "--output", ["-o"], "text|json|svg", "how the result is printed; svg is a picture",
            Read.OneOf([("text", OutputFormat.Text), ("json", OutputFormat.Json), ("svg", OutputFormat.Svg)]), OutputFormat.Text, "text")
        {
            Offers = ["text", "json", "svg"],
        };

    public static ValueOption<LabName?> Name() => new("--name", [], "NAME", $"which lab; {LabVariable} says it for all commands", LabName, null, "default");

    public static Argument<string?> NameArgument() => new("NAME")
    {
        Description = "which lab, as with --name",
        Arity = ArgumentArity.ZeroOrOne,
    };

    /// <summary>Argument before option before PLUMB_LAB before `default`.</summary>
    public static LabName Lab(this Invocation invocation, ValueOption<LabName?> option, Argument<string?>? argument = null)
    {
        if (invocation.Home is { } home)
        {
            return home;
        }
        var given = invocation.Value(option);
        if (argument is not null && invocation.Value(argument) is { } text)
        {
            var named = Require(text, "NAME");
            return given is null || given == named ? named : throw new UsageException($"NAME says {named} and --name says {given}");
        }
        return given ?? (Environment.GetEnvironmentVariable(LabVariable) is { Length: > 0 } variable ? Require(variable, LabVariable) : Plumb.Lab.LabName.Default);
    }

    private static LabName Require(string text, string where)
    {
        var parsed = LabName(text);
        return parsed.Mistake is null ? parsed.Value!.Value : throw new UsageException($"{where}: {parsed.Mistake}");
    }

    private static Parsed<LabName?> LabName(string text)
    {
        try
        {
            return Plumb.Lab.LabName.Parse(text);
        }
        catch (LabException wrong)
        {
            return Parsed<LabName?>.Wrong(wrong.Message);
        }
    }
}

internal enum OutputFormat
{
    Text,
    Json,

    /// <summary>A picture; only of what <see cref="CommonOptions.PicturedOutput"/> offers it for.</summary>
    Svg,
}
