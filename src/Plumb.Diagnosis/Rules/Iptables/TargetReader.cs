using Plumb.Linux.Addresses;

namespace Plumb.Diagnosis.Rules.Iptables;

/// <summary>What stands behind <c>-j</c>.</summary>
internal static class TargetReader
{
    public static XtTarget Read(string name, RuleReader reader) => name switch
    {
        "ACCEPT" => new XtTarget.Accept(),
        "DROP" => new XtTarget.Drop(),
        "RETURN" => new XtTarget.Return(),
        "QUEUE" or "NFQUEUE" => new XtTarget.Queue(),
        "REJECT" => new XtTarget.Reject(reader.TakeIf("--reject-with") ? reader.Take() : "icmp-port-unreachable"),
        "DNAT" => Nat(reader, "--to-destination", destination: true),
        "SNAT" => Nat(reader, "--to-source", destination: false),
        "MASQUERADE" => new XtTarget.Masquerade(Ports(reader)),
        "REDIRECT" => new XtTarget.Redirect(Ports(reader)),
        "NETMAP" => reader.TakeIf("--to") && IpPrefix.TryParse(reader.Take(), out var prefix) ? new XtTarget.NetMap(prefix) : new XtTarget.Unknown(name),
        "MARK" => Mark(reader),
        "CONNMARK" => ConnectionMark(reader),
        "TPROXY" => TransparentProxy(reader),
        "NOTRACK" => new XtTarget.NoTrack(),
        "CT" => reader.TakeIf("--notrack") ? new XtTarget.NoTrack()
            : reader.TakeIf("--zone") ? new XtTarget.SetZone(reader.TakeIf("mark") ? null : (ushort)RuleReader.Number(reader.Take()))
            : reader.TakeIf("--helper") || reader.TakeIf("--timeout") || reader.TakeIf("--ctevents") ? new XtTarget.Nothing()
            : new XtTarget.Unknown(name),
        "LOG" or "NFLOG" or "ULOG" or "AUDIT" or "TRACE" or "CHECKSUM" or "TCPMSS" or "CLASSIFY" or "TEE" or "" => new XtTarget.Nothing(),
        // What is added to a set the walk does not see; what a set says of the packet's mark it cannot tell.
        "SET" => reader.IsNext("--map-set") ? new XtTarget.Unknown(name) : new XtTarget.Nothing(),
        "TTL" or "HL" or "TOS" or "DSCP" or "SYNPROXY" or "ECN" or "HMARK" or "CONNSECMARK" or "SECMARK" or "CLUSTERIP" or "DNPT" or "SNPT" => new XtTarget.Unknown(name),
        _ => new XtTarget.Chain(name, IsGoto: false),
    };

    private static XtTarget.Nat Nat(RuleReader reader, string option, bool destination)
    {
        var range = default(NatRange);
        while (true)
        {
            if (reader.TakeIf(option))
            {
                range = Range(reader.Take(), reader.Family) with { IsRandom = range.IsRandom };
            }
            else if (reader.TakeIf("--random") || reader.TakeIf("--random-fully"))
            {
                range = range with { IsRandom = true };
            }
            else if (!reader.TakeIf("--persistent"))
            {
                return new XtTarget.Nat(destination, range);
            }
        }
    }

    // 10.0.0.1-10.0.0.9:80-90, [fd00::1]:80, :80, 10.0.0.1
    private static NatRange Range(string text, IpFamily family)
    {
        var (addresses, ports) = (text, "");
        var colon = family == IpFamily.V4 ? text.LastIndexOf(':') : text.StartsWith(':') && !text.StartsWith("::", StringComparison.Ordinal) ? 0 : text.LastIndexOf("]:", StringComparison.Ordinal) + 1;
        if (colon > 0 || (colon == 0 && text.StartsWith(':') && !text.StartsWith("::", StringComparison.Ordinal)))
        {
            (addresses, ports) = (text[..colon], text[(colon + 1)..]);
        }
        addresses = addresses.Replace("[", "", StringComparison.Ordinal).Replace("]", "", StringComparison.Ordinal);
        var dash = addresses.IndexOf('-');
        IpAddress? first = IpAddress.TryParse(dash < 0 ? addresses : addresses.AsSpan(0, dash), out var from) ? from : null;
        IpAddress? last = dash >= 0 && IpAddress.TryParse(addresses.AsSpan(dash + 1), out var to) ? to : null;
        return WithPorts(new NatRange(first, last, null, null), ports);
    }

    private static NatRange WithPorts(NatRange range, string ports)
    {
        if (ports.Length == 0)
        {
            return range;
        }
        var slash = ports.IndexOf('/');
        var pair = (slash < 0 ? ports : ports[..slash]).Split('-');
        return range with { FirstPort = (ushort)RuleReader.Number(pair[0]), LastPort = pair.Length > 1 ? (ushort)RuleReader.Number(pair[1]) : null };
    }

    private static NatRange Ports(RuleReader reader)
    {
        var range = default(NatRange);
        while (true)
        {
            if (reader.TakeIf("--to-ports"))
            {
                range = WithPorts(range, reader.Take());
            }
            else if (reader.TakeIf("--random") || reader.TakeIf("--random-fully"))
            {
                range = range with { IsRandom = true };
            }
            else
            {
                return range;
            }
        }
    }

    private static XtTarget Mark(RuleReader reader)
    {
        var (bits, mask) = Masked(reader.Take(), reader.Take());
        return mask is { } over ? new XtTarget.SetMark(bits, over) : new XtTarget.Unknown("MARK");
    }

    private static XtTarget ConnectionMark(RuleReader reader)
    {
        var option = reader.Take();
        if (option is "--save-mark" or "--restore-mark")
        {
            var (packet, connection) = (uint.MaxValue, uint.MaxValue);
            while (true)
            {
                if (reader.TakeIf("--nfmask"))
                {
                    packet = RuleReader.Number(reader.Take());
                }
                else if (reader.TakeIf("--ctmask"))
                {
                    connection = RuleReader.Number(reader.Take());
                }
                else if (reader.TakeIf("--mask"))
                {
                    packet = connection = RuleReader.Number(reader.Take());
                }
                else
                {
                    return option == "--save-mark" ? new XtTarget.SaveMark(packet, connection) : new XtTarget.RestoreMark(packet, connection);
                }
            }
        }
        var (bits, mask) = Masked(option, reader.Take());
        return mask is { } over ? new XtTarget.SetConnectionMark(bits, over) : new XtTarget.Unknown("CONNMARK");
    }

    // All are (mark & ~mask) ^ value; --set-mark clears the bits of value too.
    private static (uint Value, uint? Mask) Masked(string option, string argument)
    {
        var (value, mask) = RuleReader.Masked(argument);
        return option switch
        {
            "--set-xmark" => (value, mask),
            "--set-mark" => (value, mask | value),
            "--and-mark" => (0, ~value),
            "--or-mark" => (value, value),
            "--xor-mark" => (value, 0),
            _ => (0, null),
        };
    }

    private static XtTarget.TransparentProxy TransparentProxy(RuleReader reader)
    {
        var proxy = new XtTarget.TransparentProxy(null, 0, 0, 0);
        while (true)
        {
            if (reader.TakeIf("--on-port"))
            {
                proxy = proxy with { Port = (ushort)RuleReader.Number(reader.Take()) };
            }
            else if (reader.TakeIf("--on-ip"))
            {
                proxy = proxy with { Address = IpAddress.TryParse(reader.Take(), out var address) && !address.IsUnspecified ? address : null };
            }
            else if (reader.TakeIf("--tproxy-mark"))
            {
                var (value, mask) = RuleReader.Masked(reader.Take());
                proxy = proxy with { Mark = value, Mask = mask };
            }
            else
            {
                return proxy;
            }
        }
    }
}
