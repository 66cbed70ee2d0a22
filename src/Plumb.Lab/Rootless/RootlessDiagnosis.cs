namespace Plumb.Lab.Rootless;

/// <summary>Turns the failure of an attempt at a user namespace into its cause and remedy.</summary>
internal static class RootlessDiagnosis
{
    public static LabException Missing(string program) =>
        new($"plumb needs the program `{program}` (package util-linux) to make its network namespaces, and it is not in PATH; install util-linux");

    /// <param name="said">What <c>unshare</c> wrote to standard error.</param>
    public static string Explain(HostFacts host, string said)
    {
        var reason = said.ReplaceLineEndings(" ").Trim();
        foreach (var limit in (ReadOnlySpan<string>)["user.max_user_namespaces", "user.max_net_namespaces", "user.max_mnt_namespaces", "user.max_pid_namespaces"])
        {
            if (host.Sysctl(limit) == 0)
            {
                return $"this machine permits no {Kind(limit)} namespaces: {limit} is 0; as root: sysctl -w {limit}=28633";
            }
        }
        if (host.Sysctl("kernel.unprivileged_userns_clone") == 0)
        {
            return "ordinary users may not make user namespaces here: kernel.unprivileged_userns_clone is 0; as root: sysctl -w kernel.unprivileged_userns_clone=1";
        }
        // The kernel lets the namespace be made and AppArmor then takes every capability away in it: already the map of user ids cannot be
        // written. That it restricts is no proof: a profile may permit it to this program.
        if (host.Sysctl("kernel.apparmor_restrict_unprivileged_userns") is > 0 && IsWithoutRights(reason))
        {
            return "AppArmor takes all rights away in user namespaces of ordinary users here (kernel.apparmor_restrict_unprivileged_userns is 1); "
                + "as root: sysctl -w kernel.apparmor_restrict_unprivileged_userns=0, or start plumb as root";
        }
        if (reason.Contains("No space left", StringComparison.Ordinal))
        {
            return $"the limit on namespaces is reached ({reason}): end other labs or containers, or raise user.max_user_namespaces and user.max_net_namespaces as root";
        }
        return $"user namespaces are not permitted here ({(reason.Length == 0 ? "unshare failed without a word" : reason)}); "
            + "inside a container, it has to be started with the right to make them (seccomp and masked /proc forbid it by default), or start plumb on the machine itself";
    }

    /// <summary>Whether the namespace was made and something that is anybody's right inside it was then refused.</summary>
    private static bool IsWithoutRights(string reason) =>
        !reason.Contains("unshare failed", StringComparison.Ordinal)
        && (reason.Contains("Operation not permitted", StringComparison.Ordinal) || reason.Contains("Permission denied", StringComparison.Ordinal));

    private static string Kind(string limit) => limit switch
    {
        "user.max_user_namespaces" => "user",
        "user.max_net_namespaces" => "network",
        "user.max_mnt_namespaces" => "mount",
        _ => "process",
    };
}
