using System.Net.Sockets;
using Plumb.Linux.Native;
using Plumb.Linux.Netlink;

namespace Plumb.Linux.Namespaces;

/// <summary>
/// A network namespace, held by a descriptor: it lives as long as anything (this object, a process, a mount, a link's other end in
/// use) refers to it, and takes its links, routes and rules with it when nothing does.
/// </summary>
public sealed class NetworkNamespace : FileDescriptor
{
    private static readonly Lazy<FileIdentity> HomeIdentity = new(static () =>
    {
        using var home = OpenHome();
        return home.Identity;
    });

    private FileIdentity? _identity;

    private NetworkNamespace(int descriptor)
        : base(descriptor)
    {
    }

    /// <summary>Device and inode: equal for two objects that hold the same namespace, whatever way they were opened.</summary>
    public FileIdentity Identity => _identity ??= FileIdentity.Of(this);

    /// <summary>Whether this process's threads are here.</summary>
    public bool IsHome => Identity == HomeIdentity.Value;

    /// <summary>A path by which another process of the same user can open this namespace while this object is alive (CNI_NETNS).</summary>
    public string ProcPath => $"/proc/{Environment.ProcessId}/fd/{Number}";

    /// <summary>The namespace in which this process's threads are.</summary>
    public static NetworkNamespace OpenHome() => Open("/proc/self/ns/net");

    /// <exception cref="SystemCallException">There is no such process, or it is another user's.</exception>
    public static NetworkNamespace OpenOfProcess(int processId) => Open($"/proc/{processId}/ns/net");

    /// <summary>Opens <c>/run/netns/NAME</c>, <c>/proc/PID/ns/net</c>, <c>/proc/PID/fd/N</c>.</summary>
    /// <exception cref="SystemCallException">Nothing is there, or it is no network namespace (EINVAL).</exception>
    public static NetworkNamespace Open(string path)
    {
        using var file = FileDescriptor.Open(path, OpenFlags.ReadOnly);
        if (NamespaceType.Of(file) != NamespaceType.Network)
        {
            throw new SystemCallException("open", Errno.EINVAL, $"{path}, which is no network namespace");
        }
        return new NetworkNamespace(file.Release());
    }

    /// <summary>Makes an empty namespace: a loopback device that is down, nothing else.</summary>
    /// <exception cref="SystemCallException">EPERM without CAP_SYS_ADMIN in the own user namespace; ENOSPC at <c>user.max_net_namespaces</c>.</exception>
    public static NetworkNamespace Create()
    {
        FileDescriptor? made = null;
        NamespaceThread.Shared.Run(() => made = UnshareAndOpen());
        return new NetworkNamespace(made!.Release());
    }

    /// <summary>Makes an empty namespace and its first netlink socket in one visit.</summary>
    public static NetworkNamespace Create(NetlinkFamily family, out NetlinkSocket socket)
    {
        FileDescriptor? made = null;
        var socketDescriptor = -1;
        NamespaceThread.Shared.Run(() =>
        {
            made = UnshareAndOpen();
            socketDescriptor = NetlinkSocket.OpenDescriptor(family);
        });
        socket = NetlinkSocket.Adopt(socketDescriptor, family);
        return new NetworkNamespace(made!.Release());
    }

    /// <summary>
    /// Runs a function on the one thread that enters namespaces, inside this one. It may make system calls that return
    /// descriptors and nothing else: no await, no Task, no <see cref="Socket"/>, no logging, no process.
    /// </summary>
    /// <exception cref="SystemCallException">EPERM: the namespace is another user's.</exception>
    public T Run<T>(Func<T> inside)
    {
        ArgumentNullException.ThrowIfNull(inside);
        if (IsHome)
        {
            // Every thread but one is there, and an ordinary user's cannot be entered from elsewhere.
            return inside();
        }
        T result = default!;
        NamespaceThread.Shared.Run(() =>
        {
            Enter();
            result = inside();
        });
        return result;
    }

    /// <summary>Opens a netlink socket inside.</summary>
    public NetlinkSocket OpenNetlink(NetlinkFamily family, int sendBufferBytes = 0) =>
        NetlinkSocket.Adopt(Run(() => NetlinkSocket.OpenDescriptor(family)), family, sendBufferBytes);

    /// <summary>Listens to a netlink family's changes inside.</summary>
    public NetlinkSubscription Subscribe(NetlinkFamily family, ReadOnlySpan<uint> groups, int receiveBufferBytes = 0) =>
        NetlinkSubscription.Adopt(Run(() => NetlinkSocket.OpenDescriptor(family)), groups, receiveBufferBytes);

    /// <summary>Takes the calling thread into a new namespace.</summary>
    internal static FileDescriptor UnshareAndOpen()
    {
        if (Libc.Unshare(Libc.CLONE_NEWNET) < 0)
        {
            throw SystemCallException.Last("unshare", "CLONE_NEWNET");
        }
        // Of the thread: /proc/self is the main thread's.
        return FileDescriptor.Open("/proc/thread-self/ns/net", OpenFlags.ReadOnly);
    }

    private void Enter()
    {
        if (Libc.SetNamespace(Number, Libc.CLONE_NEWNET) < 0)
        {
            throw SystemCallException.Last("setns", "network namespace");
        }
    }
}
