using System.Net.Sockets;
using Plumb.Linux.Native;

namespace Plumb.Linux.Sockets;

/// <summary>Who is at the other end of a connected unix socket, as the kernel noted when it was connected (<c>struct ucred</c>, SO_PEERCRED of unix(7)).</summary>
/// <param name="ProcessId">In the reader's pid namespace; 0: it is in another that cannot be seen from here.</param>
/// <param name="UserId">The effective one, in the reader's user namespace; 65534 where it has no number there.</param>
public readonly record struct PeerCredentials(int ProcessId, uint UserId)
{
    private const int SO_PEERCRED = 17;

    /// <summary>Whether it is root or the user of this process, who may do what this process may.</summary>
    public bool IsOfUs => UserId == 0 || UserId == Libc.EffectiveUserId();

    /// <exception cref="SystemCallException">It is no connected unix socket.</exception>
    public static PeerCredentials Of(Socket socket)
    {
        ArgumentNullException.ThrowIfNull(socket);
        return Of((int)socket.Handle);
    }

    internal static unsafe PeerCredentials Of(int descriptor)
    {
        var credentials = stackalloc int[3]; // pid, uid, gid
        uint length = 3 * sizeof(int);
        return Libc.GetSocketOption(descriptor, Libc.SOL_SOCKET, SO_PEERCRED, credentials, &length) == 0
            ? new PeerCredentials(credentials[0], (uint)credentials[1])
            : throw SystemCallException.Last("getsockopt", "SO_PEERCRED");
    }
}
