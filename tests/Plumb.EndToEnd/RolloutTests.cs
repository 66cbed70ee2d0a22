namespace Plumb.EndToEnd;

/// <summary>A Deployment that is replaced pod by pod while clients come without a pause.</summary>
public sealed class RolloutTests
{
    private const string Manifests = Pods.Client +
        """
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: web}
        spec:
          replicas: 4
          selector: {matchLabels: {app: web}}
          template:
            metadata: {labels: {app: web}}
            spec: {containers: [{name: main, image: httpd, ports: [{containerPort: 80}]}]}
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: web}
        spec: {selector: {app: web}, ports: [{port: 80}]}
        """;

    [Theory]
    [InlineData]
    [InlineData("--agent-processes")]
    public async Task No_new_connection_is_refused_while_pods_are_replaced(params string[] how)
    {
        await using var user = new LabUser();
        var lab = await user.UpWithAsync(Manifests, [.. how, "--nodes", "2"]);
        var address = await lab.GetAsync("service", "web", "-o", "jsonpath={.spec.clusterIP}");
        // One connection after another until the file in the pod is gone; each that fails says by which of curl's codes.
        const string load = """
            n=0; f=0
            for i in $(seq 100); do curl -s -o /dev/null --max-time 10 http://$1/ && break; done
            : > /tmp/asking
            while [ -e /tmp/asking ]; do
                curl -s -o /dev/null --max-time 10 http://$1/ || { f=$((f+1)); echo "failed by $?"; }
                n=$((n+1))
            done
            echo "asked $n failed $f"
            """;
        var asking = lab.KubectlAsync("exec", "client", "--", "bash", "-c", load, "load", address);
        while ((await lab.KubectlAsync("exec", "client", "--", "test", "-e", "/tmp/asking")).ExitCode != 0)
        {
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }
        for (var round = 0; round < 5; round++)
        {
            (await lab.KubectlAsync("set", "env", "deployment/web", $"ROUND={round}")).Succeeds();
            (await lab.KubectlAsync("rollout", "status", "deployment/web", "--timeout=120s")).Succeeds();
        }
        // The last of the old ones go after the rollout counts as done.
        (await lab.KubectlAsync("wait", "--for=jsonpath={.status.replicas}=4", "deployment/web", "--timeout=60s")).Succeeds();
        (await lab.KubectlAsync("exec", "client", "--", "rm", "/tmp/asking")).Succeeds();
        var said = (await asking).Succeeds().Output;
        Assert.Contains(" failed 0", said, StringComparison.Ordinal);
        Assert.DoesNotContain("asked 0 ", said, StringComparison.Ordinal);
    }
}
