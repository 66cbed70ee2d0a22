using System.Buffers;
using System.Runtime.InteropServices;
using Plumb.Linux.Capture;
using Plumb.Linux.Native;
using Plumb.Linux.Native.Threads;

namespace Plumb.Linux.Netlink;

/// <summary>Handed each message that answers a request; <paramref name="index"/> says which message of the batch it answers.</summary>
public delegate void NetlinkReply(NetlinkMessage message, int index);

/// <summary>Whether no more needs to be awaited once this has been said.</summary>
internal delegate bool NetlinkCondition(NetlinkMessage message);

/// <summary>Makes a value of a dumped message; null leaves it out.</summary>
public delegate T? NetlinkParser<out T>(NetlinkMessage message);

/// <summary>
/// A netlink socket for requests. The kernel does its work inside <c>sendmsg</c> and has queued the answer when that returns, so
/// nothing here waits and nothing is asynchronous. It stays in the network namespace in which it was made, whichever thread uses it.
/// </summary>
/// <remarks>
/// <para>One request at a time: calls from several threads wait for one another. To listen for changes use <see cref="NetlinkSubscription"/>.</para>
/// <para>In a batch only the last message asks for an acknowledgement: refusals are sent without being asked for, so one receive
/// collects the outcome of thousands of messages.</para>
/// </remarks>
public sealed class NetlinkSocket : FileDescriptor
{
    /// <summary>What is asked of the kernel for answers: room for thousands of refusals. Only what is queued takes memory.</summary>
    public const int DefaultReceiveBufferBytes = 4 << 20;

    private const int ReceiveBytes = 64 << 10; // the kernel's dumps come in datagrams of at most 32 KiB
    private const int DumpAttempts = 8;
    private const int AnswerTimeoutMilliseconds = 10_000;

    private readonly Lock _oneRequest = new();
    private uint _sequence = 1;
    private volatile SystemCallException? _failure;
    private volatile bool _isSending;
    private bool _joined;

    private NetlinkSocket(int descriptor, NetlinkFamily family)
        : base(descriptor) => Family = family;

    public NetlinkFamily Family { get; }

    /// <summary>nl_pid: by this number notifications tell which socket caused a change.</summary>
    public uint PortId { get; private set; }

    /// <summary>The longest batch that can be sent (the kernel's limit is the send buffer less 32 bytes of bookkeeping).</summary>
    public int MaxBatchBytes { get; private set; }

    /// <summary>Whether this process may have buffers beyond <c>net.core.wmem_max</c>; so may programs that it starts.</summary>
    internal bool MayForceBuffer { get; private set; }

    /// <summary>Opens a socket in the calling thread's network namespace.</summary>
    /// <param name="sendBufferBytes">
    /// Size of the send buffer, and so of the longest batch; 0: as large as can be had. What is beyond <c>net.core.wmem_max</c> needs
    /// CAP_NET_ADMIN in the first user namespace, and is cut without it.
    /// </param>
    /// <exception cref="SystemCallException">The kernel has no such family or no descriptor is left.</exception>
    public static NetlinkSocket Open(NetlinkFamily family, int sendBufferBytes = 0) => Adopt(OpenDescriptor(family), family, sendBufferBytes);

    /// <summary>The one system call that must run inside the namespace.</summary>
    internal static int OpenDescriptor(NetlinkFamily family)
    {
        var descriptor = Libc.Socket(Libc.AF_NETLINK, Libc.SOCK_RAW | Libc.SOCK_CLOEXEC, (int)family);
        return descriptor >= 0 ? descriptor : throw SystemCallException.Last("socket", $"AF_NETLINK, {family}");
    }

    /// <summary>Makes a descriptor of <see cref="OpenDescriptor"/> ready for use, on any thread.</summary>
    internal static NetlinkSocket Adopt(int descriptor, NetlinkFamily family, int sendBufferBytes = 0)
    {
        var socket = new NetlinkSocket(descriptor, family);
        try
        {
            socket.Configure(sendBufferBytes);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Sends all messages as one datagram and collects every answer.</summary>
    /// <param name="batch">Closed messages. Their sequence numbers are set here.</param>
    /// <param name="replies">Gets messages other than acknowledgements: answers to gets, echoes.</param>
    /// <exception cref="NetlinkException">The kernel refused a message. Those before and after it may have been done, unless the family has transactions.</exception>
    /// <exception cref="NetlinkBatchTooLargeException">Nothing was sent.</exception>
    public void Execute(NetlinkWriter batch, NetlinkReply? replies = null)
    {
        var errors = TryExecute(batch, replies);
        if (errors.Count > 0)
        {
            throw new NetlinkException(errors);
        }
    }

    /// <summary>As <see cref="Execute"/>, but refusals are returned, in the order of the batch; none: all was done.</summary>
    public IReadOnlyList<NetlinkError> TryExecute(NetlinkWriter batch, NetlinkReply? replies = null)
    {
        ArgumentNullException.ThrowIfNull(batch);
        return TryExecute(batch, batch.MessageCount - 1, replies);
    }

    /// <summary>
    /// As above, for families that frame their batches: <paramref name="acknowledged"/> is the message that is asked to be
    /// acknowledged (nfnetlink before Linux 6.10 never acknowledges the frame that ends a batch, so it is the last one within).
    /// </summary>
    public IReadOnlyList<NetlinkError> TryExecute(NetlinkWriter batch, int acknowledged, NetlinkReply? replies = null)
    {
        ArgumentNullException.ThrowIfNull(batch);
        if (batch.IsEmpty)
        {
            return [];
        }
        lock (_oneRequest)
        {
            var first = Send(batch, acknowledged);
            return Collect(batch, first, first + (uint)acknowledged, replies);
        }
    }

    /// <summary>
    /// As <see cref="TryExecute(NetlinkWriter, NetlinkReply?)"/>, but returns as soon as what the kernel says meanwhile is enough, though its system call goes on. Nobody hears its
    /// answer then: the socket is of no further use.
    /// </summary>
    /// <param name="isEnough">Handed each message that is no acknowledgement, those of <see cref="Join"/>ed groups among them.</param>
    internal IReadOnlyList<NetlinkError> ExecuteUntil(NetlinkWriter batch, NetlinkCondition isEnough)
    {
        lock (_oneRequest)
        {
            var last = batch.MessageCount - 1;
            var first = Stamp(batch, last);
            SendElsewhere(batch.Written.ToArray());
            return Collect(batch, first, first + (uint)last, null, isEnough);
        }
    }

    /// <summary>Hears of a multicast group's changes from now on, between the answers; some are lost when too many come.</summary>
    /// <param name="group">RTNLGRP_* (a number, not a bit mask).</param>
    internal void Join(uint group, FilterProgram filter)
    {
        filter.AttachTo(Number);
        _joined = true;
        if (!Libc.TrySetSocketOption(Number, Libc.SOL_NETLINK, Libc.NETLINK_ADD_MEMBERSHIP, (int)group))
        {
            throw SystemCallException.Last("setsockopt", $"NETLINK_ADD_MEMBERSHIP {group}");
        }
    }

    /// <summary>Sends one message that asks for a list (NLM_F_DUMP) and makes a value of each item; starts again when the list changed meanwhile.</summary>
    /// <exception cref="NetlinkException">The kernel refused.</exception>
    /// <exception cref="NetlinkDumpInterruptedException">It changed each time.</exception>
    public List<T> Dump<T>(NetlinkWriter request, NetlinkParser<T> parse)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(parse);
        var items = new List<T>();
        lock (_oneRequest)
        {
            for (var attempt = 0; attempt < DumpAttempts; attempt++)
            {
                items.Clear();
                if (DumpOnce(request, parse, items))
                {
                    return items;
                }
            }
        }
        throw new NetlinkDumpInterruptedException(DumpAttempts);
    }

    private unsafe void Configure(int sendBufferBytes)
    {
        var descriptor = Number;
        // Old kernels lack some of these; then there is less text in errors, and dumps are filtered here instead of there.
        Libc.TrySetSocketOption(descriptor, Libc.SOL_NETLINK, Libc.NETLINK_EXT_ACK, 1);
        Libc.TrySetSocketOption(descriptor, Libc.SOL_NETLINK, Libc.NETLINK_CAP_ACK, 1);
        Libc.TrySetSocketOption(descriptor, Libc.SOL_NETLINK, Libc.NETLINK_GET_STRICT_CHK, 1);
        SetBuffer(descriptor, Libc.SO_RCVBUFFORCE, Libc.SO_RCVBUF, DefaultReceiveBufferBytes);
        MayForceBuffer = SetBuffer(descriptor, Libc.SO_SNDBUFFORCE, Libc.SO_SNDBUF, sendBufferBytes > 0 ? sendBufferBytes : DefaultReceiveBufferBytes);
        MaxBatchBytes = Libc.GetSocketOption(descriptor, Libc.SOL_SOCKET, Libc.SO_SNDBUF) - 32;
        PortId = Bind(descriptor);
    }

    /// <summary>Whether it could be forced.</summary>
    internal static bool SetBuffer(int descriptor, int forceOption, int option, int bytes)
    {
        // The kernel doubles what it is given.
        if (Libc.TrySetSocketOption(descriptor, Libc.SOL_SOCKET, forceOption, bytes / 2))
        {
            return true;
        }
        Libc.TrySetSocketOption(descriptor, Libc.SOL_SOCKET, option, bytes / 2);
        return false;
    }

    internal static unsafe uint Bind(int descriptor)
    {
        var address = new NetlinkAddress { Family = Libc.AF_NETLINK };
        var length = (uint)sizeof(NetlinkAddress);
        if (Libc.Bind(descriptor, &address, length) < 0)
        {
            throw SystemCallException.Last("bind", "AF_NETLINK");
        }
        return Libc.GetSocketName(descriptor, &address, &length) == 0 ? address.PortId : throw SystemCallException.Last("getsockname");
    }

    private uint Send(NetlinkWriter batch, int acknowledged)
    {
        var first = Stamp(batch, acknowledged);
        Send(Number, batch.Written);
        return first;
    }

    private uint Stamp(NetlinkWriter batch, int acknowledged)
    {
        var first = _sequence;
        _sequence += (uint)batch.MessageCount;
        batch.Stamp(first, acknowledged);
        return batch.LengthBytes <= MaxBatchBytes ? first : throw new NetlinkBatchTooLargeException(batch.LengthBytes, MaxBatchBytes);
    }

    private unsafe void Send(int descriptor, ReadOnlySpan<byte> batch)
    {
        fixed (byte* bytes = batch)
        {
            while (Libc.Send(descriptor, bytes, (nuint)batch.Length, 0) < 0)
            {
                if (Libc.LastErrno != Errno.EINTR)
                {
                    throw SystemCallException.Last("sendmsg", $"netlink {Family}, {batch.Length} bytes");
                }
            }
        }
    }

    // The descriptor stays open until the call has returned, whoever disposes of the socket before.
    private void SendElsewhere(byte[] batch)
    {
        var held = false;
        DangerousAddRef(ref held);
        var descriptor = Number;
        _isSending = true;
        PatientThreads.Run(() =>
        {
            try
            {
                Send(descriptor, batch);
            }
            catch (SystemCallException exception)
            {
                _failure = exception; // heard by whoever waits for an answer
            }
            finally
            {
                _isSending = false;
                DangerousRelease();
            }
        });
    }

    // All answers are queued when the send returns; only the number of datagrams is unknown. So read until none is left, and
    // wait only if nothing conclusive has come, which families that answer from a worker thread may cause.
    private List<NetlinkError> Collect(NetlinkWriter batch, uint first, uint last, NetlinkReply? replies, NetlinkCondition? isEnough = null)
    {
        List<NetlinkError> errors = [];
        var buffer = ArrayPool<byte>.Shared.Rent(ReceiveBytes);
        try
        {
            var concluded = false;
            while (true)
            {
                var length = Receive(buffer, wait: !concluded);
                if (length < 0)
                {
                    break;
                }
                foreach (var message in new NetlinkReader(buffer.AsSpan(0, length)))
                {
                    concluded |= message.Type > NetlinkControl.NLMSG_OVERRUN && isEnough?.Invoke(message) is true;
                    var index = message.Sequence - first;
                    if (index >= (uint)batch.MessageCount)
                    {
                        continue; // the answer to an earlier request that failed half-way
                    }
                    if (message.Type == NetlinkControl.NLMSG_ERROR)
                    {
                        var errno = ExtendedAck.ReadErrno(message);
                        if (errno != Errno.None)
                        {
                            errors.Add(ExtendedAck.Read(message, (int)index, batch.TypeOf((int)index)));
                        }
                        // A refusal concludes only what has transactions; where the batch goes on, its last message is answered too.
                        concluded |= message.Sequence == last || Family == NetlinkFamily.Netfilter;
                    }
                    else if (message.Type > NetlinkControl.NLMSG_OVERRUN)
                    {
                        replies?.Invoke(message, (int)index);
                    }
                }
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
        errors.Sort(static (a, b) => a.Index.CompareTo(b.Index));
        return errors;
    }

    private bool DumpOnce<T>(NetlinkWriter request, NetlinkParser<T> parse, List<T> items)
    {
        var sequence = Send(request, acknowledged: -1);
        var interrupted = false;
        var buffer = ArrayPool<byte>.Shared.Rent(ReceiveBytes);
        try
        {
            while (true)
            {
                var length = Receive(buffer, wait: true);
                foreach (var message in new NetlinkReader(buffer.AsSpan(0, length)))
                {
                    if (message.Sequence != sequence)
                    {
                        continue;
                    }
                    interrupted |= (message.Flags & NetlinkFlags.DumpInterrupted) != 0;
                    switch (message.Type)
                    {
                        case NetlinkControl.NLMSG_DONE:
                        case NetlinkControl.NLMSG_ERROR:
                            // DONE carries an errno too: the dump may fail on the way.
                            var errno = message.Payload.Length >= 4 ? ExtendedAck.ReadErrno(message) : Errno.None;
                            if (errno == Errno.None)
                            {
                                return !interrupted;
                            }
                            throw new NetlinkException([ExtendedAck.Read(message, 0, request.TypeOf(0))]);
                        case > NetlinkControl.NLMSG_OVERRUN:
                            if (parse(message) is { } item)
                            {
                                items.Add(item);
                            }
                            break;
                        default:
                            break;
                    }
                }
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>One datagram; −1: none is there, and none was to be waited for.</summary>
    private unsafe int Receive(byte[] buffer, bool wait)
    {
        fixed (byte* bytes = buffer)
        {
            while (true)
            {
                var length = (int)Libc.Receive(Number, bytes, (nuint)buffer.Length, Libc.MSG_DONTWAIT | Libc.MSG_TRUNC);
                if (length > buffer.Length)
                {
                    throw new NetlinkDecodeException("datagram", $"{length} bytes do not fit the {buffer.Length} that any answer should", bytes: default);
                }
                if (length >= 0)
                {
                    return length;
                }
                var errno = Libc.LastErrno;
                if (errno == Errno.EAGAIN)
                {
                    if (!wait)
                    {
                        return -1;
                    }
                    AwaitAnswer();
                }
                else if (errno != Errno.EINTR && !(errno == Errno.ENOBUFS && _joined))
                {
                    throw new SystemCallException("recvmsg", errno, $"netlink {Family}");
                }
            }
        }
    }

    private unsafe void AwaitAnswer()
    {
        var descriptor = new PollDescriptor { Descriptor = Number, Events = PollDescriptor.In };
        // As long as the call has not returned the kernel is at work, or waits for its lock: a call that one waits for oneself has no limit either.
        bool wasSending;
        do
        {
            wasSending = _isSending;
            if (Libc.Poll(&descriptor, 1, AnswerTimeoutMilliseconds) != 0)
            {
                return;
            }
        }
        while (wasSending && _failure is null);
        throw _failure ?? new SystemCallException("recvmsg", Errno.ETIMEDOUT, $"netlink {Family}: the kernel has not answered");
    }
}
