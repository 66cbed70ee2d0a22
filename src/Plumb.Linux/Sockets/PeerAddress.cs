using System.Buffers.Binary;
using System.Net;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Plumb.Linux.Addresses;

namespace Plumb.Linux.Sockets;

/// <summary>Who sent a datagram: a socket address as the kernel has it (<c>sockaddr_in</c>, <c>sockaddr_in6</c>), by value.</summary>
public readonly struct PeerAddress
{
    private const int V4Bytes = 16;

    /// <summary>Size of <c>sockaddr_in6</c>, the larger one.</summary>
    internal const int MostBytes = 28;

    private readonly Storage _bytes;

    internal PeerAddress(ReadOnlySpan<byte> socketAddress)
    {
        Length = Math.Min(socketAddress.Length, MostBytes);
        socketAddress[..Length].CopyTo(MemoryMarshal.CreateSpan(ref Unsafe.As<Storage, byte>(ref _bytes), MostBytes));
    }

    public PeerAddress(IpAddress host, ushort port)
    {
        Length = host.Family == IpFamily.V4 ? V4Bytes : MostBytes;
        var bytes = MemoryMarshal.CreateSpan(ref Unsafe.As<Storage, byte>(ref _bytes), MostBytes);
        // The family in the machine's byte order, the port in the network's.
        BitConverter.TryWriteBytes(bytes, (ushort)host.Family);
        BinaryPrimitives.WriteUInt16BigEndian(bytes[2..], port);
        host.WriteBytes(bytes[(host.Family == IpFamily.V4 ? 4 : 8)..]);
    }

    internal int Length { get; }

    [UnscopedRef]
    internal ReadOnlySpan<byte> Bytes => MemoryMarshal.CreateReadOnlySpan(in Unsafe.As<Storage, byte>(ref Unsafe.AsRef(in _bytes)), Length);

    public IpAddress Host => IpAddress.TryRead(Length == V4Bytes ? Bytes.Slice(4, 4) : Length == MostBytes ? Bytes.Slice(8, 16) : default, out var host) ? host : default;

    public ushort Port => Length < 4 ? (ushort)0 : BinaryPrimitives.ReadUInt16BigEndian(Bytes[2..]);

    public static PeerAddress From(IPEndPoint endPoint)
    {
        ArgumentNullException.ThrowIfNull(endPoint);
        return new PeerAddress(IpAddress.From(endPoint.Address), (ushort)endPoint.Port);
    }

    public override string ToString() => Host.Family == IpFamily.V6 ? $"[{Host}]:{Port}" : $"{Host}:{Port}";

    [InlineArray(MostBytes)]
    private struct Storage
    {
        private byte _first;
    }
}
