using System.CommandLine;
using Plumb.Output;

namespace Plumb.CommandLine;

/// <summary>Help as a person reads it in a terminal.</summary>
internal static class Help
{
    public static void WriteOverview(TextWriter to, Style style)
    {
        to.WriteLine("A complete Kubernetes network that can explain every packet it carries.");
        to.WriteLine();
        to.WriteLine(style.Strong("Usage:") + " plumb COMMAND [options]");
        to.WriteLine();
        to.WriteLine(style.Strong("Commands:"));
        Columns(to, [.. Verbs.Every().Select(static v => (v.Name, v.Description ?? ""))]);
        to.WriteLine();
        to.WriteLine(style.Strong("Start here:"));
        Columns(to,
        [
            ("plumb up -f labs/first-packet", "three nodes, and the pods of the first lesson"),
            ("export KUBECONFIG=$(plumb kubeconfig)", "so that kubectl speaks to them"),
            ("plumb COMMAND --help", "options and examples of a command"),
        ]);
        to.WriteLine();
        to.WriteLine("Exit codes: 0 done, 1 failed, 2 wrong command line; 130 after Ctrl-C, 143 after SIGTERM.");
    }

    public static void Write(Verb verb, TextWriter to, Style style)
    {
        to.WriteLine(verb.Description);
        to.WriteLine();
        to.WriteLine(style.Strong("Usage:") + " " + Usage(verb));
        if (verb.Arguments.Count > 0)
        {
            to.WriteLine();
            to.WriteLine(style.Strong("Arguments:"));
            Columns(to, [.. verb.Arguments.Select(static a => (a.Name, a.Description ?? ""))]);
        }
        to.WriteLine();
        to.WriteLine(style.Strong("Options:"));
        Columns(to, [.. verb.Options.Select(static o => (Names(o), Description(o))), ("-h, --help", "this text")]);
        to.WriteLine();
        to.WriteLine(style.Strong("Examples:"));
        Columns(to, [.. verb.Examples.Select(static e => (e.Line, e.Does))]);
    }

    public static string Usage(Verb verb)
    {
        var words = new List<string> { "plumb", verb.Name };
        words.AddRange(verb.Arguments.Select(static a => a.Arity.MinimumNumberOfValues == 0 ? $"[{a.Name}]" : a.Name));
        words.Add("[options]");
        if (verb.Tail is { } tail)
        {
            words.Add(tail);
        }
        return string.Join(' ', words);
    }

    /// <summary>`-f, --file FILE`: the short names first.</summary>
    public static string Names(Option option)
    {
        var names = string.Join(", ", option.Aliases.Append(option.Name).OrderBy(static n => n.Length).ThenBy(static n => n, StringComparer.Ordinal));
        return option.HelpName is { Length: > 0 } value ? $"{names} {value}" : names;
    }

    /// <summary>With the default, when there is one to tell.</summary>
    public static string Description(Option option) =>
        option is IHasDefaultText { DefaultText: { } text } ? $"{option.Description} (default {text})" : option.Description ?? "";

    private static void Columns(TextWriter to, IReadOnlyList<(string Left, string Right)> rows)
    {
        var width = Math.Min(rows.Max(static r => r.Left.Length), 44);
        foreach (var (left, right) in rows)
        {
            if (left.Length > width)
            {
                to.WriteLine($"  {left}");
                to.WriteLine($"  {new string(' ', width)}  {right}");
            }
            else
            {
                to.WriteLine($"  {left.PadRight(width)}  {right}");
            }
        }
    }
}
