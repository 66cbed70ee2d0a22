using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Plumb.Linux.Namespaces;
using Plumb.Linux.Native;

namespace Plumb.Linux.Capture;

/// <summary>
/// Every frame that passes any device of one network namespace, in both directions, in a ring of memory shared with the kernel (TPACKET_V3 of
/// <c>linux/if_packet.h</c>): no system call and no copy for a frame. Not for use by two threads at once.
/// </summary>
public sealed class PacketRing : IDisposable
{
    /// <summary>A block that has something in it is given out after so long at the latest.</summary>
    public static readonly TimeSpan Latency = TimeSpan.FromMilliseconds(20);

    private const int AF_PACKET = 17;
    private const ushort ETH_P_ALL = 3;
    private const int SOL_PACKET = 263;
    private const int PACKET_RX_RING = 5;
    private const int PACKET_STATISTICS = 6;
    private const int PACKET_VERSION = 10;
    private const int TPACKET_V3 = 2;
    private const int TP_STATUS_KERNEL = 0;
    private const int TP_STATUS_USER = 1;

    // A GSO packet of 64 KB must fit into one block.
    private const int BlockBytes = 1 << 18;

    // struct tpacket_block_desc, struct tpacket3_hdr.
    private const int BlockStatus = 8;
    private const int BlockPackets = 12;
    private const int BlockFirst = 16;
    private const int HeaderBytes = 48;

    private readonly FileDescriptor _socket;
    private readonly nint _ring;
    private readonly int _blocks;
    private int _next;
    private long _dropped;

    private PacketRing(FileDescriptor socket, nint ring, int blocks) => (_socket, _ring, _blocks) = (socket, ring, blocks);

    /// <summary>What is called for each frame; the bytes are the kernel's and last as long as the call.</summary>
    public delegate void Receiver(in CapturedFrame frame);

    /// <summary>Frames that the ring had no room for, so far.</summary>
    public long Dropped
    {
        get
        {
            _dropped += ReadDrops();
            return _dropped;
        }
    }

    /// <summary>Begins to capture.</summary>
    /// <param name="bufferBytes">Of the ring; rounded up to blocks of 256 KB.</param>
    /// <param name="filter">Which frames, and how many bytes of each; null: all of all.</param>
    /// <exception cref="SystemCallException">EPERM: no CAP_NET_RAW in the namespace's user namespace; ENOMEM: too large a ring.</exception>
    public static unsafe PacketRing Open(NetworkNamespace inside, int bufferBytes, FilterProgram? filter = null)
    {
        ArgumentNullException.ThrowIfNull(inside);
        var blocks = Math.Max(2, (bufferBytes + BlockBytes - 1) / BlockBytes);
        // With protocol 0 nothing is received until it is bound: no frame that the filter has not seen.
        var socket = new FileDescriptor(inside.Run(static () =>
        {
            var made = Libc.Socket(AF_PACKET, Libc.SOCK_RAW | Libc.SOCK_CLOEXEC, 0);
            return made >= 0 ? made : throw SystemCallException.Last("socket", "AF_PACKET");
        }));
        try
        {
            if (!Libc.TrySetSocketOption(socket.Number, SOL_PACKET, PACKET_VERSION, TPACKET_V3))
            {
                throw SystemCallException.Last("setsockopt", "PACKET_VERSION");
            }
            // struct tpacket_req3: block size, blocks, frame size, frames, milliseconds until a block is given out, private bytes, features.
            const int frameBytes = 2048;
            var request = stackalloc int[7] { BlockBytes, blocks, frameBytes, BlockBytes / frameBytes * blocks, (int)Latency.TotalMilliseconds, 0, 0 };
            if (Libc.SetSocketOption(socket.Number, SOL_PACKET, PACKET_RX_RING, request, 7 * sizeof(int)) < 0)
            {
                throw SystemCallException.Last("setsockopt", $"PACKET_RX_RING of {(long)blocks * BlockBytes} bytes");
            }
            filter?.AttachTo(socket.Number);
            var ring = Libc.Map(0, (nuint)blocks * BlockBytes, Libc.PROT_READ | Libc.PROT_WRITE, Libc.MAP_SHARED, socket.Number, 0);
            if (ring == -1)
            {
                throw SystemCallException.Last("mmap", "packet ring");
            }
            var capture = new PacketRing(socket, ring, blocks);
            // struct sockaddr_ll: every device.
            var address = stackalloc byte[20];
            new Span<byte>(address, 20).Clear();
            *(ushort*)address = AF_PACKET;
            BinaryPrimitives.WriteUInt16BigEndian(new Span<byte>(address + 2, 2), ETH_P_ALL);
            if (Libc.Bind(socket.Number, address, 20) < 0)
            {
                var refused = SystemCallException.Last("bind", "AF_PACKET");
                capture.Dispose();
                throw refused;
            }
            return capture;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Waits until one of several rings has a block to give, or for so long.</summary>
    public static unsafe void Wait(IReadOnlyList<PacketRing> rings, TimeSpan longest)
    {
        ArgumentNullException.ThrowIfNull(rings);
        const short POLLIN = 1;
        var all = new PollDescriptor[rings.Count];
        for (var i = 0; i < all.Length; i++)
        {
            all[i] = new PollDescriptor { Descriptor = rings[i]._socket.Number, Events = POLLIN };
        }
        fixed (PollDescriptor* first = all)
        {
            _ = Libc.Poll(first, (nuint)all.Length, (int)longest.TotalMilliseconds);
        }
    }

    /// <summary>Whether the kernel holds frames that it has not given out yet: they are in a block that is still open.</summary>
    public unsafe bool HoldsBack
    {
        get
        {
            var block = (byte*)_ring + ((long)_next * BlockBytes);
            return Volatile.Read(ref Unsafe.AsRef<int>(block + BlockPackets)) != 0;
        }
    }

    /// <summary>Gives out all that the kernel has given out, in its order, and gives the room back. Returns how many there were.</summary>
    public unsafe int Drain(Receiver receive)
    {
        ArgumentNullException.ThrowIfNull(receive);
        var count = 0;
        for (var left = _blocks; left > 0; left--)
        {
            var block = (byte*)_ring + ((long)_next * BlockBytes);
            ref var status = ref Unsafe.AsRef<int>(block + BlockStatus);
            if ((Volatile.Read(ref status) & TP_STATUS_USER) == 0)
            {
                break;
            }
            var packets = *(int*)(block + BlockPackets);
            var at = block + *(int*)(block + BlockFirst);
            for (var i = 0; i < packets; i++)
            {
                var next = *(uint*)at;
                receive(FrameAt(at));
                at += next;
            }
            count += packets;
            Volatile.Write(ref status, TP_STATUS_KERNEL);
            _next = (_next + 1) % _blocks;
        }
        return count;
    }

    public void Dispose()
    {
        _ = Libc.Unmap(_ring, (nuint)_blocks * BlockBytes);
        _socket.Dispose();
    }

    // struct tpacket3_hdr: next, seconds, nanoseconds, captured, length, status, offset of the link header, of the network header; then struct sockaddr_ll.
    private static unsafe CapturedFrame FrameAt(byte* header)
    {
        var nanoseconds = (*(uint*)(header + 4) * 1_000_000_000L) + *(uint*)(header + 8);
        var link = header + HeaderBytes;
        return new CapturedFrame(
            new ReadOnlySpan<byte>(header + *(ushort*)(header + 24), *(int*)(header + 12)),
            *(int*)(header + 16),
            nanoseconds,
            *(int*)(link + 4),
            *(ushort*)(link + 8),
            (FrameDirection)link[10]);
    }

    // struct tpacket_stats_v3: packets, drops, freezes; reading sets them to zero.
    private unsafe long ReadDrops()
    {
        var statistics = stackalloc int[3];
        uint length = 3 * sizeof(int);
        return Libc.GetSocketOption(_socket.Number, SOL_PACKET, PACKET_STATISTICS, statistics, &length) == 0 ? (uint)statistics[1] : 0;
    }
}

/// <summary>A frame in the kernel's memory.</summary>
/// <param name="bytes">From its link header on; perhaps cut.</param>
/// <param name="length">What it had in all.</param>
/// <param name="nanoseconds">Since 1970 (CLOCK_REALTIME).</param>
/// <param name="device">ifindex, in the ring's namespace.</param>
/// <param name="hardwareType">ARPHRD_* of the device.</param>
public readonly ref struct CapturedFrame(ReadOnlySpan<byte> bytes, int length, long nanoseconds, int device, ushort hardwareType, FrameDirection direction)
{
    public ReadOnlySpan<byte> Bytes { get; } = bytes;

    public int Length { get; } = length;

    public long Nanoseconds { get; } = nanoseconds;

    public int Device { get; } = device;

    public ushort HardwareType { get; } = hardwareType;

    public FrameDirection Direction { get; } = direction;
}

/// <summary>PACKET_* of <c>linux/if_packet.h</c>: to whom a frame goes, as the device sees it.</summary>
public enum FrameDirection : byte
{
    ToThisHost = 0,
    Broadcast = 1,
    Multicast = 2,
    ToOthers = 3,
    Outgoing = 4,
}
