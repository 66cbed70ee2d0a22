using Plumb.Linux.Nftables.Expressions;
using Plumb.Linux.Nftables.Expressions.Loads;
using Plumb.Linux.Nftables.Expressions.Operations;
using Plumb.Linux.State;

namespace Plumb.Linux.Nftables.Language;

/// <summary>
/// Turns statements into register expressions in the very form that nft gives them: the same registers, the same protocol tests
/// before a header is looked at, the same short loads for prefixes. So what Plumb writes reads in <c>nft list</c> as if typed.
/// </summary>
internal sealed class RuleCompiler(TableFamily family)
{
    private const int WideSlots = 4;

    private readonly List<Expression> _expressions = [];
    private byte? _networkProtocol;
    private byte? _transportProtocol;
    private bool _linkIsEthernet = family == TableFamily.Bridge;

    public TableFamily Family { get; } = family;

    /// <summary>Where a statement's first value goes.</summary>
    public static Register First => Register.At(0);

    public static Rule Compile(TableFamily family, ReadOnlySpan<Statement> statements, string? comment)
    {
        var compiler = new RuleCompiler(family);
        foreach (var statement in statements)
        {
            statement.Compile(compiler);
        }
        return new Rule([.. compiler._expressions]) { Comment = comment };
    }

    public void Add(Expression expression) => _expressions.Add(expression);

    /// <summary>The next register of 16 bytes behind a value of this many bytes.</summary>
    public static Register NextWide(Register register, int bytes) =>
        Register.At(register.Slot + (WideSlots * Math.Max(1, (bytes + 15) / 16)));

    /// <summary>States, unless the rule has done so, that a packet has this header.</summary>
    public void Require(Header header)
    {
        switch (header)
        {
            case Header.Ip:
                RequireNetwork(2, 0x0800);
                break;
            case Header.Ip6:
                RequireNetwork(10, 0x86dd);
                break;
            case Header.Arp:
                RequireNetwork(3, 0x0806);
                break;
            case Header.Tcp:
                RequireTransport(IpProtocol.Tcp);
                break;
            case Header.Udp:
                RequireTransport(IpProtocol.Udp);
                break;
            case Header.Sctp:
                RequireTransport(IpProtocol.Sctp);
                break;
            case Header.UdpLite:
                RequireTransport(IpProtocol.UdpLite);
                break;
            case Header.Dccp:
                RequireTransport(IpProtocol.Dccp);
                break;
            case Header.Icmp:
                RequireNetwork(2, 0x0800);
                RequireTransport(IpProtocol.Icmp);
                break;
            case Header.Icmpv6:
                RequireNetwork(10, 0x86dd);
                RequireTransport(IpProtocol.Icmpv6);
                break;
            case Header.Ethernet or Header.Vlan:
                RequireEthernet();
                if (header == Header.Vlan)
                {
                    Add(new PayloadExpression(PayloadBase.LinkLayer, 12, 2, First));
                    Add(new CompareExpression(First, Comparison.Equal, Octets.From(0x8100, 2, ByteOrder.Big)));
                }
                break;
            default:
                break;
        }
    }

    /// <summary>Remembers what a test says, so that it need not be said again.</summary>
    public void Learn(Selector selector, Value value)
    {
        switch (selector)
        {
            case MetaField { Key: MetaKey.L4Protocol }:
                _transportProtocol = (byte)value.First(SetField.Of(selector));
                break;
            case MetaField { Key: MetaKey.NetfilterProtocol }:
                _networkProtocol = (byte)value.First(SetField.Of(selector));
                break;
            case HeaderField { Header: Header.Ip, Name: "ip protocol" } or HeaderField { Header: Header.Ip6, Name: "ip6 nexthdr" }:
                _transportProtocol = (byte)value.First(SetField.Of(selector));
                break;
            default:
                break;
        }
    }

    /// <summary>Loads a key as the set keeps its own: for intervals, numbers are turned into network order.</summary>
    public void LoadKey(Selector key, Register destination, SetSchema schema)
    {
        if (key.Fields.Count != schema.Key.Count)
        {
            throw new ArgumentException($"'{key.Text}' has {key.Fields.Count} parts where the key of {schema.Name} has {schema.Key.Count}");
        }
        var at = destination;
        for (var i = 0; i < schema.Key.Count; i++)
        {
            var part = key.Parts.Count == schema.Key.Count ? key.Parts[i] : key;
            var field = schema.Key[i];
            if (key.Fields[i].Type != field.Type || key.Fields[i].Bytes != field.Bytes)
            {
                throw new ArgumentException($"'{part.Text}' is {key.Fields[i].Type}, where {schema.Name} has {field.Type}");
            }
            part.Load(this, at);
            // One byte has no order; nft turns it round all the same where it stands among others, and so it is found.
            if (schema.IsInterval && part.Order == ByteOrder.Host && !part.Type.IsText && (part.Bytes > 1 || schema.IsConcatenation))
            {
                ToNetworkOrder(at, part.Bytes);
            }
            if (i + 1 < schema.Key.Count)
            {
                at = at.After(part.Bytes);
            }
        }
    }

    public void ToNetworkOrder(Register register, int bytes) =>
        Add(new ByteOrderExpression(register, register, ToNetwork: true, (uint)bytes, (uint)SizeOf(bytes)));

    public void FromNetworkOrder(Register register, int bytes) =>
        Add(new ByteOrderExpression(register, register, ToNetwork: false, (uint)bytes, (uint)SizeOf(bytes)));

    private static int SizeOf(int bytes) => bytes % 8 == 0 ? 8 : bytes % 4 == 0 ? 4 : 2;

    private void RequireNetwork(byte protocol, ushort etherType)
    {
        if (_networkProtocol == protocol || Family is TableFamily.Ip or TableFamily.Ip6 or TableFamily.Arp)
        {
            return;
        }
        _networkProtocol = protocol;
        if (Family == TableFamily.Inet)
        {
            Add(new MetaExpression(MetaKey.NetfilterProtocol, First));
            Add(new CompareExpression(First, Comparison.Equal, Octets.From(protocol, 1, ByteOrder.Big)));
        }
        else
        {
            Add(new MetaExpression(MetaKey.Protocol, First));
            Add(new CompareExpression(First, Comparison.Equal, Octets.From(etherType, 2, ByteOrder.Big)));
        }
    }

    private void RequireTransport(IpProtocol protocol)
    {
        if (_transportProtocol == (byte)protocol)
        {
            return;
        }
        _transportProtocol = (byte)protocol;
        Add(new MetaExpression(MetaKey.L4Protocol, First));
        Add(new CompareExpression(First, Comparison.Equal, Octets.From((byte)protocol, 1, ByteOrder.Big)));
    }

    private void RequireEthernet()
    {
        if (!_linkIsEthernet)
        {
            _linkIsEthernet = true;
            Add(new MetaExpression(MetaKey.InputType, First));
            Add(new CompareExpression(First, Comparison.Equal, Octets.From(1, 2, ByteOrder.Host)));
        }
    }
}
