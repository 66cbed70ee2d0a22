using Plumb.Linux.Native;

namespace Plumb.Linux.Containers;

/// <summary>What a container's programs may do beside what their user may.</summary>
/// <param name="Capabilities">Of a program that root runs: effective, permitted and bounding; none is inheritable or ambient. Another user's has them in its bounding set alone.</param>
public sealed record Privileges(CapabilitySet Capabilities)
{
    private const int PR_SET_SECUREBITS = 28;
    private const int PR_SET_NO_NEW_PRIVS = 38;
    private const nuint SECBIT_NOROOT = 1;

    /// <summary><c>no_new_privs</c>: no program gives more than whoever starts it has, be it set-user-ID or not.</summary>
    public bool NoNew { get; init; }

    /// <summary>
    /// Of the calling thread's next program, for good. What the thread itself has in force it keeps until then, but for what is inheritable: it has yet to become the
    /// container's user, or to start a child and leave.
    /// </summary>
    /// <param name="user">Whom the program runs as.</param>
    /// <exception cref="SystemCallException">The kernel refuses: then the program must not run.</exception>
    internal void Enter(ContainerUser? user)
    {
        Capabilities.Bound();
        Check(Libc.ClearInheritableCapabilities(), "capset");
        if (user is { IsPowerless: true })
        {
            Check(Libc.ProcessControl(PR_SET_SECUREBITS, SECBIT_NOROOT, 0), "prctl(PR_SET_SECUREBITS)");
        }
        if (NoNew)
        {
            Check(Libc.ProcessControl(PR_SET_NO_NEW_PRIVS, 1, 0), "prctl(PR_SET_NO_NEW_PRIVS)");
        }
    }

    /// <summary>util-linux's <c>setpriv</c>, which does the same in a child where nobody else can.</summary>
    internal IEnumerable<string> ToWrapper(ContainerUser? user) =>
        ["setpriv", "--ambient-caps", "-all", "--inh-caps", "-all", "--bounding-set", Capabilities.ToOption(), .. user is { IsPowerless: true } ? ["--securebits", "+noroot"] : (string[])[], .. NoNew ? ["--no-new-privs"] : (string[])[], "--"];

    private static void Check(int result, string call)
    {
        if (result < 0)
        {
            throw SystemCallException.Last(call);
        }
    }
}
