using Plumb.Linux.Native;

namespace Plumb.Linux.Processes;

/// <summary>
/// For programs in a user namespace that has one user, as an ordinary user can make it: <c>setgroups(2)</c> is denied there for good, and no other ids exist
/// (user_namespaces(7)). A program that begins as root and insists on becoming somebody else, as tcpdump does, would end of that.
/// </summary>
/// <remarks>The rights of who is told so stay what they were: those of the user who made the namespace.</remarks>
public static class SingleUser
{
    /// <summary>
    /// What this thread becomes with execve(2), and all that comes of it, is told that <c>setuid</c>, <c>setgid</c> and <c>setgroups</c> have succeeded. Files' own
    /// users and capabilities have no effect from then on; in such a namespace they have none before.
    /// </summary>
    /// <exception cref="SystemCallException">The kernel has no seccomp filters.</exception>
    public static void Pretend()
    {
        if (!SeccompFilter.IsPossible)
        {
            return;
        }
        var filter = new SeccompFilter(SeccompFilter.Allow);
        // setuid, setgid, setgroups, setresuid, setresgid
        foreach (var (x64, arm64) in ((uint, uint)[])[(105, 146), (106, 144), (116, 159), (117, 147), (119, 149)])
        {
            filter.Refuse(SeccompFilter.Number(x64, arm64), SeccompFilter.Error(0));
        }
        filter.Enter();
    }
}
