using System.CommandLine;
using System.Text;

namespace Plumb.CommandLine;

/// <summary>
/// Completion scripts, written from the command tree. They hold all words themselves: a key press should not have to wait for a
/// process to start. Only names of labs are asked for, and those are names of directories.
/// </summary>
internal static class Completions
{
    private const string Labs = "${XDG_RUNTIME_DIR:+$XDG_RUNTIME_DIR/plumb} /tmp/plumb-$(id -u)";

    public static string Bash()
    {
        var script = new StringBuilder($$"""
            # plumb: completion for bash, made by `plumb completions bash`
            _plumb() {
                local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} verb=${COMP_WORDS[1]} i
                COMPREPLY=()
                for ((i = 1; i < COMP_CWORD; i++)); do
                    if [ "${COMP_WORDS[i]}" = -- ]; then
                        COMPREPLY=($(compgen -c -- "$word"))
                        return
                    fi
                done
                if [ "$COMP_CWORD" = 1 ]; then
                    COMPREPLY=($(compgen -W '{{string.Join(' ', Verbs.Names)}} --help --version' -- "$word"))
                    return
                fi
                case $verb:$before in

            """);
        foreach (var verb in Verbs.Every())
        {
            foreach (var option in verb.Options.Where(TakesValue))
            {
                script.Append("        ").AppendJoin('|', Spellings(option).Select(s => $"{verb.Name}:{s}")).Append(") ").Append(BashValue(option)).Append("; return ;;\n");
            }
        }
        script.Append("    esac\n    case $verb in\n");
        foreach (var verb in Verbs.Every())
        {
            script.Append($"        {verb.Name}) COMPREPLY=($(compgen -W '{string.Join(' ', Words(verb))}' -- \"$word\"))");
            if (verb.Arguments.Any(static a => a.Name == "NAME"))
            {
                script.Append($" COMPREPLY+=($(compgen -W \"$(ls {Labs} 2>/dev/null)\" -- \"$word\"))");
            }
            script.Append(" ;;\n");
        }
        return script.Append("""
                esac
            }
            complete -F _plumb plumb ./plumb

            """).ToString();
    }

    public static string Zsh()
    {
        var script = new StringBuilder("""
            #compdef plumb
            # plumb: completion for zsh, made by `plumb completions zsh`
            local -a verbs
            verbs=(

            """);
        foreach (var verb in Verbs.Every())
        {
            script.Append($"    {Quote($"{verb.Name}:{verb.Description}")}\n");
        }
        script.Append("""
            )
            if (( CURRENT == 2 )); then
                _describe command verbs
                return
            fi
            case ${words[2]} in

            """);
        foreach (var verb in Verbs.Every())
        {
            script.Append($"    {verb.Name})\n        shift words; (( CURRENT-- ))\n        _arguments -s");
            foreach (var option in verb.Options)
            {
                foreach (var spelling in Spellings(option))
                {
                    var value = TakesValue(option) ? $":{option.HelpName}:{ZshValue(option)}" : "";
                    script.Append($" \\\n            {Quote($"{(IsMany(option) ? "*" : "")}{spelling}[{Bracketless(option.Description)}]{value}")}");
                }
            }
            foreach (var argument in verb.Arguments)
            {
                script.Append($" \\\n            {Quote($":{argument.Name}:{(argument.Name == "SHELL" ? "(bash zsh fish)" : " ")}")}");
            }
            script.Append(" ;;\n");
        }
        return script.Append("esac\n").ToString();
    }

    public static string Fish()
    {
        var script = new StringBuilder("# plumb: completion for fish, made by `plumb completions fish`\ncomplete -c plumb -f\n");
        foreach (var verb in Verbs.Every())
        {
            script.Append($"complete -c plumb -n __fish_use_subcommand -a {verb.Name} -d {Quote(verb.Description ?? "")}\n");
            foreach (var option in verb.Options)
            {
                script.Append($"complete -c plumb -n '__fish_seen_subcommand_from {verb.Name}'");
                foreach (var spelling in Spellings(option))
                {
                    script.Append(spelling.StartsWith("--", StringComparison.Ordinal) ? $" -l {spelling[2..]}" : $" -s {spelling[1..]}");
                }
                if (TakesValue(option))
                {
                    script.Append(Offers(option) is { Count: > 0 } offers ? $" -x -a '{string.Join(' ', offers)}'" : IsFile(option) ? " -r -F" : " -x");
                }
                script.Append($" -d {Quote(option.Description ?? "")}\n");
            }
        }
        return script.Append("complete -c plumb -n '__fish_seen_subcommand_from completions' -a 'bash zsh fish'\n").ToString();
    }

    private static IEnumerable<string> Words(Verb verb)
    {
        var words = verb.Options.SelectMany(Spellings).Append("--help");
        if (verb.Tail is not null)
        {
            words = words.Append("--");
        }
        return verb.Arguments.Any(static a => a.Name == "SHELL") ? words.Concat(["bash", "zsh", "fish"]) : words;
    }

    private static string BashValue(Option option) => Offers(option) is { Count: > 0 } offers
        ? $"COMPREPLY=($(compgen -W '{string.Join(' ', offers)}' -- \"$word\"))"
        : IsFile(option) ? "COMPREPLY=($(compgen -f -- \"$word\"))"
        : option.Name == "--name" ? $"COMPREPLY=($(compgen -W \"$(ls {Labs} 2>/dev/null)\" -- \"$word\"))"
        : ":";

    private static string ZshValue(Option option) => Offers(option) is { Count: > 0 } offers
        ? $"({string.Join(' ', offers)})"
        : IsFile(option) ? "_files" : " ";

    private static IEnumerable<string> Spellings(Option option) => option.Aliases.Append(option.Name).OrderBy(static n => n, StringComparer.Ordinal);

    private static bool TakesValue(Option option) => option.Arity.MaximumNumberOfValues > 0;

    private static bool IsMany(Option option) => option.Arity.MaximumNumberOfValues > 1;

    private static bool IsFile(Option option) => option.HelpName?.Contains("FILE", StringComparison.Ordinal) == true || option.HelpName?.Contains("DIR", StringComparison.Ordinal) == true;

    private static IReadOnlyList<string> Offers(Option option) => option is IOffers { Offers: var offers } ? offers : [];

    private static string Bracketless(string? text) => (text ?? "").Replace("[", "").Replace("]", "").Replace(":", "\\:");

    private static string Quote(string text) => $"'{text.Replace("'", "'\\''")}'";
}
