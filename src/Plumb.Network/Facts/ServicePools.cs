using System.Collections.Immutable;
using Plumb.Linux.Addresses;
using Plumb.Linux.State;

namespace Plumb.Network.Facts;

/// <summary>Where a connection to a Service ends.</summary>
public readonly record struct Backend(IpAddress Address, ushort Port)
{
    public override string ToString() => Address.Family == IpFamily.V4 ? $"{Address}:{Port}" : $"[{Address}]:{Port}";
}

/// <summary>A backend in a pool.</summary>
/// <param name="Cause">The slice that names it.</param>
/// <param name="MayBeHere">Whether it is on this node, or its slice does not say where it is.</param>
public readonly record struct PoolMember(Backend Backend, Origin Cause, bool MayBeHere);

/// <summary>
/// What a pool does with a connection: spread it, spread it and remember the client, refuse it, or drop it. The number of different
/// ones in use is all that the size of the program depends on.
/// </summary>
public readonly record struct PoolProgram : IComparable<PoolProgram>
{
    /// <summary>Members that a pool can have: its count takes 15 bits of the program's number.</summary>
    public const int MostMembers = (1 << CountBits) - 1;

    private const int CountBits = 15;
    private const uint RefuseNumber = 0xffff_0001;
    private const uint DropNumber = 0xffff_0002;

    private PoolProgram(uint number) => Number = number;

    /// <summary>Affinity timeout in seconds (17 bits), then the count of members (15 bits). No timeout is as long as those that stand for refusing and dropping.</summary>
    public uint Number { get; }

    public static PoolProgram Refuse { get; } = new(RefuseNumber);

    public static PoolProgram Drop { get; } = new(DropNumber);

    /// <param name="affinitySeconds">How long a client is remembered, at most a day; null: not at all.</param>
    public static PoolProgram Spread(int count, int? affinitySeconds) =>
        new(((uint)(affinitySeconds ?? 0) << CountBits) | (uint)count);

    public bool IsSpread => Number < RefuseNumber;

    public int Count => IsSpread ? (int)(Number & MostMembers) : 0;

    public int? AffinitySeconds => IsSpread && Number >> CountBits != 0 ? (int)(Number >> CountBits) : null;

    public static PoolProgram FromNumber(uint number) => new(number);

    public int CompareTo(PoolProgram other) => Number.CompareTo(other.Number);

    public override string ToString() =>
        Number == RefuseNumber ? "refuse"
        : Number == DropNumber ? "drop"
        : AffinitySeconds is { } seconds ? $"sticky-{Count}-{seconds}"
        : $"fanout-{Count}";
}

/// <summary>
/// The pools of one Service on one node: for each port and family the members in the order of their slots. A fact and no plan,
/// because the order has a history: what stays keeps its slot, the last one moves into a hole.
/// </summary>
/// <param name="Number">Which Service it is, within <see cref="PoolMark"/>; no other Service on the node has it.</param>
public sealed record ServicePools(Subject Service, uint Number, ImmutableArray<PortPools> Ports);

/// <summary>The pools of one port of a Service in one family.</summary>
/// <param name="Index">Which port it is, from 0, in the order of spec.ports.</param>
/// <param name="Cluster">All endpoints that this node may choose from.</param>
/// <param name="Local">Those on this node, for the policy Local; null where no policy asks for it.</param>
/// <param name="LocalReady">How many endpoints on this node are ready: what a load balancer's health check asks.</param>
public sealed record PortPools(IpFamily Family, int Index, Pool Cluster, Pool? Local, int LocalReady);

/// <summary>One set of endpoints and what is done with connections to it.</summary>
public sealed record Pool(PoolProgram Program, ImmutableArray<PoolMember> Members)
{
    /// <summary>How many endpoints it does not have because it has <see cref="PoolProgram.MostMembers"/> already.</summary>
    public int LeftOut { get; init; }
}

/// <summary>
/// The mark of a connection to a Service: which pool it went to. Set once when the connection begins, so that answers, postrouting
/// and people know whose it is.
/// </summary>
/// <remarks>20 bits Service, 11 bits port, lowest bit: the pool of this node's endpoints only, whose clients keep their address.</remarks>
public readonly record struct PoolMark(uint Value)
{
    public const uint LocalBit = 1;
    public const uint MostServices = 1 << 20;
    public const int MostPorts = 1 << 11;

    private const int PortShift = 1;
    private const int ServiceShift = 12;

    public static PoolMark Of(uint service, int port, bool local) =>
        new((service << ServiceShift) | ((uint)port << PortShift) | (local ? LocalBit : 0));

    public uint Service => Value >> ServiceShift;

    public int Port => (int)(Value >> PortShift) & (MostPorts - 1);

    public bool IsLocal => (Value & LocalBit) != 0;

    public override string ToString() => $"0x{Value:x8}";
}
