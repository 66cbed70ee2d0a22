using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Plumb.Linux.Netlink;

namespace Plumb.Linux.Rtnetlink;

/// <summary>Reads the fixed structure that a message begins with.</summary>
internal static class WireHeader
{
    /// <param name="name">Of the C structure, for the error.</param>
    /// <param name="attributes">What follows it.</param>
    /// <exception cref="NetlinkDecodeException">The message is shorter.</exception>
    public static T Read<T>(ReadOnlySpan<byte> payload, string name, out ReadOnlySpan<byte> attributes)
        where T : unmanaged
    {
        var size = Unsafe.SizeOf<T>();
        if (payload.Length < size)
        {
            throw new NetlinkDecodeException(name, $"has {payload.Length} bytes instead of {size}", payload);
        }
        attributes = payload[Math.Min(NetlinkControl.Align(size), payload.Length)..];
        return MemoryMarshal.Read<T>(payload);
    }
}
