using System.Runtime.CompilerServices;
using Plumb.Linux.Native;

namespace Plumb.Linux.Bpf;

/// <summary>The reader's side of a ring buffer map (<c>kernel/bpf/ringbuf.c</c>): records in the order in which programs began them, over all processors.</summary>
internal sealed unsafe class BpfRing : IDisposable
{
    private const uint Busy = 1u << 31;
    private const uint Discarded = 1u << 30;
    private const int HeaderBytes = 8;

    private readonly int _bytes;
    private readonly nint _consumer;
    private readonly nint _producer;

    /// <param name="map">Stays open: the ring reads what it holds.</param>
    /// <param name="bytes">With which it was made.</param>
    public BpfRing(FileDescriptor map, int bytes)
    {
        _bytes = bytes;
        var page = Environment.SystemPageSize;
        _consumer = Libc.Map(0, (nuint)page, Libc.PROT_READ | Libc.PROT_WRITE, Libc.MAP_SHARED, map.Number, 0);
        // The data twice, one behind the other, so that no record is broken at the end.
        _producer = _consumer == -1 ? -1 : Libc.Map(0, (nuint)(page + (2 * bytes)), Libc.PROT_READ, Libc.MAP_SHARED, map.Number, page);
        if (_producer == -1)
        {
            throw SystemCallException.Last("mmap", "ring buffer map");
        }
    }

    public delegate void Receiver(ReadOnlySpan<byte> record);

    /// <summary>Hands over all that is complete; its bytes are the kernel's and last as long as the call.</summary>
    public void Drain(Receiver receive)
    {
        ref var consumed = ref Unsafe.AsRef<long>((void*)_consumer);
        var at = Volatile.Read(ref consumed);
        var data = (byte*)_producer + Environment.SystemPageSize;
        while (at < Volatile.Read(ref Unsafe.AsRef<long>((void*)_producer)))
        {
            var record = data + (at & (_bytes - 1));
            var length = Volatile.Read(ref Unsafe.AsRef<uint>(record));
            if ((length & Busy) != 0)
            {
                break;
            }
            var bytes = (int)(length & ~Discarded);
            if ((length & Discarded) == 0)
            {
                receive(new ReadOnlySpan<byte>(record + HeaderBytes, bytes));
            }
            at += (bytes + HeaderBytes + 7) & ~7;
            Volatile.Write(ref consumed, at);
        }
    }

    public void Dispose()
    {
        _ = Libc.Unmap(_producer, (nuint)(Environment.SystemPageSize + (2 * _bytes)));
        _ = Libc.Unmap(_consumer, (nuint)Environment.SystemPageSize);
    }
}
