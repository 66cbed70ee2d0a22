using System.Text;

namespace Plumb.CommandLine;

/// <summary>The page `docs/commands.md`: the same words as `--help`, in Markdown.</summary>
internal static class Reference
{
    public static string Write()
    {
        var page = new StringBuilder("""
            # Commands

            Made from the program by `PLUMB_RENEW=1 ./test Plumb.Cli.Tests`; do not edit.

            Exit codes: 0 done, 1 failed, 2 wrong command line. A lab in the foreground that a signal ends first takes everything down and then ends
            by that signal, so a shell sees 130 after Ctrl-C (SIGINT), 143 after SIGTERM, 129 after SIGHUP; one that `plumb down` ends exits 0.
            `plumb up -- COMMAND` exits as the command did: a signal to it goes to the command as SIGTERM, and after ten seconds as SIGKILL.

            Errors are one line on standard error. Results go to standard output; `-o json` prints them for programs. Colours appear on a terminal
            only, and not where `NO_COLOR` is set. A command about a lab that is just starting waits until it can be answered.

            | command | what it does |
            | --- | --- |

            """);
        var verbs = Verbs.Every();
        foreach (var verb in verbs)
        {
            page.Append($"| [{verb.Name}](#plumb-{verb.Name}) | {verb.Description} |\n");
        }
        foreach (var verb in verbs)
        {
            page.Append($"\n## plumb {verb.Name}\n\n{Sentence(verb.Description)}\n\n    {Help.Usage(verb)}\n\n");
            page.Append("| | |\n| --- | --- |\n");
            foreach (var argument in verb.Arguments)
            {
                page.Append($"| `{argument.Name}` | {Cell(argument.Description ?? "")} |\n");
            }
            foreach (var option in verb.Options)
            {
                page.Append($"| `{Cell(Help.Names(option))}` | {Cell(Help.Description(option))} |\n");
            }
            page.Append("\nExamples:\n\n");
            var width = verb.Examples.Max(static e => e.Line.Length);
            foreach (var (line, does) in verb.Examples)
            {
                page.Append($"    {line.PadRight(width)}   # {does}\n");
            }
        }
        return page.ToString();
    }

    private static string Sentence(string? text) => text is { Length: > 0 } ? $"{char.ToUpperInvariant(text[0])}{text[1..]}." : "";

    private static string Cell(string text) => text.Replace("|", "\\|");
}
