using System.Globalization;
using Plumb.Diagnosis.Packets;
using Plumb.Linux.Addresses;
using Plumb.Linux.Nftables.Language;

namespace Plumb.Diagnosis.Rules.Iptables;

/// <summary>
/// The matches that Kubernetes' programs and their neighbours write, each as xt_* does it. What several options of one match say holds together. A packet comes
/// alone: a limit lets it pass.
/// </summary>
internal static class MatchReader
{
    private static readonly Condition Yes = static _ => 1;
    private static readonly Condition No = static _ => 0;

    /// <summary>What a match says by being there.</summary>
    public static Condition? Implied(string module) => module switch
    {
        "tcp" => static p => Is(p.Packet.Protocol == Packet.Tcp),
        "udp" => static p => Is(p.Packet.Protocol == Packet.Udp),
        "sctp" => static p => Is(p.Packet.Protocol == Packet.Sctp),
        "icmp" => static p => Is(p.Packet.Protocol == Packet.Icmp),
        "icmp6" => static p => Is(p.Packet.Protocol == Packet.IcmpV6),
        _ => null,
    };

    /// <summary>Null: the option is not known; its arguments are still to be read.</summary>
    public static Condition? Read(string module, string option, RuleReader reader) => (module, option) switch
    {
        (_, "-p") => Protocol(reader.Take()),
        (_, "-s") => Address(reader.Take(), static p => p.Packet.Source),
        (_, "-d") => Address(reader.Take(), static p => p.Packet.Destination),
        (_, "-i") => Device(reader.Take(), static p => p.Place.InDevice),
        (_, "-o") => Device(reader.Take(), static p => p.Place.OutDevice),
        (_, "-f") => No,
        ("tcp" or "udp" or "sctp" or "udplite" or "dccp", "--sport") => Ports(reader.Take(), static (p, test) => test(p.SourcePort)),
        ("tcp" or "udp" or "sctp" or "udplite" or "dccp", "--dport") => Ports(reader.Take(), static (p, test) => test(p.DestinationPort)),
        ("multiport", "--sports") => Ports(reader.Take(), static (p, test) => test(p.SourcePort)),
        ("multiport", "--dports") => Ports(reader.Take(), static (p, test) => test(p.DestinationPort)),
        ("multiport", "--ports") => Ports(reader.Take(), static (p, test) => test(p.SourcePort) || test(p.DestinationPort)),
        ("tcp", "--tcp-flags") => TcpFlag(reader.Take(), reader.Take()),
        ("tcp", "--syn") => TcpFlag("FIN,SYN,RST,ACK", "SYN"),
        ("icmp", "--icmp-type") or ("icmp6", "--icmpv6-type") => IcmpType(reader.Take()),
        ("mark", "--mark") => Mark(reader.Take(), static p => p.Packet.Mark),
        ("connmark", "--mark") => Mark(reader.Take(), static p => Tracked(p)?.Mark.Value),
        ("conntrack", "--ctstate") or ("state", "--state") => State(reader.Take()),
        ("conntrack", "--ctdir") => Direction(reader.Take()),
        ("conntrack", "--ctstatus") => Status(reader.Take()),
        ("conntrack", "--ctproto") => Protocol(reader.Take()),
        ("conntrack", "--ctorigsrc") => Address(reader.Take(), static p => Tracked(p)?.Original.Source),
        ("conntrack", "--ctorigdst") => Address(reader.Take(), static p => Tracked(p)?.Original.Destination),
        ("conntrack", "--ctreplsrc") => Address(reader.Take(), static p => Tracked(p)?.Reply.Source),
        ("conntrack", "--ctrepldst") => Address(reader.Take(), static p => Tracked(p)?.Reply.Destination),
        ("conntrack", "--ctorigdstport") => Number(reader.Take(), static p => Tracked(p)?.Original.DestinationPort),
        ("conntrack", "--ctorigsrcport") => Number(reader.Take(), static p => Tracked(p)?.Original.SourcePort),
        ("statistic", "--mode") => Statistic(reader),
        ("set", "--match-set") => Set(reader.Take(), reader.Take()),
        ("recent", _) => Recent(option, reader),
        ("addrtype", "--src-type") => AddressType(reader.Take(), static p => p.Packet.Source, reader),
        ("addrtype", "--dst-type") => AddressType(reader.Take(), static p => p.Packet.Destination, reader),
        ("length", "--length") => Number(reader.Take(), static p => (uint)p.Packet.Length),
        ("ttl", "--ttl-eq") or ("hl", "--hl-eq") => Number(reader.Take(), static p => p.Packet.TimeToLive),
        ("ttl", "--ttl-lt") or ("hl", "--hl-lt") => Number($":{(int)RuleReader.Number(reader.Take()) - 1}", static p => p.Packet.TimeToLive),
        ("ttl", "--ttl-gt") or ("hl", "--hl-gt") => Number($"{RuleReader.Number(reader.Take()) + 1}:", static p => p.Packet.TimeToLive),
        ("dscp", "--dscp") => Number(reader.Take(), static p => (uint)p.Packet.TrafficClass >> 2),
        ("tos", "--tos") => Mark(reader.Take(), static p => p.Packet.TrafficClass),
        ("iprange", "--src-range") => Range(reader.Take(), static p => p.Packet.Source),
        ("iprange", "--dst-range") => Range(reader.Take(), static p => p.Packet.Destination),
        ("limit", "--limit" or "--limit-burst") or ("nfacct", "--nfacct-name") => Skip(reader, Yes),
        ("hashlimit", "--hashlimit-above") => Skip(reader, No),
        ("hashlimit", _) => Skip(reader, Yes),
        ("owner", "--uid-owner") => Sender(reader.Take(), static sender => sender.User),
        ("owner", "--gid-owner") => Sender(reader.Take(), static sender => sender.Group),
        ("physdev", "--physdev-in") => Port(reader.Take(), static ports => ports.In),
        ("physdev", "--physdev-out") => Port(reader.Take(), static ports => ports.Out),
        ("physdev", "--physdev-is-in") => static p => p.Place.Bridged is { } ports ? Is(ports.In is not null) : null,
        ("physdev", "--physdev-is-bridged" or "--physdev-is-out") => static p => p.Place.Bridged is { } ports ? Is(ports.Out is not null) : null,
        _ => null,
    };

    private static double Is(bool yes) => yes ? 1 : 0;

    private static Connection? Tracked(XtPacket p) => p.Connection is { IsTracked: true } connection ? connection : null;

    private static Condition Skip(RuleReader reader, Condition condition)
    {
        reader.Take();
        return condition;
    }

    private static Condition? Protocol(string name)
    {
        byte? number = name switch
        {
            "tcp" => Packet.Tcp,
            "udp" => Packet.Udp,
            "icmp" => Packet.Icmp,
            "ipv6-icmp" or "icmpv6" => Packet.IcmpV6,
            "sctp" => Packet.Sctp,
            "all" => 0,
            "ipip" or "ipencap" => 4,
            "ipv6" => 41,
            "gre" => 47,
            "esp" => 50,
            "ah" => 51,
            "ospf" => 89,
            "vrrp" => 112,
            "udplite" => 136,
            _ => byte.TryParse(name, out var stated) ? stated : null,
        };
        return number is { } protocol ? p => Is(protocol == 0 || p.Packet.Protocol == protocol) : static _ => null;
    }

    private static Condition Address(string text, Func<XtPacket, IpAddress?> of)
    {
        var slash = text.IndexOf('/');
        if (!IpAddress.TryParse(slash < 0 ? text : text.AsSpan(0, slash), out var network))
        {
            return static _ => null;
        }
        var all = network.Family == IpFamily.V4 ? uint.MaxValue : UInt128.MaxValue;
        var mask = all;
        if (slash >= 0 && int.TryParse(text.AsSpan(slash + 1), out var length))
        {
            mask = length == 0 ? 0 : (all << (network.BitLength - length)) & all;
        }
        else if (slash >= 0 && IpAddress.TryParse(text.AsSpan(slash + 1), out var bits))
        {
            mask = bits.Number; // 10.0.0.3/255.0.0.255: not every mask is a prefix
        }
        return p => of(p) is { } address ? Is(address.Family == network.Family && (address.Number & mask) == (network.Number & mask)) : XtRule.Never;
    }

    private static Condition Range(string text, Func<XtPacket, IpAddress> of)
    {
        var dash = text.IndexOf('-');
        return dash > 0 && IpAddress.TryParse(text.AsSpan(0, dash), out var first) && IpAddress.TryParse(text.AsSpan(dash + 1), out var last)
            ? p => Is(of(p).CompareTo(first) >= 0 && of(p).CompareTo(last) <= 0)
            : static _ => null;
    }

    private static Condition Device(string name, Func<XtPacket, string?> of) => name.EndsWith('+')
        ? p => Is((of(p) ?? "").StartsWith(name.AsSpan(0, name.Length - 1), StringComparison.Ordinal))
        : p => Is(of(p) == name);

    private static Condition Port(string name, Func<BridgedFacts, string?> of)
    {
        var (isPrefix, text) = (name.EndsWith('+'), name.TrimEnd('+'));
        return p => p.Place.Bridged is not { } ports ? null : of(ports) is { } port ? Is(isPrefix ? port.StartsWith(text, StringComparison.Ordinal) : port == text) : 0;
    }

    private static Condition Ports(string list, Func<Packet, Func<ushort, bool>, bool> any)
    {
        var ranges = new List<(uint First, uint Last)>();
        foreach (var item in list.Split(','))
        {
            ranges.Add(Between(item));
        }
        return p => Is(Translation.HasPorts(p.Packet.Protocol) && any(p.Packet, port => ranges.Exists(range => port >= range.First && port <= range.Last)));
    }

    private static (uint First, uint Last) Between(string text)
    {
        var colon = text.IndexOf(':');
        return colon < 0 ? (RuleReader.Number(text), RuleReader.Number(text))
            : (RuleReader.Number(text[..colon]), colon + 1 == text.Length ? uint.MaxValue : RuleReader.Number(text[(colon + 1)..]));
    }

    private static Condition Number(string text, Func<XtPacket, uint?> of)
    {
        var (first, last) = Between(text);
        return p => of(p) is { } number ? Is(number >= first && number <= last) : XtRule.Never;
    }

    private static Condition Mark(string text, Func<XtPacket, uint?> of)
    {
        var (value, mask) = RuleReader.Masked(text);
        return p => of(p) is { } mark ? Is((mark & mask) == value) : XtRule.Never;
    }

    // Only what was sent here has a sender.
    private static Condition Sender(string text, Func<(uint User, uint Group), uint> of)
    {
        var dash = text.IndexOf('-');
        if (!uint.TryParse(dash < 0 ? text : text.AsSpan(0, dash), out var first) || !uint.TryParse(text.AsSpan(dash + 1), out var last))
        {
            return static _ => null; // by name: whose number that is, is not known
        }
        return p => p.Place.InDevice is not null ? 0 : p.Place.Sender is { } sender ? Is(of(sender) >= first && of(sender) <= last) : null;
    }

    private static Condition TcpFlag(string mask, string set)
    {
        var (looked, wanted) = (Flags(mask), Flags(set));
        return p => Is((p.Packet.Flags & looked) == wanted);

        static TcpFlags Flags(string list) => list switch
        {
            "ALL" => TcpFlags.Fin | TcpFlags.Syn | TcpFlags.Rst | TcpFlags.Psh | TcpFlags.Ack | TcpFlags.Urg,
            "NONE" => TcpFlags.None,
            _ => list.Split(',').Aggregate(TcpFlags.None, static (flags, name) => Enum.TryParse<TcpFlags>(name, ignoreCase: true, out var flag) ? flags | flag : flags),
        };
    }

    private static Condition IcmpType(string text)
    {
        if (text is "any" or "255")
        {
            return Yes;
        }
        var slash = text.IndexOf('/');
        if (!byte.TryParse(slash < 0 ? text : text.AsSpan(0, slash), out var type))
        {
            return static _ => null;
        }
        byte? code = slash >= 0 ? byte.Parse(text.AsSpan(slash + 1), CultureInfo.InvariantCulture) : null;
        return p => p.Packet.Message is { } message ? Is(message.Type == type && (code is null || message.Code == code)) : null;
    }

    private static Condition State(string list)
    {
        var states = list.Split(',');
        return p =>
        {
            var connection = Tracked(p);
            var state = p.Connection?.State switch
            {
                ConnectionState.Untracked => "UNTRACKED",
                ConnectionState.New or ConnectionState.Template => "NEW",
                ConnectionState.Established => "ESTABLISHED",
                ConnectionState.Related => "RELATED",
                _ => "INVALID",
            };
            return Is(states.Contains(state)
                || (connection is { SourceTranslated: true } && states.Contains("SNAT"))
                || (connection is { DestinationTranslated: true } && states.Contains("DNAT")));
        };
    }

    private static Condition Direction(string direction) => p => Tracked(p) is { } connection ? Is(connection.IsReply == (direction == "REPLY")) : XtRule.Never;

    // Of a known connection only the kernel knows all.
    private static Condition Status(string list) => p => Tracked(p) switch
    {
        null => XtRule.Never,
        { IsKnown: false } => Is(list == "NONE"),
        { State: ConnectionState.Established } when list.Split(',').Contains("SEEN_REPLY") => 1,
        _ => list.Split(',').Contains("CONFIRMED") ? 1 : null,
    };

    private static Condition? Statistic(RuleReader reader)
    {
        if (reader.Take() == "random")
        {
            var isNot = reader.TakeIf("!");
            if (!reader.TakeIf("--probability"))
            {
                return null;
            }
            var chance = double.Parse(reader.Take(), CultureInfo.InvariantCulture);
            return _ => isNot ? 1 - chance : chance;
        }
        // Which packet of so many this is nobody tells; one is as likely as another.
        var isNotNth = reader.TakeIf("!");
        var every = 1u;
        while (reader.IsNext("--every") || reader.IsNext("--packet"))
        {
            if (reader.Take() == "--every")
            {
                every = Math.Max(1, RuleReader.Number(reader.Take()));
            }
            else
            {
                reader.Take();
            }
        }
        return _ => isNotNth ? 1 - (1.0 / every) : 1.0 / every;
    }

    private static Condition Set(string name, string directions) => p => SetMatch.Test(p, name, directions);

    // Who asks whether a client is remembered asks before anybody remembers it: see HookPlace.Recent.
    private static Condition Recent(string option, RuleReader reader)
    {
        var (does, name, bySource) = (option, "DEFAULT", true);
        while (true)
        {
            if (reader.TakeIf("--name"))
            {
                name = reader.Take();
            }
            else if (reader.TakeIf("--seconds") || reader.TakeIf("--hitcount") || reader.TakeIf("--mask"))
            {
                reader.Take();
            }
            else if (reader.TakeIf("--rdest"))
            {
                bySource = false;
            }
            else if (!reader.TakeIf("--rsource") && !reader.TakeIf("--reap") && !reader.TakeIf("--rttl"))
            {
                break;
            }
        }
        return does == "--set" ? Yes : p => Is(p.Place.Recent?.Invoke(name, bySource ? p.Packet.Source : p.Packet.Destination) ?? false);
    }

    private static Condition AddressType(string list, Func<XtPacket, IpAddress> of, RuleReader reader)
    {
        var types = new HashSet<byte>();
        foreach (var name in list.Split(','))
        {
            if (Enum.TryParse<FibAddressType>(name == "UNSPEC" ? "Unspecified" : name, ignoreCase: true, out var type))
            {
                types.Add((byte)type);
            }
        }
        var byIn = reader.TakeIf("--limit-iface-in");
        var byOut = !byIn && reader.TakeIf("--limit-iface-out");
        return p =>
        {
            if (p.Place.Fib is not { } ask)
            {
                return null;
            }
            var answer = ask(of(p));
            var device = byIn ? p.Place.InDevice : byOut ? p.Place.OutDevice : null;
            return Is(types.Contains((byte)AddressTypes.Of(of(p), answer, device)));
        };
    }
}
