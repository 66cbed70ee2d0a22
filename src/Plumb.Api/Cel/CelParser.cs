using System.Globalization;

namespace Plumb.Api.Cel;

/// <summary>From a rule's text to its parts. What is no part of the language as it is known here is refused by name.</summary>
internal sealed class CelParser
{
    private const int MostDeep = 100;

    // Chains of operators and members make a tree as deep as they are long.
    private const int MostTokens = 5_000;

    private static readonly string[] Macros = ["all", "exists", "exists_one", "existsOne", "filter", "map", "transformList", "transformMap", "transformMapEntry", "optMap", "optFlatMap"];

    private static readonly string[] Functions =
    [
        "size", "int", "uint", "double", "string", "bytes", "bool", "dyn", "type", "duration", "timestamp", "matches", "isIP", "ip", "ip.isCanonical", "isCIDR", "cidr", "isURL", "url", "isQuantity", "quantity",
        "isSemver", "semver", "sets.contains", "sets.intersects", "sets.equivalent", "optional.of", "optional.none", "optional.ofNonZeroValue", "optional.unwrap", "strings.quote",
        .. CelFormat.Names.Select(static name => "format." + name), "format.named",
    ];

    /// <summary>What stands before a dot in a function's name.</summary>
    private static readonly string[] Spaces = ["sets", "optional", "format", "strings", "ip"];

    private static readonly string[] Methods =
    [
        "size", "matches", "startsWith", "endsWith", "contains", "lowerAscii", "upperAscii", "trim", "replace", "split", "join", "indexOf", "lastIndexOf", "substring", "isSorted", "sum", "min", "max",
        "charAt", "format", "find", "findAll", "hasValue", "value", "orValue", "or", "unwrapOpt", "validate", "major", "minor", "patch",
        "family", "isLoopback", "isUnspecified", "isGlobalUnicast", "isLinkLocalUnicast", "isLinkLocalMulticast", "containsIP", "containsCIDR", "ip", "masked", "prefixLength",
        "getScheme", "getHost", "getHostname", "getPort", "getEscapedPath", "getQuery", "isGreaterThan", "isLessThan", "compareTo", "add", "sub", "sign", "isInteger", "asInteger", "asApproximateFloat",
        "getFullYear", "getMonth", "getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear", "getHours", "getMinutes", "getSeconds", "getMilliseconds",
    ];

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
        // The least number has no positive one.
        CelNode node = sign.Text == "-" && Next is { Kind: CelTokenKind.Integer, Text: "9223372036854775808" }
            ? new CelLiteral(long.MinValue, Take().At)
            : new CelPrefix(sign.Text, Unary(), sign.At);
        _depth--;
        return node;
    }

    private CelNode Postfix(CelNode node)
    {
        while (Next is { Kind: CelTokenKind.Sign, Text: "." or "[" })
        {
            var sign = Take();
            var isOptional = Next is { Kind: CelTokenKind.Sign, Text: "?" };
            if (isOptional)
                Take();
            if (sign.Text == "[")
            {
                var key = Expression();
                Expect("]");
                node = new CelIndex(node, key, sign.At, isOptional);
                continue;
            }

            var name = Take();
            if (name.Kind != CelTokenKind.Name)
                throw Unexpected(name);
            node = !isOptional && Next is { Kind: CelTokenKind.Sign, Text: "(" } ? Method(node, name, sign.At) : new CelMember(node, Unescaped(name.Text), sign.At, isOptional);
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
        var second = SecondName(kind);
        var isNew = _names.Add(name.Text);
        var isSecondNew = second is not null && _names.Add(second);
        var body = Expression();
        CelNode? filter = null;
        if (kind is "map" or "transformList" or "transformMap" or "transformMapEntry" && Next is { Kind: CelTokenKind.Sign, Text: "," })
        {
            Take();
            (filter, body) = (body, Expression());
        }

        if (isNew)
            _names.Remove(name.Text);
        if (isSecondNew)
            _names.Remove(second!);
        Expect(")");
        return new CelMacro(of, kind, name.Text, second, filter, body, at);
    }

    /// <summary>`all(i, item, …)`: two names and then the condition; transformations always have two.</summary>
    private string? SecondName(string kind)
    {
        var isTransformation = kind is "transformList" or "transformMap" or "transformMapEntry";
        if (!isTransformation && kind is not ("all" or "exists" or "exists_one" or "existsOne"))
            return null;
        if (Next.Kind != CelTokenKind.Name || _tokens[_next + 1] is not { Kind: CelTokenKind.Sign, Text: "," })
            return isTransformation ? throw Unexpected() : null;
        var name = Take().Text;
        Take();
        return name;
    }

    private CelNode Primary()
    {
        var token = Take();
        switch (token.Kind)
        {
            case CelTokenKind.Text:
                return new CelLiteral(token.Text, token.At);
            case CelTokenKind.Bytes:
                return new CelLiteral(new CelBytes(System.Text.Encoding.Latin1.GetBytes(token.Text)), token.At);
            case CelTokenKind.Integer:
                return Whole(token);
            case CelTokenKind.Real:
                return double.TryParse(token.Text, CultureInfo.InvariantCulture, out var real) ? new CelLiteral(real, token.At) : throw new CelSyntaxException("invalid double literal", token.At);
            case CelTokenKind.Sign when token.Text == "(":
                var inner = Expression();
                Expect(")");
                return inner;
            case CelTokenKind.Sign when token.Text == "[":
                return new CelList(Until("]", mayBeOptional: true), token.At);
            case CelTokenKind.Sign when token.Text == "{":
                return Map(token.At);
            case CelTokenKind.Name:
                return Name(token);
            default:
                throw Unexpected(token);
        }
    }

    private static CelLiteral Whole(CelToken token)
    {
        var isUnsigned = token.Text[^1] is 'u' or 'U';
        var digits = token.Text.AsSpan()[..^(isUnsigned ? 1 : 0)];
        var isHex = digits.StartsWith("0x", StringComparison.OrdinalIgnoreCase);
        var known = ulong.TryParse(isHex ? digits[2..] : digits, isHex ? NumberStyles.AllowHexSpecifier : NumberStyles.None, CultureInfo.InvariantCulture, out var number);
        if (isUnsigned)
            return known ? new CelLiteral(number, token.At) : throw new CelSyntaxException("invalid uint literal", token.At);
        return known && number <= long.MaxValue ? new CelLiteral((long)number, token.At) : throw new CelSyntaxException("invalid int literal", token.At);
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

        if (Spaces.Contains(token.Text) && !_names.Contains(token.Text) && Next is { Kind: CelTokenKind.Sign, Text: "." })
        {
            Take();
            token = token with { Text = $"{token.Text}.{Take().Text}" };
        }

        if (token.Text == "google" && !_names.Contains(token.Text) && CelType.Google.FirstOrDefault(Follows) is { } known)
        {
            _next += 4;
            return new CelLiteral(new CelType(known), token.At);
        }

        if (Next is { Kind: CelTokenKind.Sign, Text: "(" })
            return Functions.Contains(token.Text) ? new CelCall(null, token.Text, Arguments(), token.At) : throw Undeclared(token);
        if (!_names.Contains(token.Text) && CelType.Plain.Contains(token.Text))
            return new CelLiteral(new CelType(token.Text), token.At);
        return _names.Contains(token.Text) ? new CelName(token.Text, token.At) : throw Undeclared(token);
    }

    /// <summary>Whether the tokens from the present one on are the rest of a name with dots.</summary>
    private bool Follows(string name)
    {
        var words = name.Split('.');
        for (var i = 1; i < words.Length; i++)
        {
            if (_next + (2 * i) - 1 >= _tokens.Count || _tokens[_next + (2 * i) - 2].Text != "." || _tokens[_next + (2 * i) - 1].Text != words[i])
                return false;
        }

        return true;
    }

    private CelMap Map(int at)
    {
        var entries = new List<(CelNode, CelNode)>();
        while (Next is not { Kind: CelTokenKind.Sign, Text: "}" })
        {
            var optional = OptionalMark();
            var key = Expression();
            if (key is CelLiteral { Value: not string })
                throw new CelSyntaxException("keys of maps other than texts are not known here", key.At);
            Expect(":");
            var value = Expression();
            entries.Add((key, optional is null ? value : new CelOptionalItem(value, optional.Value)));
            if (Next is not { Kind: CelTokenKind.Sign, Text: "," })
                break;
            Take();
        }

        Expect("}");
        return new CelMap(entries, at);
    }

    private List<CelNode> Arguments()
    {
        Expect("(");
        return Until(")");
    }

    private int? OptionalMark() => Next is { Kind: CelTokenKind.Sign, Text: "?" } ? Take().At : null;

    private List<CelNode> Until(string end, bool mayBeOptional = false)
    {
        var items = new List<CelNode>();
        while (Next is not { Kind: CelTokenKind.Sign } || Next.Text != end)
        {
            var optional = mayBeOptional ? OptionalMark() : null;
            var item = Expression();
            items.Add(optional is null ? item : new CelOptionalItem(item, optional.Value));
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
