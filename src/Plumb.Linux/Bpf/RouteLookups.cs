using System.Runtime.InteropServices;
using Plumb.Linux.Addresses;

namespace Plumb.Linux.Bpf;

/// <summary>One table of routes was asked for one way (<c>fib_table_lookup</c>; IPv4).</summary>
/// <param name="Nanoseconds">As <see cref="TracedPacket"/> has it.</param>
/// <param name="Inode">Of the network namespace of the device that was found; 0: none was.</param>
/// <param name="Table">RT_TABLE_*.</param>
/// <param name="Source">Unspecified while the sender has none.</param>
/// <param name="Protocol">IPPROTO_*, where a sender asks; 0: for a packet that came in.</param>
/// <param name="Device">ifindex of the device that was found; 0: none was.</param>
/// <param name="Gateway">Null: the destination itself is on the link, or nothing was found.</param>
/// <param name="Error">0: a route was found; EAGAIN: this table has none; else what the route says.</param>
public readonly record struct TracedRoute(long Nanoseconds, uint Inode, uint Table, IpAddress Source, IpAddress Destination, byte Protocol, int Device, IpAddress? Gateway, int Error)
{
    /// <summary>The next table is to be asked.</summary>
    public bool IsMiss => Error == (int)Native.Errno.EAGAIN;
}

/// <summary>The program at <c>fib_table_lookup</c>, and its records: TP_PROTO(u32 tb_id, const struct flowi4 *flp, const struct fib_nh_common *nhc, int err).</summary>
internal static class RouteLookups
{
    public const string TracePoint = "fib_table_lookup";

    // Behind what all records begin with: see PacketTracePoints.
    private const int TableAt = 24;
    private const int SourceAt = 28;
    private const int DestinationAt = 32;
    private const int FamilyAt = 36;
    private const int GatewayAt = 40;
    private const int GatewayBytes = 16;
    private const int ProtocolAt = 56;

    public static TracedRoute Read(ReadOnlySpan<byte> record, long nanoseconds, uint inode, int device, int error)
    {
        IpAddress.TryRead(record.Slice(SourceAt, 4), out var source);
        IpAddress.TryRead(record.Slice(DestinationAt, 4), out var destination);
        IpAddress? gateway = record[FamilyAt] switch
        {
            (byte)IpFamily.V4 when IpAddress.TryRead(record.Slice(GatewayAt, 4), out var fourth) => fourth,
            (byte)IpFamily.V6 when IpAddress.TryRead(record.Slice(GatewayAt, GatewayBytes), out var sixth) => sixth,
            _ => null,
        };
        return new TracedRoute(nanoseconds, inode, MemoryMarshal.Read<uint>(record[TableAt..]), source, destination, record[ProtocolAt], device, gateway, -error);
    }

    /// <summary>Fills a record on the stack; R6 has the arguments.</summary>
    /// <returns>The device's struct net_device is in R8.</returns>
    public static void Write(BpfAssembler program, Func<string, string, int> offset, int record, int scratch)
    {
        program
            .Load(BpfSize.Double, BpfRegister.R9, BpfRegister.R6, 0).Store(BpfSize.Word, BpfRegister.R10, record + TableAt, BpfRegister.R9)
            .Load(BpfSize.Double, BpfRegister.R7, BpfRegister.R6, 8)
            .Load(BpfSize.Double, BpfRegister.R8, BpfRegister.R6, 16)
            .Load(BpfSize.Double, BpfRegister.R9, BpfRegister.R6, 24).Store(BpfSize.Word, BpfRegister.R10, record + PacketTracePoints.ReasonAt, BpfRegister.R9);
        PacketTracePoints.Read(program, record + SourceAt, 4, BpfRegister.R7, offset("flowi4", "saddr"));
        PacketTracePoints.Read(program, record + DestinationAt, 4, BpfRegister.R7, offset("flowi4", "daddr"));
        PacketTracePoints.Read(program, record + ProtocolAt, 1, BpfRegister.R7, offset("flowi4", "__fl_common.flowic_proto"));
        // Without a route there is no next hop: what cannot be read is 0.
        PacketTracePoints.Read(program, record + FamilyAt, 1, BpfRegister.R8, offset("fib_nh_common", "nhc_gw_family"));
        PacketTracePoints.Read(program, record + GatewayAt, GatewayBytes, BpfRegister.R8, offset("fib_nh_common", "nhc_gw"));
        PacketTracePoints.Read(program, scratch, 8, BpfRegister.R8, offset("fib_nh_common", "nhc_dev")).Load(BpfSize.Double, BpfRegister.R8, BpfRegister.R10, scratch);
    }
}
