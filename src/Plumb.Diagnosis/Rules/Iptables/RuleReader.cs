using System.Globalization;
using Plumb.Linux.Addresses;
using Plumb.Linux.Iptables;

namespace Plumb.Diagnosis.Rules.Iptables;

/// <summary>Reads a rule as <c>iptables-save</c> prints it. What is not known becomes a condition that cannot be decided, never an error.</summary>
internal sealed class RuleReader
{
    private readonly string[] _words;
    private readonly IpFamily _family;
    private readonly List<(string, Condition)> _conditions = [];
    private int _at;
    private string _module = "";
    private string? _comment;

    private RuleReader(string rule, IpFamily family) => (_words, _family) = ([.. RuleText.Words(rule)], family);

    /// <param name="rule">What stands behind <c>-A CHAIN</c>.</param>
    public static XtRule Read(string chain, string rule, IpFamily family)
    {
        var reader = new RuleReader(rule, family);
        var target = reader.ReadAll();
        return new XtRule($"-A {chain} {rule}", reader._conditions, target) { Comment = reader._comment };
    }

    public IpFamily Family => _family;

    /// <summary>The next argument; empty at the rule's end.</summary>
    public string Take() => _at < _words.Length ? _words[_at++] : "";

    public bool IsNext(string word) => _at < _words.Length && _words[_at] == word;

    public bool TakeIf(string word)
    {
        if (!IsNext(word))
        {
            return false;
        }
        _at++;
        return true;
    }

    /// <summary>A number with an optional mask, each decimal or hexadecimal.</summary>
    public static (uint Value, uint Mask) Masked(string text)
    {
        var slash = text.IndexOf('/');
        return slash < 0 ? (Number(text), uint.MaxValue) : (Number(text[..slash]), Number(text[(slash + 1)..]));
    }

    public static uint Number(string text) =>
        text.StartsWith("0x", StringComparison.Ordinal)
            ? uint.TryParse(text.AsSpan(2), NumberStyles.HexNumber, null, out var hexadecimal) ? hexadecimal : 0
            : uint.TryParse(text, out var number) ? number : 0;

    private XtTarget ReadAll()
    {
        while (_at < _words.Length)
        {
            var isNot = TakeIf("!");
            var option = Take();
            switch (option)
            {
                case "-m":
                    _module = Take();
                    if (MatchReader.Implied(_module) is { } implied)
                    {
                        Add(_module, implied, isNot);
                    }
                    break;
                case "-j":
                    return TargetReader.Read(Take(), this);
                case "-g":
                    return new XtTarget.Chain(Take(), IsGoto: true);
                case "--comment":
                    _comment = RuleText.Unquoted(Take());
                    break;
                default:
                    Match(option, isNot);
                    break;
            }
        }
        return new XtTarget.Nothing();
    }

    private void Match(string option, bool isNot)
    {
        if (MatchReader.Read(_module, option, this) is { } condition)
        {
            Add(_module.Length > 0 && option.StartsWith("--", StringComparison.Ordinal) ? _module : option, condition, isNot);
            return;
        }
        while (_at < _words.Length && !_words[_at].StartsWith('-') && _words[_at] != "!")
        {
            _at++;
        }
        Add($"{_module} {option}".Trim(), static _ => null, isNot: false);
    }

    private void Add(string name, Condition condition, bool isNot) => _conditions.Add((name, isNot ? packet => condition(packet) is var likely && likely < 0 ? likely : 1 - likely : condition));
}
