using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Plumb.Linux.Addresses;
using Plumb.Linux.State;

namespace Plumb.CommandLine;

/// <summary>An option whose default help can tell.</summary>
internal interface IHasDefaultText
{
    string? DefaultText { get; }
}

/// <summary>An option whose possible values completion can offer.</summary>
internal interface IOffers
{
    IReadOnlyList<string> Offers { get; }
}

/// <summary>An option that knows more than the parser about what may be written.</summary>
internal interface IChecked
{
    /// <summary>What is wrong with what was written, in one line; null when nothing is.</summary>
    string? Mistake(ParseResult result);
}

/// <summary>
/// An option whose value is text for the parser and is read by our own words, so that a mistake is told in one line that says what is
/// allowed.
/// </summary>
/// <remarks>
/// `Option&lt;string&gt;` and not `Option&lt;T&gt;`: code of the library's generic types over value types is not in any compiled assembly, and
/// compiling it at start cost half of the time of a command.
/// </remarks>
internal sealed class ValueOption<T> : Option<string?>, IHasDefaultText, IOffers, IChecked
{
    private readonly Func<string, Parsed<T>> _parse;
    private readonly T _orElse;

    /// <param name="parse">Gives the value, or what is wrong with the text.</param>
    public ValueOption(string name, string[] aliases, string valueName, string description, Func<string, Parsed<T>> parse, T orElse, string? orElseText = null)
        : base(name, aliases)
    {
        HelpName = valueName;
        Description = description;
        DefaultText = orElseText;
        _parse = parse;
        _orElse = orElse;
    }

    public string? DefaultText { get; }

    /// <summary>Words that completion offers.</summary>
    public IReadOnlyList<string> Offers { get; init; } = [];

    /// <summary>The value that was written, or the default. Mistakes are found before any command runs: see <see cref="Mistake"/>.</summary>
    public T Of(ParseResult result) => Written(result) is { } text ? _parse(text).Value! : _orElse;

    public string? Mistake(ParseResult result) => Written(result) is { } text && _parse(text).Mistake is { } mistake ? $"{Name}: {mistake}" : null;

    // One that is written twice is refused by the parser.
    private string? Written(ParseResult result) => result.GetResult(this) is { Implicit: false } given ? given.Tokens[0].Value : null;
}

/// <summary>Either a value or one line that says what is wrong.</summary>
internal readonly record struct Parsed<T>(T? Value, string? Mistake)
{
    public static implicit operator Parsed<T>(T value) => new(value, null);

    public static Parsed<T> Wrong(string mistake) => new(default, mistake);
}

/// <summary>The ways in which options' values are read.</summary>
internal static class Read
{
    public static Func<string, Parsed<int>> Number(int least, int most) => text =>
        int.TryParse(text, System.Globalization.NumberStyles.None, null, out var number) && number >= least && number <= most
            ? number
            : Parsed<int>.Wrong($"'{text}' is not a number from {least} to {most}");

    public static Parsed<long> Number(string text, long least, long most) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most
            ? number
            : Parsed<long>.Wrong($"'{text}' is no number from {least}{(most == long.MaxValue ? " on" : $" to {most}")}");

    public static Parsed<TimeSpan?> Seconds(string text) =>
        double.TryParse(text.TrimEnd('s'), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds) && seconds is > 0 and <= 86_400
            ? TimeSpan.FromSeconds(seconds)
            : Parsed<TimeSpan?>.Wrong($"'{text}' is no number of seconds up to a day");

    public static Parsed<IpPrefix> Range(string text) => IpPrefix.TryParse(text, out var prefix)
        ? prefix == prefix.Network ? prefix : Parsed<IpPrefix>.Wrong($"{text} is an address inside {prefix.Network}; did you mean {prefix.Network}?")
        : Parsed<IpPrefix>.Wrong($"'{text}' is not an address range such as 10.244.0.0/16");

    /// <summary>One range, or one of each family with a comma between them.</summary>
    public static Parsed<ValueList<IpPrefix>> Ranges(string text)
    {
        var ranges = new List<IpPrefix>(2);
        foreach (var part in text.Split(','))
        {
            if (Range(part) is { Mistake: { } mistake })
            {
                return Parsed<ValueList<IpPrefix>>.Wrong(mistake);
            }
            var range = Range(part).Value;
            if (ranges.Exists(other => other.Family == range.Family))
            {
                return Parsed<ValueList<IpPrefix>>.Wrong($"{text} has two ranges of one family: give one IPv4 and one IPv6 range at most");
            }
            ranges.Add(range);
        }
        return new Parsed<ValueList<IpPrefix>>([.. ranges], null);
    }

    /// <param name="later">Words that are planned but not there yet, so that they are not called unknown.</param>
    public static Func<string, Parsed<T>> OneOf<T>(IReadOnlyList<(string Word, T Value)> words, IReadOnlyList<string>? later = null) => text =>
    {
        foreach (var (word, value) in words)
        {
            if (word == text)
            {
                return value;
            }
        }
        var list = string.Join(", ", words.Select(static w => w.Word));
        return Parsed<T>.Wrong(later is not null && later.Contains(text)
            ? $"{text} is not in this version, which has: {list}"
            : $"'{text}' is none of: {list}");
    };
}
