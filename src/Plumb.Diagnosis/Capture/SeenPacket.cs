using Plumb.Linux.Capture;
using Plumb.Linux.State;

namespace Plumb.Diagnosis.Capture;

/// <summary>A place where frames are caught: a device in a namespace.</summary>
public sealed record CapturePlace(NamespaceId Namespace, string Device)
{
    /// <summary>In order of their first frames, from 0.</summary>
    public int Number { get; init; }

    public ushort HardwareType { get; init; }

    public override string ToString() => $"{Namespace}/{Device}";
}

/// <summary>What a caught frame says.</summary>
/// <param name="Headers">Of the innermost packet: where a tunnel carries it, of what it carries.</param>
/// <param name="Tunnel">Of the packet around it; null where there is none.</param>
/// <param name="NetworkId">VNI of that tunnel.</param>
public readonly record struct SeenPacket(PacketHeaders Headers, PacketHeaders? Tunnel, uint NetworkId)
{
    /// <returns>False: no IP.</returns>
    public static bool TryRead(ReadOnlySpan<byte> frame, ushort hardwareType, ushort vxlanPort, out SeenPacket seen)
    {
        seen = default;
        if (!PacketHeaders.TryRead(frame, hardwareType, out var headers))
        {
            return false;
        }
        seen = headers.TryReadVxlan(frame, vxlanPort, out var networkId, out var inner) ? new SeenPacket(inner, headers, networkId) : new SeenPacket(headers, null, 0);
        return true;
    }
}

/// <summary>
/// By what a packet is known again at another place, whoever has rewritten its addresses and ports meanwhile: TCP's sequence numbers, and the content of
/// what has none.
/// </summary>
public readonly record struct PacketIdentity(byte Protocol, uint First, uint Second, uint Third)
{
    private const int MostHashed = 64;

    public static PacketIdentity Of(in PacketHeaders headers, ReadOnlySpan<byte> frame)
    {
        if (headers.Protocol == PacketHeaders.Tcp)
        {
            return new PacketIdentity(headers.Protocol, headers.Sequence, headers.Acknowledgment, (uint)(headers.TcpFlags | (headers.PayloadLength > 0 ? 0x100 : 0)));
        }
        var end = Math.Min(frame.Length, headers.PayloadAt + Math.Min(headers.PayloadLength, MostHashed));
        var hash = new HashCode();
        hash.AddBytes(headers.PayloadAt < end ? frame[headers.PayloadAt..end] : default);
        // The identifier of an echo is rewritten as a port is; its sequence number is not.
        return new PacketIdentity(headers.Protocol, (uint)hash.ToHashCode(), (uint)headers.PayloadLength, (uint)((headers.Type << 24) | (headers.Code << 16) | headers.EchoSequence));
    }
}
