using System;

namespace Plumb.Cni;

/// <summary>
/// The plugin <c>loopback</c>, which containerd before 2.0 calls for every pod beside the network's own: it turns <c>lo</c> on. This executable is that one, too, where it is
/// configured under that name; it needs no agent.
/// </summary>
internal static unsafe class Loopback
{
    private const short IFF_UP = 1;

    /// <summary>The <c>type</c> under which it is called.</summary>
    public static ReadOnlySpan<byte> Type => "loopback"u8;

    /// <param name="space">CNI_NETNS, with a NUL behind it.</param>
    /// <returns>What the plugin prints, and whether it succeeded.</returns>
    public static ReadOnlySpan<byte> Answer(ReadOnlySpan<byte> command, ReadOnlySpan<byte> version, byte* space, out bool succeeded)
    {
        var isAdd = command.SequenceEqual("ADD"u8);
        // DEL: it ends with its namespace.
        if (!isAdd && !command.SequenceEqual("CHECK"u8))
        {
            succeeded = true;
            return [];
        }
        succeeded = TryTurnOn(space, isAdd, out var errno);
        if (!succeeded)
        {
            return OwnAnswer.Error(
                version, errno == 0 ? OwnAnswer.FailedCheck : OwnAnswer.IoFailure, isAdd ? "lo of CNI_NETNS cannot be turned on"u8 : "lo of CNI_NETNS is not on"u8,
                new Octets().Add("errno "u8).Add(errno).All);
        }
        // Versions before 1.0.0 tell the family.
        return !isAdd ? [] : new Octets()
            .Add("{\"cniVersion\":\""u8).Add(version)
            .Add("\",\"interfaces\":[{\"name\":\"lo\",\"mac\":\"00:00:00:00:00:00\"}],\"ips\":[{"u8)
            .Add(version.StartsWith("0."u8) ? "\"version\":\"4\","u8 : [])
            .Add("\"address\":\"127.0.0.1/8\",\"interface\":0}]}"u8).All;
    }

    /// <param name="errno">0: it is off, and <paramref name="change"/> is not asked for.</param>
    private static bool TryTurnOn(byte* space, bool change, out int errno)
    {
        var request = stackalloc byte[40]; // struct ifreq: the name in 16 bytes, then its flags
        new Span<byte>(request, 40).Clear();
        "lo"u8.CopyTo(new Span<byte>(request, 16));
        var flags = (short*)(request + 16);
        errno = 0;
        var descriptor = SystemCalls.Open(space, SystemCalls.O_CLOEXEC);
        // The process has one thread that does anything, and ends after this.
        var isOn = descriptor >= 0
            && SystemCalls.SetNamespace(descriptor, SystemCalls.CLONE_NEWNET) == 0
            && SystemCalls.Socket(SystemCalls.AF_INET, SystemCalls.SOCK_DGRAM | SystemCalls.SOCK_CLOEXEC, 0) is >= 0 and var socket
            && SystemCalls.Control(socket, SystemCalls.SIOCGIFFLAGS, request) == 0
            && ((*flags & IFF_UP) != 0 || !change || TurnOn(socket));
        if (!isOn)
        {
            errno = SystemCalls.LastErrno;
        }
        return isOn && (*flags & IFF_UP) != 0;

        bool TurnOn(int through)
        {
            *flags |= IFF_UP;
            return SystemCalls.Control(through, SystemCalls.SIOCSIFFLAGS, request) == 0;
        }
    }
}
