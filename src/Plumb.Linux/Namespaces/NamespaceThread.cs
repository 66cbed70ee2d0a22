using Plumb.Linux.Native;
using Plumb.Linux.Native.Threads;

namespace Plumb.Linux.Namespaces;

/// <summary>
/// The one thread that enters network namespaces. It goes in, makes system calls that return descriptors, and is out again before
/// anybody hears of the result.
/// </summary>
/// <remarks>
/// <para>A thread is born in the namespace of the thread that creates it, and .NET creates pool, timer and socket threads on whichever
/// thread happens to need one. So nothing that runs here may queue work, await, make a <c>Socket</c>, log or start a process:
/// one pool thread born in a pod's namespace would later run everybody's work there.</para>
/// <para>It can never come home: an ordinary user's home is the host's network namespace, and entering that takes privilege over
/// the host's user namespace. Between visits it rests in an empty namespace of its own, so as to keep no other alive.</para>
/// </remarks>
internal sealed class NamespaceThread
{
    private static readonly Lazy<NamespaceThread> LazyShared = new(static () => new NamespaceThread());

    private readonly DedicatedThread _thread = new("plumb-netns");
    private FileDescriptor? _rest;

    private NamespaceThread()
    {
    }

    public static NamespaceThread Shared => LazyShared.Value;

    /// <summary>Runs <paramref name="visit"/> on the thread, which then leaves again; what it throws is thrown here.</summary>
    /// <exception cref="SystemCallException">EPERM: this process may not make network namespaces.</exception>
    public void Run(Action visit) => _thread.Run(() =>
    {
        _rest ??= NetworkNamespace.UnshareAndOpen();
        try
        {
            visit();
        }
        finally
        {
            Leave();
        }
    });

    private void Leave()
    {
        if (Libc.SetNamespace(_rest!.Number, Libc.CLONE_NEWNET) < 0)
        {
            // A thread that cannot leave would keep the namespace, and all that is in it, alive for ever.
            Environment.FailFast(SystemCallException.Last("setns", "the namespace thread's place of rest").Message);
        }
    }
}
