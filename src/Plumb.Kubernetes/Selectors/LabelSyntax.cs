using System.Buffers;

namespace Plumb.Kubernetes.Selectors;

/// <summary>What may be a label's key and value; the texts are the API server's.</summary>
public static class LabelSyntax
{
    private static readonly SearchValues<char> SubdomainCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789-");

    private const string Alphanumeric = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";

    public const string NameError = Alphanumeric
        + " (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";

    public const string ValueError = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an"
        + " alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

    public const string SubdomainError = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an"
        + " alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

    /// <summary>Null when <paramref name="key"/> is `name` or `prefix/name`; several faults are joined by `; `.</summary>
    public static string? CheckKey(ReadOnlySpan<char> key)
    {
        int slash = key.IndexOf('/');
        var name = key[(slash + 1)..];
        if (name.Contains('/'))
            return $"a qualified name {NameError} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')";
        List<string>? errors = null;
        if (slash == 0)
            (errors ??= []).Add("prefix part must be non-empty");
        else if (slash > 0 && CheckSubdomain(key[..slash]) is { } prefixError)
            (errors ??= []).Add("prefix part " + prefixError);
        if (name.Length == 0)
            (errors ??= []).Add("name part must be non-empty");
        else if (name.Length > 63)
            (errors ??= []).Add("name part must be no more than 63 characters");
        if (!IsName(name))
            (errors ??= []).Add("name part " + NameError);
        return errors is null ? null : string.Join("; ", errors);
    }

    public static string? CheckValue(ReadOnlySpan<char> value)
    {
        string? tooLong = value.Length > 63 ? "must be no more than 63 characters" : null;
        if (value.Length == 0 || IsName(value))
            return tooLong;
        return tooLong is null ? ValueError : $"{tooLong}; {ValueError}";
    }

    private static string? CheckSubdomain(ReadOnlySpan<char> text)
    {
        string? tooLong = text.Length > 253 ? "must be no more than 253 characters" : null;
        bool good = true;
        foreach (var range in text.Split('.'))
        {
            var part = text[range];
            good &= part.Length > 0 && !part.ContainsAnyExcept(SubdomainCharacters) && part[0] != '-' && part[^1] != '-';
        }
        if (good)
            return tooLong;
        return tooLong is null ? SubdomainError : $"{tooLong}; {SubdomainError}";
    }

    private static bool IsName(ReadOnlySpan<char> text)
    {
        if (text.Length == 0 || !char.IsAsciiLetterOrDigit(text[0]) || !char.IsAsciiLetterOrDigit(text[^1]))
            return false;
        foreach (char c in text)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_' or '.'))
                return false;
        }
        return true;
    }
}
