using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Plumb.Api.Schema;

namespace Plumb.Api.Cel;

/// <summary>Kubernetes' own libraries of the language: addresses, ranges, URLs, quantities, versions, formats; and sets and optional values.</summary>
internal static class CelLibraries
{
    /// <exception cref="CelException"/>
    public static object? Call(string name, object?[] arguments, Action<int> spend) => (name, arguments) switch
    {
        ("isIP", [string text]) => Address(text) is not null,
        ("ip", [string text]) => Address(text) ?? throw new CelException($"IP Address '{text}' parse error during conversion from string"),
        ("ip.isCanonical", [string text]) => (Address(text) ?? throw new CelException($"IP Address '{text}' parse error during conversion from string")).ToString() == text,
        ("isCIDR", [string text]) => Range(text) is not null,
        ("cidr", [string text]) => Range(text) ?? throw new CelException($"network address parse error during conversion from string: '{text}'"),
        ("string", [IPAddress or CelCidr]) => arguments[0]!.ToString(),
        (_, [IPAddress address, ..]) => OfAddress(name, address, arguments),
        (_, [CelCidr range, ..]) => OfRange(name, range, arguments),
        ("isURL", [string text]) => Url(text) is not null,
        ("url", [string text]) => Url(text) ?? throw new CelException($"URL parse error during conversion from string: parse \"{text}\": invalid URI for request"),
        (_, [CelUrl url]) => OfUrl(name, url.Uri),
        ("isQuantity", [string text]) => Quantities.TryParse(text, out _),
        ("quantity", [string text]) => Quantities.TryParse(text, out var amount) ? new CelQuantity(amount) : throw new CelException("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"),
        ("isSemver", [string text]) => CelSemver.Read(text, isLoose: false, out _) is not null,
        ("isSemver", [string text, bool isLoose]) => CelSemver.Read(text, isLoose, out _) is not null,
        ("semver", [string text]) => CelSemver.Read(text, isLoose: false, out var why) ?? throw new CelException(why),
        ("semver", [string text, bool isLoose]) => CelSemver.Read(text, isLoose, out var why) ?? throw new CelException(why),
        (_, [CelSemver version, ..]) => OfVersion(name, version, arguments),
        (_, [CelQuantity quantity, ..]) => OfQuantity(name, quantity.Amount, arguments),
        ("format.named", [string format]) => CelFormat.Names.Contains(format) ? new CelOptional(true, new CelFormat(format)) : CelOptional.None,
        (['f', 'o', 'r', 'm', 'a', 't', '.', .. var format], []) => new CelFormat(format),
        ("validate", [CelFormat format, string text]) => format.Validate(text),
        ("optional.of", [var value]) => new CelOptional(true, value),
        ("optional.none", []) => CelOptional.None,
        ("optional.unwrap" or "unwrapOpt", [List<object?> list]) => list.Select(static item => item as CelOptional ?? throw CelEvaluation.Overload()).Where(static item => item.HasValue).Select(static item => item.Value).ToList(),
        ("optional.ofNonZeroValue", [var value]) => value is null or false or 0L or 0UL or 0.0 or "" or CelBytes { Count: 0 } or List<object?> { Count: 0 } or System.Text.Json.Nodes.JsonObject { Count: 0 } ? CelOptional.None : new CelOptional(true, value),
        (_, [CelOptional optional, ..]) => OfOptional(name, optional, arguments),
        ("sets.contains", [List<object?> all, List<object?> some]) => Contains(all, some, spend),
        ("sets.equivalent", [List<object?> one, List<object?> other]) => Contains(one, other, spend) && Contains(other, one, spend),
        ("sets.intersects", [List<object?> one, List<object?> other]) => Costs(one, other, spend) && one.Exists(item => other.Exists(there => CelOperators.Same(item, there))),
        _ => throw CelEvaluation.Overload(),
    };

    /// <summary>No zones, no IPv4 inside of IPv6, and numbers as they are usually written.</summary>
    private static IPAddress? Address(string text) =>
        IPAddress.TryParse(text, out var address)
        && !text.Contains('%', StringComparison.Ordinal)
        && (address.AddressFamily == AddressFamily.InterNetwork ? address.ToString() == text : !address.IsIPv4MappedToIPv6 && text[0] != '[') ? address : null;

    private static CelCidr? Range(string text) =>
        text.IndexOf('/', StringComparison.Ordinal) is var slash and > 0
        && Address(text[..slash]) is { } address
        && int.TryParse(text.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var length)
        && length.ToString(CultureInfo.InvariantCulture) == text[(slash + 1)..]
        && length <= (address.AddressFamily == AddressFamily.InterNetwork ? 32 : 128) ? new CelCidr(address, length) : null;

    private static object OfAddress(string name, IPAddress address, object?[] arguments)
    {
        var bytes = address.GetAddressBytes();
        var isV4 = bytes.Length == 4;
        var isLinkLocal = isV4 ? bytes is [169, 254, ..] : address.IsIPv6LinkLocal;
        var isMulticast = isV4 ? bytes[0] is >= 224 and < 240 : address.IsIPv6Multicast;
        var isUnspecified = address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any);
        return (name, arguments.Length) switch
        {
            ("family", 1) => isV4 ? 4L : 6L,
            ("isLoopback", 1) => IPAddress.IsLoopback(address),
            ("isUnspecified", 1) => isUnspecified,
            ("isLinkLocalUnicast", 1) => isLinkLocal,
            ("isLinkLocalMulticast", 1) => isV4 ? bytes is [224, 0, 0, _] : bytes[0] == 0xff && (bytes[1] & 0x0f) == 2,
            ("isGlobalUnicast", 1) => !isUnspecified && !isLinkLocal && !isMulticast && !IPAddress.IsLoopback(address) && !address.Equals(IPAddress.Broadcast),
            _ => throw CelEvaluation.Overload(),
        };
    }

    private static object OfRange(string name, CelCidr range, object?[] arguments) => (name, arguments[1..]) switch
    {
        ("containsIP", [IPAddress address]) => range.Contains(address),
        ("containsIP", [string text]) => range.Contains(Address(text) ?? throw new CelException($"IP Address '{text}' parse error during conversion from string")),
        ("containsCIDR", [CelCidr other]) => other.Length >= range.Length && range.Contains(other.Address),
        ("containsCIDR", [string text]) => (Range(text) ?? throw new CelException($"network address parse error during conversion from string: '{text}'")) is var other && other.Length >= range.Length && range.Contains(other.Address),
        ("ip", []) => range.Address,
        ("masked", []) => range.Network,
        ("prefixLength", []) => (long)range.Length,
        _ => throw CelEvaluation.Overload(),
    };

    /// <summary>An absolute one, or a path from the root: what Go's ParseRequestURI takes.</summary>
    private static CelUrl? Url(string text) =>
        text.StartsWith('/') ? Uri.TryCreate("scheme://host" + text, UriKind.Absolute, out var path) ? new CelUrl(new Uri(path.PathAndQuery, UriKind.Relative)) : null
        : text.Contains(':', StringComparison.Ordinal) && Uri.TryCreate(text, UriKind.Absolute, out var absolute) ? new CelUrl(absolute) : null;

    private static object OfUrl(string name, Uri url)
    {
        // What is only a path is looked at as that of some host.
        var whole = url.IsAbsoluteUri ? url : new Uri(new Uri("scheme://host"), url);
        return name switch
        {
            "getScheme" => url.IsAbsoluteUri ? url.Scheme : "",
            "getHost" => url.IsAbsoluteUri ? url.GetComponents(UriComponents.HostAndPort, UriFormat.UriEscaped) is var host && url.OriginalString.Contains(host, StringComparison.OrdinalIgnoreCase) ? host : url.Host : "",
            "getHostname" => url.IsAbsoluteUri ? url.Host.Trim('[', ']') : "",
            "getPort" => url.IsAbsoluteUri && url.OriginalString.Contains($":{url.Port}", StringComparison.Ordinal) ? url.Port.ToString(CultureInfo.InvariantCulture) : "",
            "getEscapedPath" => url.IsAbsoluteUri && (url.OriginalString.Split("://", 2) is not [_, var rest] || !rest.Contains('/', StringComparison.Ordinal)) ? "" : whole.AbsolutePath,
            "getQuery" => new System.Text.Json.Nodes.JsonObject(whole.Query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries).Select(static pair => pair.Split('=', 2))
                .GroupBy(static pair => Uri.UnescapeDataString(pair[0])).Select(static group => KeyValuePair.Create(group.Key, CelValues.ToJson(group.Select(static pair => (object?)(pair.Length > 1 ? Uri.UnescapeDataString(pair[1]) : "")).ToList())))),
            _ => throw CelEvaluation.Overload(),
        };
    }

    private static object OfQuantity(string name, decimal amount, object?[] arguments)
    {
        var isWhole = amount == decimal.Truncate(amount) && amount is >= long.MinValue and <= long.MaxValue;
        return (name, arguments[1..]) switch
        {
            ("isGreaterThan", [CelQuantity other]) => amount > other.Amount,
            ("isLessThan", [CelQuantity other]) => amount < other.Amount,
            ("compareTo", [CelQuantity other]) => (long)amount.CompareTo(other.Amount),
            ("add", [CelQuantity other]) => new CelQuantity(amount + other.Amount),
            ("add", [long other]) => new CelQuantity(amount + other),
            ("sub", [CelQuantity other]) => new CelQuantity(amount - other.Amount),
            ("sub", [long other]) => new CelQuantity(amount - other),
            ("sign", []) => (long)Math.Sign(amount),
            ("isInteger", []) => isWhole,
            ("asInteger", []) => isWhole ? (long)amount : throw new CelException("cannot convert value to integer"),
            ("asApproximateFloat", []) => (double)amount,
            _ => throw CelEvaluation.Overload(),
        };
    }

    private static object? OfOptional(string name, CelOptional optional, object?[] arguments) => (name, arguments[1..]) switch
    {
        ("hasValue", []) => optional.HasValue,
        ("value", []) => optional.HasValue ? optional.Value : throw new CelException("optional.none() dereference"),
        ("orValue", [var other]) => optional.HasValue ? optional.Value : other,
        ("or", [CelOptional other]) => optional.HasValue ? optional : other,
        _ => throw CelEvaluation.Overload(),
    };

    private static object OfVersion(string name, CelSemver version, object?[] arguments) => (name, arguments[1..]) switch
    {
        ("major", []) => version.Major,
        ("minor", []) => version.Minor,
        ("patch", []) => version.Patch,
        ("isGreaterThan", [CelSemver other]) => version.CompareTo(other) > 0,
        ("isLessThan", [CelSemver other]) => version.CompareTo(other) < 0,
        ("compareTo", [CelSemver other]) => (long)version.CompareTo(other),
        _ => throw CelEvaluation.Overload(),
    };

    private static bool Contains(List<object?> all, List<object?> some, Action<int> spend) =>
        Costs(all, some, spend) && some.TrueForAll(item => all.Exists(there => CelOperators.Same(item, there)));

    private static bool Costs(List<object?> one, List<object?> other, Action<int> spend)
    {
        spend((int)Math.Min(int.MaxValue, (long)CelValues.Size(one) * other.Count));
        return true;
    }
}
