namespace Plumb.Kubernetes.Selectors;

/// <summary>
/// The grammar of `labelSelector`. It is written after what the real server accepts and how it words its refusals, both of which show its look-ahead
/// of one token: hence the two readings of `in` and `notin`, which are operators after a key and plain words where a value stands.
/// </summary>
internal ref struct SelectorParser(string text)
{
    private enum Token { End, Word, In, NotIn, Not, Equals, DoubleEquals, NotEquals, Greater, Less, Open, Close, Comma }

    private int position;

    public Requirement[] Parse()
    {
        var found = new List<Requirement>();
        while (true)
        {
            var (token, word) = Peek(asValue: true);
            if (token == Token.End)
                return Selector.Sorted(found);
            if (token is not (Token.Word or Token.Not))
                throw new SelectorException($"found '{word}', expected: !, identifier, or 'end of string'");
            found.Add(ParseRequirement());
            (token, word) = Take(asValue: true);
            if (token == Token.End)
                return Selector.Sorted(found);
            if (token != Token.Comma)
                throw new SelectorException($"found '{word}', expected: ',' or 'end of string'");
            (token, word) = Peek(asValue: true);
            if (token is not (Token.Word or Token.Not))
                throw new SelectorException($"found '{word}', expected: identifier after ','");
        }
    }

    private Requirement ParseRequirement()
    {
        var (token, word) = Take(asValue: true);
        bool negated = token == Token.Not;
        if (negated)
            (token, word) = Take(asValue: true);
        if (token != Token.Word)
            throw Fault($"found '{word}', expected: identifier");
        string key = word;
        if (LabelSyntax.CheckKey(key) is { } keyError)
            throw Fault($"key: Invalid value: \"{key}\": {keyError}");
        if (Peek(asValue: true).Token is Token.End or Token.Comma || negated)
            return Requirement.Create(key, negated ? SelectorOperator.DoesNotExist : SelectorOperator.Exists, [], Prefix);
        (token, word) = Take(asValue: false);
        SelectorOperator op = token switch
        {
            Token.In => SelectorOperator.In,
            Token.NotIn => SelectorOperator.NotIn,
            Token.Equals or Token.DoubleEquals => SelectorOperator.Equals,
            Token.NotEquals => SelectorOperator.NotEquals,
            Token.Greater => SelectorOperator.GreaterThan,
            Token.Less => SelectorOperator.LessThan,
            _ => throw Fault($"found '{word}', expected: in, notin, =, ==, !=, gt, lt"),
        };
        string[] values = op is SelectorOperator.In or SelectorOperator.NotIn ? ParseValues() : [ParseExactValue()];
        return Requirement.Create(key, op, values, Prefix);
    }

    private string ParseExactValue()
    {
        if (Peek(asValue: true).Token is Token.End or Token.Comma)
            return "";
        var (token, word) = Take(asValue: true);
        return token == Token.Word ? word : throw Fault($"found '{word}', expected: identifier");
    }

    private string[] ParseValues()
    {
        var (token, word) = Take(asValue: true);
        if (token != Token.Open)
            throw Fault($"found '{word}' expected: '('");
        (token, word) = Peek(asValue: true);
        if (token == Token.Close)
        {
            Take(asValue: true);
            return [];
        }
        if (token is not (Token.Word or Token.Comma))
            throw Fault($"found '{word}', expected: ',', ')' or identifier");
        // An empty place between commas, or before the parenthesis, is the empty value.
        var values = new SortedSet<string>(StringComparer.Ordinal);
        bool afterWord = false;
        while (true)
        {
            (token, word) = Take(asValue: true);
            switch (token)
            {
                case Token.Word when !afterWord:
                    values.Add(word);
                    afterWord = true;
                    break;
                case Token.Comma:
                    if (!afterWord || Peek(asValue: true).Token == Token.Close)
                        values.Add("");
                    afterWord = false;
                    break;
                case Token.Close:
                    return [.. values];
                default:
                    throw Fault(afterWord ? $"found '{word}', expected: ',' or ')'" : $"found '{word}', expected: ',', or identifier");
            }
        }
    }

    private const string Prefix = "unable to parse requirement: ";

    private static SelectorException Fault(string what) => new(Prefix + what);

    private readonly (Token Token, string Word) Peek(bool asValue)
    {
        var copy = this;
        return copy.Take(asValue);
    }

    private (Token Token, string Word) Take(bool asValue)
    {
        while (position < text.Length && IsSpace(text[position]))
            position++;
        if (position == text.Length)
            return (Token.End, "");
        int start = position;
        if (IsSymbol(text[position]))
        {
            bool two = text[position] is '=' or '!' && position + 1 < text.Length && text[position + 1] == '=';
            position += two ? 2 : 1;
            var token = text[start] switch
            {
                '(' => Token.Open,
                ')' => Token.Close,
                ',' => Token.Comma,
                '>' => Token.Greater,
                '<' => Token.Less,
                '!' => two ? Token.NotEquals : Token.Not,
                _ => two ? Token.DoubleEquals : Token.Equals,
            };
            return (token, text[start..position]);
        }
        while (position < text.Length && !IsSymbol(text[position]) && !IsSpace(text[position]))
            position++;
        string word = text[start..position];
        if (asValue)
            return (Token.Word, word);
        return (word switch { "in" => Token.In, "notin" => Token.NotIn, _ => Token.Word }, word);
    }

    private static bool IsSymbol(char c) => c is '=' or '!' or '(' or ')' or ',' or '>' or '<';

    private static bool IsSpace(char c) => c is ' ' or '\t' or '\r' or '\n';
}
