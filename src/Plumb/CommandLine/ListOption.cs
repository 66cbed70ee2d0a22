using System.CommandLine;

namespace Plumb.CommandLine;

/// <summary>An option that may be written several times, one value each time.</summary>
internal sealed class ListOption : Option<string[]>, IChecked
{
    private readonly Func<string, string?> _check;

    /// <param name="check">What is wrong with one value; null when nothing is.</param>
    public ListOption(string name, string[] aliases, string valueName, string description, Func<string, string?> check)
        : base(name, aliases)
    {
        HelpName = valueName;
        Description = description;
        Arity = ArgumentArity.OneOrMore;
        AllowMultipleArgumentsPerToken = false;
        _check = check;
    }

    public string? Mistake(ParseResult result)
    {
        foreach (var value in result.GetValue(this) ?? [])
        {
            if (_check(value) is { } mistake)
            {
                return $"{Name}: {mistake}";
            }
        }
        return null;
    }

    /// <summary>`-f`: a file, a folder of files, or `-` for standard input.</summary>
    public static ListOption Manifests() => new(
        "--file",
        ["-f"],
        "FILE|DIR|-",
        "manifests to apply, in this order; - reads standard input; may be given several times",
        static text => text == "-" || File.Exists(text) || Directory.Exists(text) ? null : $"there is no file or folder '{text}'");
}
