using System.Text;
using Plumb.Linux.Native;

namespace Plumb.Linux.Bpf;

/// <summary>What <c>bpf(2)</c> makes: a map, a program, the link by which a program hangs at a trace point. Each lives as long as its descriptor.</summary>
internal static unsafe class BpfObject
{
    private const int BPF_MAP_CREATE = 0;
    private const int BPF_PROG_LOAD = 5;
    private const int BPF_RAW_TRACEPOINT_OPEN = 17;
    private const int BPF_MAP_TYPE_RINGBUF = 27;
    private const int BPF_PROG_TYPE_RAW_TRACEPOINT = 17;

    // union bpf_attr has grown with every release; zeros beyond what a command uses are welcome to all.
    private const int AttributeBytes = 128;
    private const int LogBytes = 1 << 16;

    /// <param name="bytes">A power of two, at least a page.</param>
    public static FileDescriptor RingBuffer(int bytes)
    {
        var attribute = stackalloc uint[AttributeBytes / sizeof(uint)];
        new Span<byte>(attribute, AttributeBytes).Clear();
        attribute[0] = BPF_MAP_TYPE_RINGBUF;
        attribute[3] = (uint)bytes;
        return Make(BPF_MAP_CREATE, attribute, "BPF_MAP_CREATE, ring buffer");
    }

    /// <exception cref="SystemCallException">EPERM without CAP_BPF and CAP_PERFMON in the first user namespace; else the verifier's last words are in the message.</exception>
    public static FileDescriptor RawTracePointProgram(ulong[] instructions)
    {
        var attribute = stackalloc ulong[AttributeBytes / sizeof(ulong)];
        new Span<byte>(attribute, AttributeBytes).Clear();
        var log = new byte[LogBytes];
        fixed (ulong* first = instructions)
        fixed (byte* said = log)
        fixed (byte* license = "GPL\0"u8)
        {
            attribute[0] = BPF_PROG_TYPE_RAW_TRACEPOINT | ((ulong)(uint)instructions.Length << 32);
            attribute[1] = (ulong)first;
            attribute[2] = (ulong)license;
            attribute[3] = 1 | ((ulong)LogBytes << 32);
            attribute[4] = (ulong)said;
            var program = (int)Libc.Bpf(Libc.SYS_bpf, BPF_PROG_LOAD, attribute, AttributeBytes);
            if (program >= 0)
            {
                return new FileDescriptor(program);
            }
            var errno = Libc.LastErrno;
            var end = Array.IndexOf(log, (byte)0);
            var lines = Encoding.ASCII.GetString(log, 0, end < 0 ? log.Length : end).Split('\n', StringSplitOptions.RemoveEmptyEntries);
            throw new SystemCallException("bpf", errno, $"BPF_PROG_LOAD{(lines.Length > 0 ? $": {string.Join("; ", lines.TakeLast(3))}" : "")}");
        }
    }

    /// <param name="tracePoint">As in <c>/sys/kernel/tracing/events</c>, without its group.</param>
    public static FileDescriptor Attach(FileDescriptor program, string tracePoint)
    {
        var attribute = stackalloc ulong[AttributeBytes / sizeof(ulong)];
        new Span<byte>(attribute, AttributeBytes).Clear();
        fixed (byte* name = Encoding.ASCII.GetBytes(tracePoint + "\0"))
        {
            attribute[0] = (ulong)name;
            attribute[1] = (uint)program.Number;
            return Make(BPF_RAW_TRACEPOINT_OPEN, attribute, $"BPF_RAW_TRACEPOINT_OPEN, {tracePoint}");
        }
    }

    private static FileDescriptor Make(int command, void* attribute, string what)
    {
        var made = (int)Libc.Bpf(Libc.SYS_bpf, command, attribute, AttributeBytes);
        return made >= 0 ? new FileDescriptor(made) : throw SystemCallException.Last("bpf", what);
    }
}
