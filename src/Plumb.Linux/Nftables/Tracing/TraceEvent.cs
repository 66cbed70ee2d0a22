using Plumb.Linux.Netlink;
using Plumb.Linux.Nftables.Expressions;
using Plumb.Linux.Nftables.Wire;

namespace Plumb.Linux.Nftables.Tracing;

/// <summary>NFT_TRACETYPE_*</summary>
public enum TraceKind : uint
{
    /// <summary>A base chain came to its end: its policy decides.</summary>
    Policy = 1,

    /// <summary>A chain that was jumped to came to its end.</summary>
    Return = 2,

    /// <summary>A rule matched.</summary>
    Rule = 3,
}

/// <summary>What nf_tables tells of a packet that is traced (<c>meta nftrace set 1</c>): one rule that it met.</summary>
/// <param name="Id">The same for all events of one packet in one namespace; another packet may have it later.</param>
public sealed record TraceEvent(uint Id, TableId Table, string Chain, TraceKind Kind, Verdict Verdict)
{
    private const ushort NFTA_TRACE_TABLE = 1;
    private const ushort NFTA_TRACE_CHAIN = 2;
    private const ushort NFTA_TRACE_RULE_HANDLE = 3;
    private const ushort NFTA_TRACE_TYPE = 4;
    private const ushort NFTA_TRACE_VERDICT = 5;
    private const ushort NFTA_TRACE_ID = 6;
    private const ushort NFTA_TRACE_NETWORK_HEADER = 8;
    private const ushort NFTA_TRACE_TRANSPORT_HEADER = 9;
    private const ushort NFTA_TRACE_IIF = 10;
    private const ushort NFTA_TRACE_OIF = 12;
    private const ushort NFTA_TRACE_MARK = 14;
    private const ushort NFTA_TRACE_POLICY = 16;

    /// <summary>Of the rule; 0: none.</summary>
    public ulong Handle { get; init; }

    /// <summary>Comes with the first event of a base chain only, as the packet is then: without its payload.</summary>
    public Octets NetworkHeader { get; init; }

    /// <summary>At most 20 bytes (NFT_TRACETYPE_TRANSPORT_HSIZE).</summary>
    public Octets TransportHeader { get; init; }

    /// <summary>ifindex; 0: none.</summary>
    public int InputIndex { get; init; }

    /// <inheritdoc cref="InputIndex"/>
    public int OutputIndex { get; init; }

    /// <summary>skb->mark</summary>
    public uint Mark { get; init; }

    /// <summary>NFNLGRP_NFTRACE</summary>
    public static ReadOnlySpan<uint> Groups => [NftWire.NFNLGRP_NFTRACE];

    /// <returns>Null: the notification tells of nothing that happened.</returns>
    /// <exception cref="NetlinkDecodeException">The message is cut or malformed.</exception>
    public static TraceEvent? Read(NetlinkMessage message)
    {
        if (message.Type != NftWire.Type(NftMessage.Trace))
        {
            return null;
        }
        string? table = null, chain = null;
        uint id = 0, kind = 0, mark = 0;
        ulong handle = 0;
        int input = 0, output = 0;
        Verdict? verdict = null;
        Octets network = default, transport = default;
        foreach (var attribute in NftWire.Attributes(message, "NFT_MSG_TRACE", out _))
        {
            switch (attribute.Type)
            {
                case NFTA_TRACE_TABLE:
                    table = attribute.Text("NFTA_TRACE_TABLE");
                    break;
                case NFTA_TRACE_CHAIN:
                    chain = attribute.Text("NFTA_TRACE_CHAIN");
                    break;
                case NFTA_TRACE_RULE_HANDLE:
                    handle = attribute.U64BigEndian("NFTA_TRACE_RULE_HANDLE");
                    break;
                case NFTA_TRACE_TYPE:
                    kind = attribute.U32BigEndian("NFTA_TRACE_TYPE");
                    break;
                case NFTA_TRACE_VERDICT:
                    verdict = DataAttribute.ReadVerdict(attribute);
                    break;
                case NFTA_TRACE_POLICY:
                    verdict = new Verdict((VerdictCode)(int)attribute.U32BigEndian("NFTA_TRACE_POLICY"));
                    break;
                case NFTA_TRACE_ID:
                    // Only ever compared: its order is the kernel's own.
                    id = attribute.U32("NFTA_TRACE_ID");
                    break;
                case NFTA_TRACE_NETWORK_HEADER:
                    network = new Octets(attribute.Value);
                    break;
                case NFTA_TRACE_TRANSPORT_HEADER:
                    transport = new Octets(attribute.Value);
                    break;
                case NFTA_TRACE_IIF:
                    input = (int)attribute.U32BigEndian("NFTA_TRACE_IIF");
                    break;
                case NFTA_TRACE_OIF:
                    output = (int)attribute.U32BigEndian("NFTA_TRACE_OIF");
                    break;
                case NFTA_TRACE_MARK:
                    mark = attribute.U32BigEndian("NFTA_TRACE_MARK");
                    break;
                default:
                    break;
            }
        }
        if (kind == (uint)TraceKind.Rule && handle == 0)
        {
            // Behind its last rule the kernel tells of a base chain once more.
            return null;
        }
        return table is not null && chain is not null
            ? new TraceEvent(id, new TableId((TableFamily)message.Payload[0], table), chain, (TraceKind)kind, verdict ?? Verdict.Continue)
            {
                Handle = handle, NetworkHeader = network, TransportHeader = transport, InputIndex = input, OutputIndex = output, Mark = mark,
            }
            : throw NftWire.Missing("NFTA_TRACE_CHAIN", message);
    }
}
