using Plumb.Linux.Nftables.Expressions.Loads;

namespace Plumb.Linux.Nftables.Text;

/// <summary>Names of IPv6 extension headers and of the TCP options that rules touch.</summary>
internal static class ExtensionText
{
    /// <summary>The extension as such, as a test for its presence names it.</summary>
    public static string Kind(ExtensionExpression extension) => extension.Kind switch
    {
        ExtensionKind.Ipv6 => $"exthdr {Ipv6(extension.Type)}",
        ExtensionKind.TcpOption => $"tcp option {TcpOption(extension.Type)}",
        ExtensionKind.Ipv4Option => $"ip option {extension.Type}",
        ExtensionKind.SctpChunk => $"sctp chunk {extension.Type}",
        _ => $"exthdr {(uint)extension.Kind} {extension.Type}",
    };

    /// <summary>The field within it.</summary>
    public static string Name(ExtensionExpression extension)
    {
        var field = (extension.Kind, extension.Type, extension.OffsetBytes, extension.LengthBytes) switch
        {
            (ExtensionKind.TcpOption, 2, 2, 2) => "size",
            (ExtensionKind.TcpOption, 3, 2, 1) => "count",
            (ExtensionKind.TcpOption, _, 0, 1) => "kind",
            (ExtensionKind.TcpOption, _, 1, 1) => "length",
            (ExtensionKind.TcpOption, 8, 2, 4) => "tsval",
            (ExtensionKind.TcpOption, 8, 6, 4) => "tsecr",
            _ => null,
        };
        if (extension.Kind == ExtensionKind.TcpOption && extension.Action == ExtensionAction.Reset)
        {
            return Kind(extension);
        }
        return field is not null
            ? $"{Kind(extension)} {field}"
            : $"{Kind(extension)} @{extension.OffsetBytes * 8},{extension.LengthBytes * 8}";
    }

    private static string Ipv6(byte type) => type switch
    {
        0 => "hbh",
        43 => "rt",
        44 => "frag",
        60 => "dst",
        135 => "mh",
        _ => type.ToString(),
    };

    private static string TcpOption(byte type) => type switch
    {
        0 => "eol",
        1 => "nop",
        2 => "maxseg",
        3 => "window",
        4 => "sack-perm",
        5 => "sack",
        8 => "timestamp",
        30 => "mptcp",
        _ => type.ToString(),
    };
}
