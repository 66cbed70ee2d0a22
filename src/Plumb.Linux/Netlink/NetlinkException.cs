using Plumb.Linux.Native;

namespace Plumb.Linux.Netlink;

/// <summary>What the kernel answered to one message of a batch that it refused.</summary>
/// <param name="Index">Which message of the batch, from 0.</param>
/// <param name="MessageType">That message's nlmsg_type.</param>
/// <param name="Text">The kernel's own explanation (NLMSGERR_ATTR_MSG); null where it gives none.</param>
/// <param name="OffsetBytes">Where in that message the attribute is that it objects to (NLMSGERR_ATTR_OFFS), from the header's first byte.</param>
public readonly record struct NetlinkError(int Index, ushort MessageType, Errno Errno, string? Text, int? OffsetBytes)
{
    public override string ToString() =>
        $"{(Text is null ? "" : Text + ": ")}{Errno.Describe()}{(OffsetBytes is { } offset ? $", attribute at byte {offset}" : "")}";
}

/// <summary>The kernel refused one or more messages. <see cref="Errors"/> has all of them in the order of the batch.</summary>
public class NetlinkException : IOException
{
    public NetlinkException(IReadOnlyList<NetlinkError> errors)
        : base(Describe(errors)) => Errors = errors;

    public IReadOnlyList<NetlinkError> Errors { get; }

    public NetlinkError First => Errors[0];

    public Errno Errno => Errors[0].Errno;

    private static string Describe(IReadOnlyList<NetlinkError> errors) =>
        $"netlink message {errors[0].Index} (type {errors[0].MessageType}) refused: {errors[0]}"
        + (errors.Count > 1 ? $", and {errors.Count - 1} more" : "");
}

/// <summary>A batch is longer than the socket's send buffer allows one datagram to be. Nothing was sent: split it, or ask for a bigger buffer.</summary>
public sealed class NetlinkBatchTooLargeException(int batchBytes, int maxBatchBytes)
    : IOException($"a netlink batch of {batchBytes} bytes does not fit the send buffer, which takes {maxBatchBytes}")
{
    public int BatchBytes { get; } = batchBytes;

    public int MaxBatchBytes { get; } = maxBatchBytes;
}

/// <summary>A dump was interrupted by changes to what it lists, again and again, so that no whole picture could be had.</summary>
public sealed class NetlinkDumpInterruptedException(int attempts)
    : IOException($"the kernel's table changed during each of {attempts} dumps of it");
