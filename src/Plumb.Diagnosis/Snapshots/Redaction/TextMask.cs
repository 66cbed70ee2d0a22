using System.Text.RegularExpressions;
using Plumb.Linux.Addresses;

namespace Plumb.Diagnosis.Snapshots.Redaction;

/// <summary>Addresses and names wherever they stand in a text: rules of iptables, comments, names of DNS, keys of entries.</summary>
internal sealed partial class TextMask(AddressMask addresses, NameMask names)
{
    public AddressMask Addresses => addresses;

    public string Of(string text) => Thing().Replace(text, one => Replaced(one.Value));

    private string Replaced(string thing)
    {
        if (Mac().IsMatch(thing))
        {
            return addresses.Of(MacAddress.Parse(thing)).ToString();
        }
        var slash = thing.IndexOf('/');
        if (slash > 0 && IpPrefix.TryParse(thing, out var prefix))
        {
            return $"{addresses.Of(prefix)}";
        }
        if (IpAddress.TryParse(thing, out var address))
        {
            return addresses.Of(address).ToString();
        }
        // A pod's name in DNS: 10-244-1-2.default.pod.cluster.local
        if (Dashed().IsMatch(thing) && IpAddress.TryParse(thing.Replace('-', '.'), out var dashed))
        {
            return addresses.Of(dashed).ToString().Replace('.', '-');
        }
        // Words before an IPv4 address that do not make it one of IPv6.
        if (thing.LastIndexOf(':') is var colon and >= 0 && thing.IndexOf('.', colon) > 0)
        {
            return Of(thing[..(colon + 1)]) + Of(thing[(colon + 1)..]);
        }
        return thing.AsSpan().IndexOfAny(':', '.', '/') >= 0 ? Parts(thing) : names.Of(thing) ?? thing;
    }

    // What looked like an address and is none: its words.
    private string Parts(string thing) => NameMask.Word().Replace(thing, word => names.Of(word.Value) ?? word.Value);

    // A hardware address, an address of either family with or without a length, else a word.
    [GeneratedRegex(@"(?<![0-9A-Fa-f:])(?:[0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}(?![0-9A-Fa-f:])"
        + @"|(?<![0-9A-Za-z:.])(?=[0-9A-Fa-f:]*:[0-9A-Fa-f]*:)[0-9A-Fa-f:]*:[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?:/[0-9]{1,3})?(?![0-9A-Za-z:])"
        + @"|(?<![0-9A-Za-z:.])(?=[0-9A-Fa-f:]*:[0-9A-Fa-f]*:)[0-9A-Fa-f:]+(?:/[0-9]{1,3})?(?![0-9A-Za-z:])"
        + @"|(?<![0-9A-Za-z.])[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?:/[0-9]{1,2})?(?![0-9A-Za-z])"
        + @"|[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?")]
    private static partial Regex Thing();

    [GeneratedRegex("^(?:[0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}$")]
    private static partial Regex Mac();

    [GeneratedRegex("^[0-9]{1,3}(?:-[0-9]{1,3}){3}$")]
    private static partial Regex Dashed();
}
