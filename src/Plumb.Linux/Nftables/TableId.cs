namespace Plumb.Linux.Nftables;

/// <summary>Which packets a table sees (NFPROTO_* of <c>linux/netfilter.h</c>).</summary>
public enum TableFamily : byte
{
    /// <summary>IPv4 and IPv6 both.</summary>
    Inet = 1,
    Ip = 2,
    Arp = 3,

    /// <summary>Ingress and egress of devices.</summary>
    Netdev = 5,
    Bridge = 7,
    Ip6 = 10,
}

/// <summary>A table's natural key: <c>ip plumb</c>.</summary>
public readonly record struct TableId(TableFamily Family, string Name)
{
    /// <summary>Everything in a table of this name is Plumb's own.</summary>
    public const string PlumbName = "plumb";

    public static TableId Plumb(TableFamily family) => new(family, PlumbName);

    public bool IsPlumbs => Name == PlumbName;

    public override string ToString() => $"{FamilyName(Family)} {Name}";

    internal static string FamilyName(TableFamily family) => family switch
    {
        TableFamily.Inet => "inet",
        TableFamily.Ip => "ip",
        TableFamily.Arp => "arp",
        TableFamily.Netdev => "netdev",
        TableFamily.Bridge => "bridge",
        TableFamily.Ip6 => "ip6",
        _ => $"family{(byte)family}",
    };
}
