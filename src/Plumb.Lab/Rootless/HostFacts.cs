namespace Plumb.Lab.Rootless;

/// <summary>What a machine says about user namespaces, for the one line that explains why a lab cannot start.</summary>
/// <param name="SysctlRoot"><c>/proc/sys</c></param>
/// <param name="SearchPath">Directories of PATH.</param>
/// <param name="Accounts"><c>/etc</c></param>
internal sealed record HostFacts(string SysctlRoot, IReadOnlyList<string> SearchPath, string Accounts = "/etc")
{
    public static HostFacts OfThisMachine() =>
        new("/proc/sys", [.. (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries)]);

    /// <summary>Full path of a program, or null.</summary>
    public string? Find(string program)
    {
        foreach (var directory in SearchPath)
        {
            var path = Path.Combine(directory, program);
            if (File.Exists(path) && (File.GetUnixFileMode(path) & (UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute)) != 0)
            {
                return path;
            }
        }
        return null;
    }

    /// <summary>
    /// Whether a user's namespace can have more ids than the user's own: somebody has given it some (subuid(5)), there are the programs that hand them out (package
    /// uidmap), and an unshare(1) that asks for them (util-linux 2.38).
    /// </summary>
    public bool HasSubordinateIds(string user) =>
        IsListed("subuid", user) && IsListed("subgid", user) && Find("newuidmap") is not null && Find("newgidmap") is not null
        && Find("unshare") is { } unshare && File.ReadAllBytes(unshare).AsSpan().IndexOf("map-auto"u8) >= 0;

    // name:first:count
    private bool IsListed(string file, string user) =>
        File.Exists(Path.Combine(Accounts, file)) && File.ReadLines(Path.Combine(Accounts, file)).Any(line => line.StartsWith(user + ":", StringComparison.Ordinal));

    /// <summary>A numeric kernel parameter; null when this kernel has none of the name.</summary>
    /// <param name="name">With dots: <c>user.max_user_namespaces</c>.</param>
    public long? Sysctl(string name)
    {
        var path = Path.Combine(SysctlRoot, name.Replace('.', '/'));
        return File.Exists(path) && long.TryParse(File.ReadAllText(path).AsSpan().Trim(), out var value) ? value : null;
    }
}
