using Plumb.Lab.Rootless;

namespace Plumb.Lab.Tests.Rootless;

public sealed class RootlessDiagnosisTests : IDisposable
{
    private readonly string _sysctls = Directory.CreateTempSubdirectory("plumb-test-").FullName;

    private HostFacts Host => new(_sysctls, ["/usr/bin"]);

    public void Dispose() => Directory.Delete(_sysctls, recursive: true);

    [Theory]
    [InlineData("user.max_user_namespaces", "0", "user.max_user_namespaces is 0")]
    [InlineData("user.max_net_namespaces", "0", "user.max_net_namespaces is 0")]
    [InlineData("kernel.unprivileged_userns_clone", "0", "sysctl -w kernel.unprivileged_userns_clone=1")]
    public void The_sysctl_that_forbids_is_named_with_its_remedy(string name, string value, string expected)
    {
        Set(name, value);
        var line = RootlessDiagnosis.Explain(Host, "unshare: unshare failed: Operation not permitted\n");
        Assert.Contains(expected, line, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', line);
    }

    /// <summary>What unshare says on Ubuntu 24.04, where the namespace can be made and is worth nothing.</summary>
    [Theory]
    [InlineData("unshare: write failed /proc/self/uid_map: Operation not permitted")]
    [InlineData("unshare: cannot change root filesystem propagation: Permission denied")]
    public void AppArmor_is_known_by_a_namespace_without_rights(string said)
    {
        Set("kernel.apparmor_restrict_unprivileged_userns", "1");
        Assert.Contains("sysctl -w kernel.apparmor_restrict_unprivileged_userns=0", RootlessDiagnosis.Explain(Host, said), StringComparison.Ordinal);
        // The namespace itself was refused: that is somebody else's doing.
        Assert.DoesNotContain("AppArmor", RootlessDiagnosis.Explain(Host, "unshare: unshare failed: Operation not permitted"), StringComparison.Ordinal);
        Set("kernel.apparmor_restrict_unprivileged_userns", "0");
        Assert.DoesNotContain("AppArmor", RootlessDiagnosis.Explain(Host, said), StringComparison.Ordinal);
    }

    [Fact]
    public void A_sysctl_that_permits_is_not_blamed()
    {
        Set("user.max_user_namespaces", "96365");
        Set("kernel.unprivileged_userns_clone", "1");
        Set("kernel.apparmor_restrict_unprivileged_userns", "0");
        var line = RootlessDiagnosis.Explain(Host, "unshare: mount /proc failed: Operation not permitted\n");
        Assert.Contains("unshare: mount /proc failed: Operation not permitted", line, StringComparison.Ordinal);
        Assert.DoesNotContain("sysctl", line, StringComparison.Ordinal);
    }

    [Fact]
    public void A_limit_that_is_reached_is_told_from_one_that_forbids()
    {
        Set("user.max_user_namespaces", "4");
        Assert.Contains("limit", RootlessDiagnosis.Explain(Host, "unshare: unshare failed: No space left on device"), StringComparison.Ordinal);
    }

    [Fact]
    public void Programs_are_looked_for_as_a_shell_does()
    {
        Assert.Equal("/usr/bin/unshare", Host.Find("unshare"));
        Assert.Null(new HostFacts(_sysctls, [_sysctls]).Find("unshare"));
        File.WriteAllText(Path.Combine(_sysctls, "unshare"), "no program: not executable");
        Assert.Null(new HostFacts(_sysctls, [_sysctls]).Find("unshare"));
    }

    private void Set(string name, string value)
    {
        var path = Path.Combine(_sysctls, name.Replace('.', '/'));
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, value + "\n");
    }
}
