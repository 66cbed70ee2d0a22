using System.Net;
using Plumb.Kubernetes.Selectors;

namespace Plumb.Api.Resources.Validation;

internal enum NameRule
{
    /// <summary>RFC 1123 subdomain, 253 characters.</summary>
    Subdomain,

    /// <summary>RFC 1123 label, 63 characters.</summary>
    Label,

    /// <summary>RFC 1035 label, 63 characters, begins with a letter.</summary>
    Rfc1035Label,

    /// <summary>An IP address as it is written shortest.</summary>
    Address,

    /// <summary>Whatever can be one step of a path.</summary>
    PathStep,
}

/// <summary>What may be a name, and what the server says of what may not.</summary>
internal static class NameSyntax
{
    private const string LabelText = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character "
        + "(e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";

    private const string Rfc1035Text = "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character "
        + "(e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";

    private const string ConfigKeyText = "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";

    private const string WildcardText = "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' "
        + "and end with an alphanumeric character (e.g. '*.example.com', regex used for validation is '\\*\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

    public const string AddressText = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";

    public const string PrefixText = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)";

    public const string PortText = "must be between 1 and 65535, inclusive";

    public static IEnumerable<string> Check(NameRule rule, string name, bool isPrefix = false)
    {
        // A generateName may end in what only a middle may have.
        if (isPrefix && name.EndsWith('-'))
            name = name[..^1] + "a";
        return rule switch
        {
            NameRule.Subdomain => Subdomain(name),
            NameRule.Label => Label(name),
            NameRule.Address => Address(name),
            NameRule.PathStep => PathStep(name),
            _ => Rfc1035(name),
        };
    }

    public static IEnumerable<string> Subdomain(string name)
    {
        if (name.Length > 253)
            yield return "must be no more than 253 characters";
        foreach (var part in name.Split('.'))
        {
            if (!IsLabel(part))
            {
                yield return LabelSyntax.SubdomainError;
                yield break;
            }
        }
    }

    public static IEnumerable<string> Label(string name)
    {
        if (name.Length > 63)
            yield return "must be no more than 63 characters";
        if (!IsLabel(name))
            yield return name.Contains('.', StringComparison.Ordinal) && name.Split('.').All(IsLabel) ? "must not contain dots" : LabelText;
    }

    public static IEnumerable<string> WildcardSubdomain(string name)
    {
        if (!name.StartsWith("*.", StringComparison.Ordinal) || !name[2..].Split('.').All(IsLabel))
            yield return WildcardText;
    }

    private static IEnumerable<string> PathStep(string name)
    {
        if (name is "." or "..")
            yield return $"may not be '{name}'";
        foreach (var illegal in (string[])["/", "%"])
        {
            if (name.Contains(illegal, StringComparison.Ordinal))
                yield return $"may not contain '{illegal}'";
        }
    }

    /// <summary>As <see cref="Label"/>, where a dot is told like any other fault.</summary>
    public static IEnumerable<string> PlainLabel(string name)
    {
        if (name.Length > 63)
            yield return "must be no more than 63 characters";
        if (!IsLabel(name))
            yield return LabelText;
    }

    public static IEnumerable<string> Rfc1035(string name)
    {
        if (name.Length > 63)
            yield return "must be no more than 63 characters";
        if (!IsLabel(name) || !char.IsAsciiLetterLower(name[0]))
            yield return Rfc1035Text;
    }

    /// <summary>The name of a port (IANA service name).</summary>
    public static IEnumerable<string> PortName(string name)
    {
        if (name.Length > 15)
            yield return "must be no more than 15 characters";
        foreach (var c in name)
        {
            if (!char.IsAsciiLetterLower(c) && !char.IsAsciiDigit(c) && c != '-')
            {
                yield return "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)";
                break;
            }
        }

        if (!name.Any(char.IsAsciiLetterLower))
            yield return "must contain at least one letter (a-z)";
        if (name.Contains("--", StringComparison.Ordinal))
            yield return "must not contain consecutive hyphens";
        if (name.StartsWith('-') || name.EndsWith('-'))
            yield return "must not begin or end with a hyphen";
    }

    public static IEnumerable<string> ConfigKey(string name)
    {
        if (name.Length > 253)
            yield return "must be no more than 253 characters";
        if (name.Length == 0 || !name.All(static c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.'))
            yield return ConfigKeyText;
    }

    private static IEnumerable<string> Address(string name)
    {
        if (!IsAddress(name))
            yield return AddressText;
        else if (Canonical(name) is { } canonical)
            yield return $"must be in canonical form (\"{canonical}\")";
    }

    /// <returns>How an address is written shortest; null where it is written so.</returns>
    public static string? Canonical(string address) => IPAddress.Parse(address).ToString() is var canonical && canonical != address ? canonical : null;

    /// <summary>`name` or `prefix/name`: keys of labels, annotations, finalizers.</summary>
    public static string? QualifiedName(string name) => LabelSyntax.CheckKey(name)?.Replace("bytes", "characters", StringComparison.Ordinal);

    public static string? LabelValue(string value) => LabelSyntax.CheckValue(value)?.Replace("bytes", "characters", StringComparison.Ordinal);

    public static bool IsAddress(string text) => IPAddress.TryParse(text, out var address) && (address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6 || text.Split('.').Length == 4);

    public static bool IsPrefix(string text)
    {
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        return slash > 0 && IsAddress(text[..slash]) && int.TryParse(text.AsSpan(slash + 1), out var length) &&
            length >= 0 && length <= (text.Contains(':', StringComparison.Ordinal) ? 128 : 32);
    }

    public static bool IsLabel(string text)
    {
        if (text.Length == 0 || text[0] == '-' || text[^1] == '-')
            return false;
        foreach (var c in text)
        {
            if (!char.IsAsciiLetterLower(c) && !char.IsAsciiDigit(c) && c != '-')
                return false;
        }

        return true;
    }
}
