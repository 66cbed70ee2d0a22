using Plumb.Linux.Netlink;
using Plumb.Linux.Nftables.Wire;
using Plumb.Linux.State;

namespace Plumb.Linux.Nftables;

/// <summary>A notification of nf_tables.</summary>
/// <param name="PortId">The netlink socket whose transaction caused it: our own changes are known by <see cref="NetlinkSocket.PortId"/>.</param>
public abstract record NftablesEvent(uint PortId);

/// <summary>Something was added, changed or removed. A rule counts as its chain, as it does in the state.</summary>
/// <param name="Name">Of the chain, set or object; of a table its own.</param>
public sealed record NftablesEntryEvent(EntryKind Kind, TableId Table, string Name, bool Removed, uint PortId) : NftablesEvent(PortId);

/// <summary>A transaction is complete: the last notification of it. A gap between two numbers means that notifications were lost.</summary>
/// <param name="ProcessId">Who made it, as the kernel saw the process; 0 where it does not tell.</param>
public sealed record NftablesGenerationEvent(uint Generation, uint ProcessId, string? ProcessName, uint PortId) : NftablesEvent(PortId);

/// <summary>Reads what a <see cref="NetlinkSubscription"/> to <see cref="Groups"/> hands over.</summary>
public static class NftablesEvents
{
    private const ushort NFTA_TABLE = 1; // the table's name stands first in every message
    private const ushort NFTA_CHAIN_NAME = 3;
    private const ushort NFTA_SECOND_NAME = 2; // NFTA_RULE_CHAIN, NFTA_SET_NAME, NFTA_SET_ELEM_LIST_SET, NFTA_OBJ_NAME

    private const ushort NFTA_GEN_ID = 1;
    private const ushort NFTA_GEN_PROC_PID = 2;
    private const ushort NFTA_GEN_PROC_NAME = 3;

    /// <summary>NFNLGRP_NFTABLES</summary>
    public static ReadOnlySpan<uint> Groups => [NftWire.NFNLGRP_NFTABLES];

    /// <summary>The event that a notification tells of; null for what has no entry (flow tables, trace).</summary>
    /// <exception cref="NetlinkDecodeException">The message is cut or malformed.</exception>
    public static NftablesEvent? Read(NetlinkMessage message)
    {
        if (message.Type >> 8 != NftWire.NFNL_SUBSYS_NFTABLES)
        {
            return null;
        }
        return (NftMessage)(byte)message.Type switch
        {
            NftMessage.NewGeneration => ReadGeneration(message),
            NftMessage.NewTable => ReadEntry(message, EntryKind.Table, NFTA_TABLE, removed: false),
            NftMessage.DeleteTable => ReadEntry(message, EntryKind.Table, NFTA_TABLE, removed: true),
            NftMessage.NewChain => ReadEntry(message, EntryKind.Chain, NFTA_CHAIN_NAME, removed: false),
            NftMessage.DeleteChain => ReadEntry(message, EntryKind.Chain, NFTA_CHAIN_NAME, removed: true),
            // A rule that goes changes its chain, which stays.
            NftMessage.NewRule or NftMessage.DeleteRule => ReadEntry(message, EntryKind.Chain, NFTA_SECOND_NAME, removed: false),
            NftMessage.NewSet => ReadEntry(message, EntryKind.Set, NFTA_SECOND_NAME, removed: false),
            NftMessage.DeleteSet => ReadEntry(message, EntryKind.Set, NFTA_SECOND_NAME, removed: true),
            NftMessage.NewElement => ReadEntry(message, EntryKind.Element, NFTA_SECOND_NAME, removed: false),
            NftMessage.DeleteElement => ReadEntry(message, EntryKind.Element, NFTA_SECOND_NAME, removed: true),
            NftMessage.NewObject => ReadEntry(message, EntryKind.Object, NFTA_SECOND_NAME, removed: false),
            NftMessage.DeleteObject => ReadEntry(message, EntryKind.Object, NFTA_SECOND_NAME, removed: true),
            _ => null,
        };
    }

    private static NftablesEntryEvent ReadEntry(NetlinkMessage message, EntryKind kind, ushort nameAttribute, bool removed)
    {
        string? table = null, name = null;
        foreach (var attribute in NftWire.Attributes(message, "nf_tables notification", out _))
        {
            if (attribute.Type == NFTA_TABLE)
            {
                table = attribute.Text("NFTA_TABLE_NAME");
            }
            if (attribute.Type == nameAttribute)
            {
                name = attribute.Text("name");
            }
        }
        return table is not null && name is not null
            ? new NftablesEntryEvent(kind, new TableId((TableFamily)message.Payload[0], table), name, removed, message.PortId)
            : throw NftWire.Missing("name", message);
    }

    private static NftablesGenerationEvent ReadGeneration(NetlinkMessage message)
    {
        uint generation = 0, process = 0;
        string? name = null;
        foreach (var attribute in NftWire.Attributes(message, "NFT_MSG_NEWGEN", out _))
        {
            switch (attribute.Type)
            {
                case NFTA_GEN_ID:
                    generation = attribute.U32BigEndian("NFTA_GEN_ID");
                    break;
                case NFTA_GEN_PROC_PID:
                    process = attribute.U32BigEndian("NFTA_GEN_PROC_PID");
                    break;
                case NFTA_GEN_PROC_NAME:
                    name = attribute.Text("NFTA_GEN_PROC_NAME");
                    break;
                default:
                    break;
            }
        }
        return new NftablesGenerationEvent(generation, process, name, message.PortId);
    }
}
