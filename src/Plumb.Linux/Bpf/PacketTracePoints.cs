using System.Globalization;
using System.Runtime.InteropServices;
using Plumb.Linux.Native;

namespace Plumb.Linux.Bpf;

/// <summary>Where in the kernel a packet was met.</summary>
public enum TracePoint
{
    /// <summary><c>netif_receive_skb</c>: a device hands it up.</summary>
    Received = 1,

    /// <summary><c>net_dev_queue</c>: it is queued at a device.</summary>
    Queued,

    /// <summary><c>kfree_skb</c>: it is dropped, and why.</summary>
    Dropped,

    /// <summary><c>fib_table_lookup</c>: a way is looked for, of it or of others between the same addresses.</summary>
    RouteLookup,
}

/// <summary>A packet at a trace point.</summary>
/// <param name="packet">Its first bytes, from the IP header on; lasts as long as the call.</param>
/// <param name="nanoseconds">Since the machine started (CLOCK_MONOTONIC).</param>
/// <param name="inode">Of the network namespace of its device; 0: it has no device any more.</param>
/// <param name="device">ifindex; 0: none.</param>
/// <param name="reason">Of a drop, without SKB_DROP_REASON_; null else.</param>
public readonly ref struct TracedPacket(TracePoint at, ReadOnlySpan<byte> packet, long nanoseconds, uint inode, int device, string? reason)
{
    public TracePoint At { get; } = at;

    public ReadOnlySpan<byte> Packet { get; } = packet;

    public long Nanoseconds { get; } = nanoseconds;

    public uint Inode { get; } = inode;

    public int Device { get; } = device;

    public string? Reason { get; } = reason;
}

/// <summary>
/// Small programs at the kernel's own trace points, which see every packet of every namespace: for real root alone (CAP_BPF and CAP_PERFMON of the
/// first user namespace). They copy the first bytes of a packet, and whose it is; who is meant is found out here.
/// </summary>
public sealed class PacketTracePoints : IDisposable
{
    private const int RingBytes = 1 << 22;

    // A record, on the program's stack of 512 bytes: kind, ifindex, time, namespace, reason, then the packet.
    private const int KindAt = 0;
    private const int DeviceAt = 4;
    private const int TimeAt = 8;
    private const int SpaceAt = 16;
    internal const int ReasonAt = 20;
    private const int PacketAt = 24;
    private const int PacketBytes = 160;
    private const int RecordBytes = PacketAt + PacketBytes;

    // Below it: where pointers and numbers are read to.
    private const int Record = -RecordBytes;
    private const int Scratch = Record - 8;

    private const int F_SETFD = 2;
    private const int FD_CLOEXEC = 1;

    // The ring's map first; then programs and their links.
    private readonly List<FileDescriptor> _held;
    private readonly BpfRing _ring;
    private readonly Lazy<IReadOnlyDictionary<long, string>> _reasons;

    private PacketTracePoints(List<FileDescriptor> held, Func<Btf?> btf)
    {
        _held = held;
        _ring = new BpfRing(held[0], RingBytes);
        _reasons = new Lazy<IReadOnlyDictionary<long, string>>(() => btf()?.NamesOf("skb_drop_reason") ?? new Dictionary<long, string>());
    }

    public delegate void Receiver(in TracedPacket packet);

    /// <summary>Hangs the programs in.</summary>
    /// <exception cref="SystemCallException">EPERM: not real root; ENOENT: the kernel has no such trace point.</exception>
    /// <exception cref="NotSupportedException">The kernel does not describe its types (CONFIG_DEBUG_INFO_BTF).</exception>
    public static PacketTracePoints Open()
    {
        // First, for it is what is refused: to read the description takes a while.
        var held = new List<FileDescriptor> { BpfObject.RingBuffer(RingBytes) };
        try
        {
            var btf = Btf.OfKernel() ?? throw new NotSupportedException("the kernel has no /sys/kernel/btf/vmlinux (CONFIG_DEBUG_INFO_BTF)");
            foreach (var (point, name) in ((TracePoint, string)[])
                [(TracePoint.Received, "netif_receive_skb"), (TracePoint.Queued, "net_dev_queue"), (TracePoint.Dropped, "kfree_skb"), (TracePoint.RouteLookup, RouteLookups.TracePoint)])
            {
                var program = BpfObject.RawTracePointProgram(Program(point, btf, held[0].Number));
                held.Add(program);
                held.Add(BpfObject.Attach(program, name));
            }
            return new PacketTracePoints(held, () => btf);
        }
        catch
        {
            held.ForEach(static one => one.Dispose());
            throw;
        }
    }

    /// <summary>Lets the descriptors live on in a program that replaces this one, and gives their numbers for <see cref="Adopt"/>: what was allowed once stays so with fewer rights.</summary>
    public string Bequeath()
    {
        _held.ForEach(static one => _ = Libc.FileControl(one.Number, F_SETFD, 0));
        return string.Join(',', _held.Select(static one => one.Number.ToString(CultureInfo.InvariantCulture)));
    }

    /// <param name="numbers">Of <see cref="Bequeath"/>.</param>
    /// <exception cref="FormatException">They are no numbers.</exception>
    /// <exception cref="SystemCallException">They are not what they were.</exception>
    public static PacketTracePoints Adopt(string numbers)
    {
        ArgumentNullException.ThrowIfNull(numbers);
        var held = numbers.Split(',').Select(static number => new FileDescriptor(int.Parse(number, CultureInfo.InvariantCulture))).ToList();
        held.ForEach(static one => _ = Libc.FileControl(one.Number, F_SETFD, FD_CLOEXEC));
        return new PacketTracePoints(held, Btf.OfKernel);
    }

    /// <summary>Hands over what has happened since, in the kernel's order.</summary>
    /// <param name="routes">Gets what tables of routes were asked, whoever asked; null: nobody wants to know.</param>
    public void Drain(Receiver receive, Action<TracedRoute>? routes = null)
    {
        ArgumentNullException.ThrowIfNull(receive);
        _ring.Drain(record =>
        {
            var point = (TracePoint)MemoryMarshal.Read<int>(record[KindAt..]);
            var reason = MemoryMarshal.Read<int>(record[ReasonAt..]);
            var (time, space, device) = (MemoryMarshal.Read<long>(record[TimeAt..]), MemoryMarshal.Read<uint>(record[SpaceAt..]), MemoryMarshal.Read<int>(record[DeviceAt..]));
            if (point == TracePoint.RouteLookup)
            {
                routes?.Invoke(RouteLookups.Read(record, time, space, device, reason));
                return;
            }
            receive(new TracedPacket(point, record.Slice(PacketAt, PacketBytes), time, space, device, point == TracePoint.Dropped ? Name(reason) : null));
        });
    }

    public void Dispose()
    {
        _ring.Dispose();
        _held.ForEach(static one => one.Dispose());
    }

    private string Name(int reason)
    {
        const string prefix = "SKB_DROP_REASON_";
        return !_reasons.Value.TryGetValue(reason, out var name) ? $"reason {reason}" : name.StartsWith(prefix, StringComparison.Ordinal) ? name[prefix.Length..] : name;
    }

    /// <summary>A record of the packet in the first argument, with the reason in the third; or of what a table of routes answered.</summary>
    private static ulong[] Program(TracePoint point, Btf btf, int map)
    {
        var (index, space, inode) = (Offset("net_device", "ifindex"), Offset("net_device", "nd_net.net"), Offset("net", "ns.inum"));
        // R6: the arguments.
        var program = new BpfAssembler().Move(BpfRegister.R6, BpfRegister.R1);
        for (var at = 0; at < RecordBytes; at += 8)
        {
            program.Store(BpfSize.Double, BpfRegister.R10, Record + at, 0);
        }
        program.Store(BpfSize.Word, BpfRegister.R10, Record + KindAt, (int)point);
        program.Call(BpfFunction.KtimeGetNs).Store(BpfSize.Double, BpfRegister.R10, Record + TimeAt, BpfRegister.R0);
        if (point == TracePoint.RouteLookup)
        {
            RouteLookups.Write(program, Offset, Record, Scratch);
        }
        else
        {
            WritePacket(program, Offset, point);
        }
        // R8: the device. What cannot be read is 0, and so is what hangs on it.
        Read(program, Record + DeviceAt, 4, BpfRegister.R8, index);
        Read(program, Scratch, 8, BpfRegister.R8, space).Load(BpfSize.Double, BpfRegister.R8, BpfRegister.R10, Scratch);
        Read(program, Record + SpaceAt, 4, BpfRegister.R8, inode);
        return program
            .LoadMap(BpfRegister.R1, map)
            .Move(BpfRegister.R2, BpfRegister.R10).Add(BpfRegister.R2, Record)
            .Move(BpfRegister.R3, RecordBytes)
            .Move(BpfRegister.R4, 0)
            .Call(BpfFunction.RingbufOutput)
            .Move(BpfRegister.R0, 0)
            .Exit()
            .Assemble();

        int Offset(string structure, string field) => btf.OffsetOf(structure, field) ?? throw new NotSupportedException($"the kernel's struct {structure} has no {field}");
    }

    // R7: the packet's struct sk_buff.
    private static void WritePacket(BpfAssembler program, Func<string, string, int> offset, TracePoint point)
    {
        program.Load(BpfSize.Double, BpfRegister.R7, BpfRegister.R6, 0);
        if (point == TracePoint.Dropped)
        {
            program.Load(BpfSize.Double, BpfRegister.R8, BpfRegister.R6, 16).Store(BpfSize.Word, BpfRegister.R10, Record + ReasonAt, BpfRegister.R8);
        }
        // head + network_header
        Read(program, Scratch, 8, BpfRegister.R7, offset("sk_buff", "head")).Load(BpfSize.Double, BpfRegister.R8, BpfRegister.R10, Scratch);
        program.Store(BpfSize.Double, BpfRegister.R10, Scratch, 0);
        Read(program, Scratch, 2, BpfRegister.R7, offset("sk_buff", "network_header")).Load(BpfSize.Half, BpfRegister.R9, BpfRegister.R10, Scratch).Add(BpfRegister.R8, BpfRegister.R9);
        Read(program, Record + PacketAt, PacketBytes, BpfRegister.R8, 0);
        Read(program, Scratch, 8, BpfRegister.R7, offset("sk_buff", "dev")).Load(BpfSize.Double, BpfRegister.R8, BpfRegister.R10, Scratch);
    }

    /// <summary>bpf_probe_read_kernel: bytes of the kernel's memory to a place on the stack.</summary>
    internal static BpfAssembler Read(BpfAssembler program, int to, int bytes, BpfRegister from, int offset) => program
        .Move(BpfRegister.R1, BpfRegister.R10).Add(BpfRegister.R1, to)
        .Move(BpfRegister.R2, bytes)
        .Move(BpfRegister.R3, from).Add(BpfRegister.R3, offset)
        .Call(BpfFunction.ProbeReadKernel);
}
