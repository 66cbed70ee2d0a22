namespace Plumb.Cni;

/// <summary>
/// The plugin <c>loopback</c>, which containerd before 2.0 calls for every pod beside the network's own: it turns <c>lo</c> on. This executable is that one, too, where it is
/// configured under that name; it needs no agent.
/// </summary>
internal static unsafe class Loopback
{
    private const int IFF_UP = 1;

    /// <summary>Whether it succeeded, and what the plugin prints.</summary>
    /// <param name="space">CNI_NETNS.</param>
    public static bool Answer(Text command, Text version, Text space, ref Octets answer)
    {
        var isAdd = command.Is("ADD"u8);
        // DEL: it ends with its namespace.
        if (!isAdd && !command.Is("CHECK"u8))
        {
            return true;
        }
        var errno = TurnOn(space, isAdd, out var isOn);
        if (!isOn)
        {
            OwnAnswer.Error(version, errno == 0 ? OwnAnswer.FailedCheck : OwnAnswer.IoFailure, isAdd ? "lo of CNI_NETNS cannot be turned on"u8 : "lo of CNI_NETNS is not on"u8, errno, ref answer);
            return false;
        }
        if (isAdd)
        {
            answer.Add("{\"cniVersion\":\""u8);
            answer.Add(version);
            answer.Add("\",\"interfaces\":[{\"name\":\"lo\",\"mac\":\"00:00:00:00:00:00\"}],\"ips\":[{"u8);
            // Versions before 1.0.0 tell the family.
            if (version.StartsWith("0."u8))
            {
                answer.Add("\"version\":\"4\","u8);
            }
            answer.Add("\"address\":\"127.0.0.1/8\",\"interface\":0}]}"u8);
        }
        return true;
    }

    /// <returns>0, or an errno.</returns>
    private static nint TurnOn(Text space, bool change, out bool isOn)
    {
        isOn = false;
        var request = stackalloc byte[40]; // struct ifreq: the name in 16 bytes, then its flags
        ((Text)"lo"u8).CopyTo(request);
        var flags = (short*)(request + 16);
        if (space.IsEmpty)
        {
            return SystemCalls.ENOENT;
        }
        nint done = SystemCalls.Open(space.Start, SystemCalls.O_CLOEXEC);
        if (done >= 0)
        {
            // The process has no other thread, and ends after this.
            done = SystemCalls.SetNamespace((int)done, SystemCalls.CLONE_NEWNET);
        }
        if (done >= 0)
        {
            done = SystemCalls.Socket(SystemCalls.AF_INET, SystemCalls.SOCK_DGRAM | SystemCalls.SOCK_CLOEXEC, 0);
        }
        var socket = (int)done;
        if (done >= 0)
        {
            done = SystemCalls.Control(socket, SystemCalls.SIOCGIFFLAGS, request);
        }
        if (done >= 0 && change && (*flags & IFF_UP) == 0)
        {
            *flags |= IFF_UP;
            done = SystemCalls.Control(socket, SystemCalls.SIOCSIFFLAGS, request);
        }
        isOn = done >= 0 && (*flags & IFF_UP) != 0;
        return done < 0 ? -done : 0;
    }
}
