using System.Runtime.InteropServices;
using Plumb.Linux.Capture;
using Plumb.Linux.Native;
using Plumb.Linux.Netlink;
using static Plumb.Linux.Rtnetlink.RtnetlinkTypes;

namespace Plumb.Linux.Kernel;

/// <summary>
/// Deletes links and waits until the kernel tells that they are gone, which is long before its system call returns: once it has told, neither a packet nor a
/// look-up finds them, their names are free and its lock is dropped. What takes 15 to 50 ms more is that it frees their memory (the rcu_barrier of
/// netdev_run_todo in net/core/dev.c).
/// </summary>
internal static class LinkRemoval
{
    /// <summary>News of so many fit the smallest receive buffer that there is (net.core.rmem_max of 212,992), should nobody read until all are gone.</summary>
    public const int MostAtOnce = 64;

    private const uint RTNLGRP_LINK = 1; // linux/rtnetlink.h

    // A bridge tells in the same words, but in its own family, that a port has left it.
    private const byte AF_UNSPEC = 0;

    /// <param name="batch">Messages that end with the one that deletes.</param>
    /// <param name="indexes">What is gone after it, on the kernel's word; emptied.</param>
    /// <returns>Refusals.</returns>
    public static IReadOnlyList<NetlinkError> Execute(KernelNamespace kernel, NetlinkWriter batch, HashSet<int> indexes)
    {
        // One for each removal: a socket that stays would have to be read whenever somebody removes a link.
        using var socket = kernel.Network.OpenNetlink(NetlinkFamily.Route);
        socket.Join(RTNLGRP_LINK, FilterProgram.AnswersAnd(RTM_DELLINK, AF_UNSPEC));
        kernel.AddWriter(socket.PortId);
        try
        {
            return socket.ExecuteUntil(batch, message => message.Type == RTM_DELLINK && indexes.Remove(IndexOf(message)) && indexes.Count == 0);
        }
        catch (SystemCallException)
        {
            // The news were lost, or could not be waited for. What is gone already is no failure the second time, and this one ends with the call.
            return kernel.Route.TryExecute(batch);
        }
        finally
        {
            kernel.EndWriter(socket.PortId);
        }
    }

    private static int IndexOf(NetlinkMessage message)
    {
        const int indexOffset = 4; // of ifi_index in struct ifinfomsg
        return message.Payload.Length >= indexOffset + sizeof(int) ? MemoryMarshal.Read<int>(message.Payload[indexOffset..]) : 0;
    }
}
