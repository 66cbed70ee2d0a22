using Plumb.Linux.Nftables.Expressions;
using Plumb.Linux.Nftables.Expressions.Loads;
using Plumb.Linux.Nftables.Expressions.Operations;
using Plumb.Linux.Nftables.Language;

namespace Plumb.Linux.Nftables.Text;

/// <summary>What a rule has said so far of the packet's protocols, and which of those statements a later field makes needless.</summary>
internal sealed class Protocols(TableFamily family, List<string?> statements)
{
    private byte? _network = family switch
    {
        TableFamily.Ip => 2,
        TableFamily.Ip6 => 10,
        TableFamily.Arp => 3,
        _ => null,
    };

    private byte? _transport;
    private bool _isVlan;
    private int? _networkStatement;
    private int? _transportStatement;
    private int? _linkStatement;
    private int? _vlanStatement;

    /// <summary>NFPROTO_* of the packet, where it is known.</summary>
    public byte? Network => _network;

    public Header HeaderAt(PayloadBase start, uint offsetBytes) => start switch
    {
        PayloadBase.LinkLayer => _isVlan && offsetBytes >= 14 ? Header.Vlan : Header.Ethernet,
        PayloadBase.Network => _network switch
        {
            2 => Header.Ip,
            10 => Header.Ip6,
            3 => Header.Arp,
            _ => Header.Raw,
        },
        PayloadBase.Transport => _transport switch
        {
            (byte)IpProtocol.Tcp => Header.Tcp,
            (byte)IpProtocol.Udp => Header.Udp,
            (byte)IpProtocol.Sctp => Header.Sctp,
            (byte)IpProtocol.Icmp => Header.Icmp,
            (byte)IpProtocol.Icmpv6 => Header.Icmpv6,
            _ => Header.Transport,
        },
        _ => Header.Raw,
    };

    /// <summary>A test has been printed as the statement of this number.</summary>
    public void Learn(string left, Comparison comparison, Octets value, int statement)
    {
        if (comparison != Comparison.Equal || value.IsEmpty)
        {
            return;
        }
        switch (left)
        {
            case "meta l4proto":
                _transport = value.Span[0];
                _transportStatement = statement;
                break;
            case "ip protocol" or "ip6 nexthdr":
                // Where both families pass it says more than the transport: which family it is.
                _transport = value.Span[0];
                _transportStatement = family is TableFamily.Ip or TableFamily.Ip6 ? statement : null;
                break;
            case "meta nfproto":
                _network = value.Span[0];
                _networkStatement = statement;
                break;
            case "meta protocol" or "ether type":
                LearnEtherType((ushort)value.ToNumber(ByteOrder.Big), statement);
                break;
            case "meta iiftype" or "meta oiftype":
                _linkStatement = statement;
                break;
            default:
                break;
        }
    }

    /// <summary>A field of a header has been named, which says by itself that the packet has that header.</summary>
    public void Used(PayloadBase start, Header header)
    {
        switch (start)
        {
            case PayloadBase.Transport when header is not (Header.Transport or Header.Raw):
                ImpliedTransport();
                if (header is Header.Icmp or Header.Icmpv6)
                {
                    ImpliedNetwork();
                }
                break;
            case PayloadBase.Network when header != Header.Raw:
                ImpliedNetwork();
                break;
            case PayloadBase.LinkLayer:
                Drop(ref _linkStatement);
                if (header == Header.Vlan)
                {
                    Drop(ref _vlanStatement);
                }
                break;
            default:
                break;
        }
    }

    public void UsedExtension(ExtensionKind kind)
    {
        switch (kind)
        {
            case ExtensionKind.Ipv6 or ExtensionKind.Ipv4Option:
                ImpliedNetwork();
                break;
            case ExtensionKind.TcpOption or ExtensionKind.SctpChunk:
                ImpliedTransport();
                break;
            default:
                break;
        }
    }

    public void ImpliedTransport() => Drop(ref _transportStatement);

    public void ImpliedNetwork() => Drop(ref _networkStatement);

    private void LearnEtherType(ushort type, int statement)
    {
        switch (type)
        {
            case 0x0800:
                _network = 2;
                _networkStatement = statement;
                break;
            case 0x86dd:
                _network = 10;
                _networkStatement = statement;
                break;
            case 0x0806:
                _network = 3;
                _networkStatement = statement;
                break;
            case 0x8100:
                _isVlan = true;
                _vlanStatement = statement;
                break;
            default:
                break;
        }
    }

    private void Drop(ref int? statement)
    {
        if (statement is { } index)
        {
            statements[index] = null;
            statement = null;
        }
    }
}
