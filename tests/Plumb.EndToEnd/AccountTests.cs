namespace Plumb.EndToEnd;

/// <summary>A pod speaks to the API under its service account: curl, with what is mounted in every container.</summary>
public sealed class AccountTests : IAsyncDisposable
{
    private const string Ask =
        "d=/var/run/secrets/kubernetes.io/serviceaccount; curl -s -o /dev/null -w '%{http_code}' --cacert $d/ca.crt -H \"Authorization: Bearer $(cat $d/token)\" https://kubernetes.default/api/v1/namespaces/$(cat $d/namespace)/pods";

    private readonly LabUser _user = new();

    public ValueTask DisposeAsync() => _user.DisposeAsync();

    [Fact]
    public async Task A_pod_s_token_opens_what_bindings_grant_its_account()
    {
        var lab = await _user.UpWithAsync(
            """
            apiVersion: v1
            kind: Pod
            metadata: {name: program}
            spec:
              containers: [{name: c, image: busybox, command: [sleep, infinity]}]
            ---
            apiVersion: v1
            kind: Pod
            metadata: {name: built-in}
            spec:
              containers: [{name: c, image: echo}]
            ---
            apiVersion: v1
            kind: Pod
            metadata: {name: without}
            spec:
              automountServiceAccountToken: false
              containers: [{name: c, image: busybox, command: [sleep, infinity]}]
            """, "--nodes", "1");
        Assert.Equal("403", (await lab.KubectlAsync("exec", "program", "--", "sh", "-c", Ask)).Succeeds().Output);
        Assert.Equal("403", (await lab.KubectlAsync("exec", "built-in", "--", "sh", "-c", Ask)).Succeeds().Output);
        (await lab.KubectlAsync("create", "rolebinding", "see", "--clusterrole=view", "--serviceaccount=default:default")).Succeeds();
        Assert.Equal("200", (await lab.KubectlAsync("exec", "program", "--", "sh", "-c", Ask)).Succeeds().Output);
        Assert.Equal("200", (await lab.KubectlAsync("exec", "built-in", "--", "sh", "-c", Ask)).Succeeds().Output);
        Assert.Equal("", (await lab.KubectlAsync("exec", "without", "--", "sh", "-c", "ls -d /run/secrets/kubernetes.io/serviceaccount 2>/dev/null; true")).Succeeds().Output);

        // The machine's /run is not the container's, and the volume is not the container's to write.
        Assert.Equal("secrets\n", (await lab.KubectlAsync("exec", "program", "--", "ls", "/run")).Succeeds().Output);
        Assert.Contains("Read-only file system", (await lab.KubectlAsync("exec", "program", "--", "sh", "-c", "(echo x > /run/secrets/kubernetes.io/serviceaccount/token) 2>&1; true")).Succeeds().Output, StringComparison.Ordinal);

        // The token ends with its pod.
        var token = (await lab.KubectlAsync("exec", "program", "--", "cat", "/run/secrets/kubernetes.io/serviceaccount/token")).Succeeds().Output;
        Assert.Contains("system:serviceaccount:default:default", (await lab.KubectlAsync("auth", "whoami", "--token", token)).Succeeds().Output, StringComparison.Ordinal);
        (await lab.KubectlAsync("delete", "pod", "program", "--now")).Succeeds();
        Assert.NotEqual(0, (await lab.KubectlAsync("auth", "whoami", "--token", token)).ExitCode);
    }
}
