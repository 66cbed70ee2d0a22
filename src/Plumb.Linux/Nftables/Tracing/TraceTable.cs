using System.Globalization;
using Plumb.Linux.Addresses;
using Plumb.Linux.Namespaces;
using Plumb.Linux.Netlink;
using Plumb.Linux.Nftables.Expressions;
using Plumb.Linux.Nftables.Expressions.Loads;
using Plumb.Linux.Nftables.Expressions.Operations;
using Plumb.Linux.Nftables.Wire;
using Plumb.Linux.State;

namespace Plumb.Linux.Nftables.Tracing;

/// <summary>
/// A table for as long as a probe is watched: its rules turn nf_tables' trace on for packets that bear one of a few signs, and for whatever answers
/// them, and for nothing else. The kernel takes it out with the socket that made it (NFT_TABLE_F_OWNER, Linux 5.12), however this process ends.
/// </summary>
public sealed class TraceTable : IDisposable
{
    /// <summary>With the netlink port of its maker behind it: no two of a namespace have the same name.</summary>
    public const string NamePrefix = "plumb-trace-";

    // Behind defragmentation (NF_IP_PRI_CONNTRACK_DEFRAG, -400): only a whole packet has all of its bytes. Before everything else.
    private const int First = -399;

    // Behind all translation.
    private const int Last = 1000;

    private const uint MostAnswers = 1024;
    private const byte IpProtocolTcp = 6;

    private readonly NetlinkSocket _owner;
    private readonly NetlinkSubscription _events;

    private readonly TableEntry _table;

    private TraceTable(NetlinkSocket owner, NetlinkSubscription events, TableEntry table) => (_owner, _events, _table) = (owner, events, table);

    public TableId Id => _table.Table;

    /// <param name="family">Of packets whose answers are learned.</param>
    /// <param name="learnsAnswers">
    /// What comes from where a packet with a sign went, to where it came from, is traced too: for protocols whose answers bear none. (Their first four
    /// bytes must be ports.)
    /// </param>
    /// <exception cref="NftablesException">The kernel refused: EPERM without CAP_NET_ADMIN there; EOPNOTSUPP before Linux 5.12.</exception>
    public static TraceTable Open(NetworkNamespace inside, NamespaceId space, IpFamily family, IReadOnlyList<PacketSign> signs, bool learnsAnswers = false)
    {
        ArgumentNullException.ThrowIfNull(inside);
        ArgumentNullException.ThrowIfNull(signs);
        var events = inside.Subscribe(NetlinkFamily.Netfilter, TraceEvent.Groups);
        NetlinkSocket? owner = null;
        try
        {
            owner = inside.OpenNetlink(NetlinkFamily.Netfilter);
            var id = new TableId(TableFamily.Inet, NamePrefix + owner.PortId.ToString(CultureInfo.InvariantCulture));
            using var transaction = new Transaction();
            var table = new TableEntry(space, id) { Flags = TableFlags.Owner };
            transaction.Add(new Desired(table, new Stamp($"plumb trace --observe, process {Environment.ProcessId}")));
            var answers = learnsAnswers ? Answers(space, id, family, signs[0].Protocol) : null;
            if (answers is not null)
            {
                transaction.Add(new Desired(answers));
            }
            foreach (var chain in Chains(space, id, family, signs, answers))
            {
                transaction.Add(new Desired(chain));
                transaction.AddRules(chain);
            }
            transaction.Commit(owner);
            return new TraceTable(owner, events, table);
        }
        catch
        {
            owner?.Dispose();
            events.Dispose();
            throw;
        }
    }

    /// <summary>Hands over what has happened since, in the kernel's order; this table's own rules are the first, and bring the packet's headers. False: events were lost for want of room.</summary>
    public bool Drain(Action<TraceEvent> receive)
    {
        ArgumentNullException.ThrowIfNull(receive);
        var isWhole = true;
        while (_events.TryReceive(message =>
        {
            if (TraceEvent.Read(message) is { } read)
            {
                receive(read);
            }
        }) is { } outcome)
        {
            isWhole &= outcome == NotificationOutcome.Delivered;
        }
        return isWhole;
    }

    public void Dispose()
    {
        try
        {
            // The socket's end would do, but that is when the last process has it no more: one that is just being started has it until it executes.
            using var transaction = new Transaction();
            transaction.Delete(_table);
            transaction.Commit(_owner);
        }
        catch (NftablesException)
        {
            // Somebody else has taken it out.
        }
        _owner.Dispose();
        _events.Dispose();
    }

    private static IEnumerable<ChainEntry> Chains(NamespaceId space, TableId id, IpFamily family, IReadOnlyList<PacketSign> signs, SetEntry? answers)
    {
        List<Rule> rules = [.. signs.Select(sign => new Rule([.. Tests(sign), .. Trace]))];
        if (answers is not null)
        {
            rules.Add(new Rule([.. Network(family), .. Transport(signs[0].Protocol), .. Key(family, isReverse: false), new LookupExpression(new NamedSet(answers.Schema.Name), Register.At(0)), .. Trace]));
        }
        foreach (var hook in (ChainHook[])[ChainHook.Prerouting, ChainHook.Output])
        {
            yield return new ChainEntry(space, id, $"first-{hook.ToString().ToLowerInvariant()}") { Base = new BaseChain(ChainType.Filter, hook, First), Rules = [.. rules] };
        }
        if (answers is null)
        {
            yield break;
        }
        foreach (var (hook, priority) in ((ChainHook, int)[])[(ChainHook.Input, Last), (ChainHook.Postrouting, Last)])
        {
            yield return new ChainEntry(space, id, $"last-{hook.ToString().ToLowerInvariant()}")
            {
                Base = new BaseChain(ChainType.Filter, hook, priority),
                Rules = [new Rule([.. Network(family), .. Tests(signs[0]), .. Key(family, isReverse: true), new DynamicSetExpression(DynamicSetOperation.Add, new NamedSet(answers.Schema.Name), Register.At(0))])],
            };
        }
    }

    private static SetEntry Answers(NamespaceId space, TableId id, IpFamily family, byte protocol)
    {
        _ = protocol != IpProtocolTcp ? protocol : throw new ArgumentException("TCP's answers bear a sign: what they acknowledge");
        return new SetEntry(space, new SetSchema(id, "answers", [DataType.Address(family), DataType.Port, DataType.Address(family), DataType.Port]) { Flags = SetFlags.Dynamic }) { Size = MostAnswers };
    }

    private static IEnumerable<Expression> Trace =>
        [new ImmediateExpression(Register.At(0), Octets.From(1, 1, ByteOrder.Host)), new MetaExpression(MetaKey.Trace, Register.At(0), Sets: true)];

    private static IEnumerable<Expression> Network(IpFamily family) =>
        [new MetaExpression(MetaKey.NetfilterProtocol, Register.At(0)), new CompareExpression(Register.At(0), Comparison.Equal, Octets.From(family == IpFamily.V4 ? 2u : 10u, 1, ByteOrder.Host))];

    private static IEnumerable<Expression> Transport(byte protocol) =>
        [new MetaExpression(MetaKey.L4Protocol, Register.At(0)), new CompareExpression(Register.At(0), Comparison.Equal, Octets.From(protocol, 1, ByteOrder.Host))];

    private static List<Expression> Tests(PacketSign sign)
    {
        List<Expression> steps = [.. Transport(sign.Protocol)];
        foreach (var test in sign.Tests)
        {
            var (bytes, register) = (test.AnyOf is null ? test.Value.Length : 1, Register.At(0));
            steps.Add(new PayloadExpression(PayloadBase.Transport, (uint)test.OffsetBytes, (uint)bytes, register));
            if (test.AnyOf is { } bits)
            {
                steps.Add(new BitwiseExpression(register, register, 1, BitwiseOperation.MaskXor, Octets.From(bits, 1, ByteOrder.Big), Octets.From(0, 1, ByteOrder.Big), default));
            }
            steps.Add(new CompareExpression(register, test.AnyOf is null ? Comparison.Equal : Comparison.NotEqual, test.AnyOf is null ? test.Value : Octets.From(0, 1, ByteOrder.Big)));
        }
        return steps;
    }

    /// <summary>Source, its port, destination, its port; or, in reverse, as an answer's would be.</summary>
    private static IEnumerable<Expression> Key(IpFamily family, bool isReverse)
    {
        var (bytes, source) = family == IpFamily.V4 ? (4u, 12u) : (16u, 8u);
        var destination = source + bytes;
        var words = (int)bytes / Register.SlotBytes;
        yield return new PayloadExpression(PayloadBase.Network, isReverse ? destination : source, bytes, Register.At(0));
        yield return new PayloadExpression(PayloadBase.Transport, isReverse ? 2u : 0u, 2, Register.At(words));
        yield return new PayloadExpression(PayloadBase.Network, isReverse ? source : destination, bytes, Register.At(words + 1));
        yield return new PayloadExpression(PayloadBase.Transport, isReverse ? 0u : 2u, 2, Register.At((2 * words) + 1));
    }
}
