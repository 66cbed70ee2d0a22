using System.Buffers;
using Plumb.Linux.Native;

namespace Plumb.Linux.Netlink;

/// <summary>Handed each notification; its bytes are valid during the call only.</summary>
public delegate void NetlinkNotification(NetlinkMessage message);

/// <summary>How a wait for notifications ended.</summary>
public enum NotificationOutcome
{
    /// <summary>At least one message was handed over.</summary>
    Delivered,

    /// <summary>ENOBUFS: the kernel had more to say than the buffer held, and threw some away. What is known of its state is no longer true: observe again.</summary>
    StateLost,
}

/// <summary>
/// Listens to multicast groups of a netlink family in one network namespace. Waiting costs no thread: all subscriptions of the
/// process share one.
/// </summary>
public sealed class NetlinkSubscription : FileDescriptor
{
    private const int ReceiveBytes = 64 << 10;
    private const int DefaultBufferBytes = 2 << 20;

    private NetlinkSubscription(int descriptor)
        : base(descriptor)
    {
    }

    /// <summary>Subscribes in the calling thread's network namespace.</summary>
    /// <param name="groups">RTNLGRP_*, NFNLGRP_* numbers (not bit masks).</param>
    /// <param name="receiveBufferBytes">How much may queue before the kernel throws away; 0: a size that suits an agent.</param>
    public static NetlinkSubscription Open(NetlinkFamily family, ReadOnlySpan<uint> groups, int receiveBufferBytes = 0) =>
        Adopt(NetlinkSocket.OpenDescriptor(family), groups, receiveBufferBytes);

    internal static NetlinkSubscription Adopt(int descriptor, ReadOnlySpan<uint> groups, int receiveBufferBytes = 0)
    {
        var subscription = new NetlinkSubscription(descriptor);
        try
        {
            NetlinkSocket.SetBuffer(
                descriptor, Libc.SO_RCVBUFFORCE, Libc.SO_RCVBUF, receiveBufferBytes > 0 ? receiveBufferBytes : DefaultBufferBytes);
            NetlinkSocket.Bind(descriptor);
            foreach (var group in groups)
            {
                if (!Libc.TrySetSocketOption(descriptor, Libc.SOL_NETLINK, Libc.NETLINK_ADD_MEMBERSHIP, (int)group))
                {
                    throw SystemCallException.Last("setsockopt", $"NETLINK_ADD_MEMBERSHIP {group}");
                }
            }
            return subscription;
        }
        catch
        {
            subscription.Dispose();
            throw;
        }
    }

    /// <summary>Waits until something has happened, then hands over all that is queued. One wait at a time.</summary>
    public async ValueTask<NotificationOutcome> ReceiveAsync(NetlinkNotification handler, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(handler);
        while (true)
        {
            cancel.ThrowIfCancellationRequested();
            if (TryReceive(handler) is { } outcome)
            {
                return outcome;
            }
            await Poller.Shared.WaitReadable(this, cancel).ConfigureAwait(false);
        }
    }

    /// <summary>Hands over what is queued, without waiting; null when nothing is.</summary>
    public unsafe NotificationOutcome? TryReceive(NetlinkNotification handler)
    {
        ArgumentNullException.ThrowIfNull(handler);
        NotificationOutcome? outcome = null;
        var buffer = ArrayPool<byte>.Shared.Rent(ReceiveBytes);
        try
        {
            while (true)
            {
                int length;
                fixed (byte* bytes = buffer)
                {
                    length = (int)Libc.Receive(Number, bytes, (nuint)buffer.Length, Libc.MSG_DONTWAIT | Libc.MSG_TRUNC);
                }
                if (length < 0)
                {
                    switch (Libc.LastErrno)
                    {
                        case Errno.EAGAIN:
                            return outcome;
                        case Errno.EINTR:
                            continue;
                        case Errno.ENOBUFS:
                            return NotificationOutcome.StateLost;
                        case var errno:
                            throw new SystemCallException("recvmsg", errno, "netlink notifications");
                    }
                }
                if (length > buffer.Length)
                {
                    return NotificationOutcome.StateLost;
                }
                foreach (var message in new NetlinkReader(buffer.AsSpan(0, length)))
                {
                    handler(message);
                }
                outcome = NotificationOutcome.Delivered;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
