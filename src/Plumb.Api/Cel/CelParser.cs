using System.Globalization;

namespace Plumb.Api.Cel;

/// <summary>From a rule's text to its parts. What is no part of the language as it is known here is refused by name.</summary>
internal sealed class CelParser
{
    private const int MostDeep = 100;

    // Chains of operators and members make a tree as deep as they are long.
    private const int MostTokens = 5_000;

    private static readonly string[] Macros = ["all", "exists", "exists_one", "filter", "map"];

    private static readonly string[] Functions = ["size", "int", "double", "string", "duration", "matches", "isIP", "isCIDR"];

    private static readonly string[] Methods =
        ["size", "matches", "startsWith", "endsWith", "contains", "lowerAscii", "upperAscii", "trim", "replace", "split", "join", "indexOf", "lastIndexOf", "substring", "isSorted", "sum", "min", "max"];

    private readonly List<CelToken> _tokens;
    private readonly HashSet<string> _names;
    private int _next;
    private int _depth;

    private CelParser(string rule, IEnumerable<string> names)
    {
        _tokens = CelLexer.Read(rule);
        if (_tokens.Count > MostTokens)
            throw new CelSyntaxException($"a rule of {_tokens.Count} words: at most {MostTokens} are taken", 0);
        _names = [.. names];
    }

    private CelToken Next => _tokens[_next];

    /// <param name="names">What a rule may speak of: `self`, `oldSelf`.</param>
    /// <exception cref="CelSyntaxException"/>
    public static CelNode Parse(string rule, params IEnumerable<string> names)
    {
        var parser = new CelParser(rule, names);
        var whole = parser.Expression();
        return parser.Next.Kind == CelTokenKind.End ? whole : throw parser.Unexpected();
    }

    private CelNode Expression()
    {
        if (++_depth > MostDeep)
            throw new CelSyntaxException($"expression recursion limit exceeded: {MostDeep}", Next.At);
        var condition = Binary(0);
        if (Next is { Kind: CelTokenKind.Sign, Text: "?" })
        {
            var at = Take().At;
            var then = Expression();
            Expect(":");
            condition = new CelChoice(condition, then, Expression(), at);
        }

        _depth--;
        return condition;
    }

    private static readonly string[][] Levels = [["||"], ["&&"], ["==", "!=", "<", "<=", ">", ">=", "in"], ["+", "-"], ["*", "/", "%"]];

    private CelNode Binary(int level)
    {
        if (level == Levels.Length)
            return Unary();
        var left = Binary(level + 1);
        while (Next.Kind is CelTokenKind.Sign or CelTokenKind.Name && Levels[level].Contains(Next.Text))
        {
            var sign = Take();
            left = new CelOperator(sign.Text, left, Binary(level + 1), sign.At);
        }

        return left;
    }

    private CelNode Unary()
    {
        if (Next is not { Kind: CelTokenKind.Sign, Text: "!" or "-" })
            return Postfix(Primary());
        if (++_depth > MostDeep)
            throw new CelSyntaxException($"expression recursion limit exceeded: {MostDeep}", Next.At);
        var sign = Take();
        var node = new CelPrefix(sign.Text, Unary(), sign.At);
        _depth--;
        return node;
    }

    private CelNode Postfix(CelNode node)
    {
        while (Next is { Kind: CelTokenKind.Sign, Text: "." or "[" })
        {
            var sign = Take();
            if (sign.Text == "[")
            {
                var key = Expression();
                Expect("]");
                node = new CelIndex(node, key, sign.At);
                continue;
            }

            var name = Take();
            if (name.Kind != CelTokenKind.Name)
                throw Unexpected(name);
            node = Next is { Kind: CelTokenKind.Sign, Text: "(" } ? Method(node, name, sign.At) : new CelMember(node, Unescaped(name.Text), sign.At);
        }

        return node;
    }

    private CelNode Method(CelNode of, CelToken name, int at)
    {
        if (Macros.Contains(name.Text))
            return Macro(of, name.Text, at);
        return Methods.Contains(name.Text) ? new CelCall(of, name.Text, Arguments(), at) : throw new CelSyntaxException($"undeclared reference to '{name.Text}' (in container '')", name.At);
    }

    private CelMacro Macro(CelNode of, string kind, int at)
    {
        Expect("(");
        var name = Take();
        if (name.Kind != CelTokenKind.Name)
            throw Unexpected(name);
        Expect(",");
        var isNew = _names.Add(name.Text);
        var body = Expression();
        CelNode? filter = null;
        if (kind == "map" && Next is { Kind: CelTokenKind.Sign, Text: "," })
        {
            Take();
            (filter, body) = (body, Expression());
        }

        if (isNew)
            _names.Remove(name.Text);
        Expect(")");
        return new CelMacro(of, kind, name.Text, filter, body, at);
    }

    private CelNode Primary()
    {
        var token = Take();
        switch (token.Kind)
        {
            case CelTokenKind.Text:
                return new CelLiteral(token.Text, token.At);
            case CelTokenKind.Integer:
                var isHex = token.Text.StartsWith("0x", StringComparison.OrdinalIgnoreCase);
                return long.TryParse(isHex ? token.Text.AsSpan(2) : token.Text, isHex ? NumberStyles.AllowHexSpecifier : NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                    ? new CelLiteral(number, token.At)
                    : throw new CelSyntaxException("invalid int literal", token.At);
            case CelTokenKind.Real:
                return double.TryParse(token.Text, CultureInfo.InvariantCulture, out var real) ? new CelLiteral(real, token.At) : throw new CelSyntaxException("invalid double literal", token.At);
            case CelTokenKind.Sign when token.Text == "(":
                var inner = Expression();
                Expect(")");
                return inner;
            case CelTokenKind.Sign when token.Text == "[":
                return new CelList(Until("]"), token.At);
            case CelTokenKind.Name:
                return Name(token);
            default:
                throw Unexpected(token);
        }
    }

    private CelNode Name(CelToken token)
    {
        switch (token.Text)
        {
            case "true" or "false":
                return new CelLiteral(token.Text == "true", token.At);
            case "null":
                return new CelLiteral(null, token.At);
            case "has" when Next is { Kind: CelTokenKind.Sign, Text: "(" }:
                return Arguments() is [CelMember member] ? new CelHas(member, token.At) : throw new CelSyntaxException("invalid argument to has() macro", token.At);
        }

        if (Next is { Kind: CelTokenKind.Sign, Text: "(" })
            return Functions.Contains(token.Text) ? new CelCall(null, token.Text, Arguments(), token.At) : throw Undeclared(token);
        return _names.Contains(token.Text) ? new CelName(token.Text, token.At) : throw Undeclared(token);
    }

    private List<CelNode> Arguments()
    {
        Expect("(");
        return Until(")");
    }

    private List<CelNode> Until(string end)
    {
        var items = new List<CelNode>();
        while (Next is not { Kind: CelTokenKind.Sign } || Next.Text != end)
        {
            items.Add(Expression());
            if (Next is not { Kind: CelTokenKind.Sign, Text: "," })
                break;
            Take();
        }

        Expect(end);
        return items;
    }

    private CelToken Take() => Next.Kind == CelTokenKind.End ? Next : _tokens[_next++];

    private void Expect(string sign)
    {
        if (Next.Kind != CelTokenKind.Sign || Next.Text != sign)
            throw Unexpected();
        _next++;
    }

    private CelSyntaxException Unexpected() => Unexpected(Next);

    private static CelSyntaxException Unexpected(CelToken token) => new($"Syntax error: mismatched input '{token.Text}'", token.At);

    private static CelSyntaxException Undeclared(CelToken token) => new($"undeclared reference to '{token.Text}' (in container '')", token.At);

    /// <summary>Names that are none of the language are written with underscores in a rule.</summary>
    private static string Unescaped(string name) => name.Contains("__", StringComparison.Ordinal)
        ? (name is ['_', '_', .. var word, '_', '_'] ? word : name)
            .Replace("__underscores__", "__", StringComparison.Ordinal).Replace("__dot__", ".", StringComparison.Ordinal)
            .Replace("__dash__", "-", StringComparison.Ordinal).Replace("__slash__", "/", StringComparison.Ordinal)
        : name;
}
