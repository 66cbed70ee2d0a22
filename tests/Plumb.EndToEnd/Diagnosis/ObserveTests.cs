using System.Text.Json;

namespace Plumb.EndToEnd.Diagnosis;

/// <summary>`plumb trace --observe`: what is really sent goes as predicted, in both overlays and both back ends; and a fault made behind Plumb's back is shown where it kills.</summary>
public sealed class ObserveTests
{
    [Theory]
    [InlineData("vxlan", "nftables")]
    [InlineData("routed", "iptables")]
    public async Task Prediction_and_kernel_agree_and_faults_are_shown_where_they_kill(string overlay, string services)
    {
        await using var user = new LabUser();
        var lab = await user.UpAsync("--overlay", overlay, "--services", services, "--dns-upstream", "none", "-f", Path.Combine(Commands.Repository, "labs", "first-packet"));
        (await lab.KubectlAsync("rollout", "status", "deployment/website", "--timeout=60s")).Succeeds();
        (await lab.KubectlAsync("wait", "--for=condition=Ready", "pod/client", "--timeout=60s")).Succeeds();
        (await lab.KubectlAsync("expose", "deployment", "website", "--port", "80", "--type", "NodePort")).Succeeds();
        (await lab.KubectlAsync("create", "service", "clusterip", "nobody", "--tcp=80:80")).Succeeds();
        var home = await lab.GetAsync("pod", "client", "-o", "jsonpath={.spec.nodeName}");
        var pods = (await lab.JsonAsync("pods", "-l", "app=website")).GetProperty("items").EnumerateArray().ToList();
        var far = pods.First(pod => pod.GetProperty("spec").GetProperty("nodeName").GetString() != home);
        var (address, farNode) = (far.GetProperty("status").GetProperty("podIP").GetString()!, far.GetProperty("spec").GetProperty("nodeName").GetString()!);
        var port = await lab.GetAsync("service", "website", "-o", "jsonpath={.spec.ports[0].nodePort}");
        var clusterIP = await lab.GetAsync("service", "website", "-o", "jsonpath={.spec.clusterIP}");
        // Until every node knows of the Service.
        (await lab.ShellAsync("outside", "curl", "-s", "--retry", "10", "--retry-all-errors", "--retry-delay", "1", "--max-time", "5", "-o", "/dev/null", $"http://192.168.1.12:{port}/")).Succeeds();
        (await lab.ShellAsync("client", "curl", "-s", "--retry", "10", "--retry-all-errors", "--retry-delay", "1", "--max-time", "5", "-o", "/dev/null", $"http://{clusterIP}/")).Succeeds();

        await AgreesAsync(lab, "Answered", "client", $"{address}:80");
        await AgreesAsync(lab, "Answered", "client", address, "--size", "1000", "--df");
        var website = await AgreesAsync(lab, "Answered", "client", "http://website");
        Assert.Equal(200, website.GetProperty("httpStatus").GetInt32());
        await AgreesAsync(lab, "Answered", "outside", $"192.168.1.12:{port}");
        await AgreesAsync(lab, "Answered", "client", "10.96.0.10:53", "--proto", "udp");
        await AgreesAsync(lab, "Refused", "client", $"{address}:81");
        await AgreesAsync(lab, "Refused", "client", "nobody:80");
        await AgreesAsync(lab, "Refused", "client", $"{address}:81", "--proto", "udp");

        // A rule of somebody else's, on the node where the pod is.
        (await lab.ShellAsync(farNode, "nft", "add table ip evil; add chain ip evil f { type filter hook forward priority 0; }; add rule ip evil f tcp dport 80 drop")).Succeeds();
        var dropped = await lab.PlumbAsync("trace", "client", $"{address}:80", "--observe");
        Assert.Equal(1, dropped.ExitCode);
        Assert.Contains("tcp dport 80 drop", dropped.Output, StringComparison.Ordinal);
        Assert.EndsWith("prediction and kernel agree", dropped.Output.TrimEnd(), StringComparison.Ordinal);
        (await lab.ShellAsync(farNode, "nft", "delete table ip evil")).Succeeds();

        // Nothing is left of the observation anywhere.
        foreach (var node in (string[])[home, farNode])
        {
            Assert.DoesNotContain("plumb-trace", (await lab.ShellAsync(node, "nft", "list", "ruleset")).Succeeds().Output, StringComparison.Ordinal);
        }
    }

    private static async Task<JsonElement> AgreesAsync(RunningLab lab, string answer, params string[] arguments)
    {
        var trace = await lab.PlumbAsync("trace", [.. arguments, "--observe", "-o", "json"]);
        var result = JsonElement.Parse(trace.Output);
        var observed = result.GetProperty("observed");
        Assert.True(observed.GetProperty("agrees").GetBoolean(), $"{string.Join(' ', arguments)}: {observed.GetProperty("differences")} in {observed}");
        Assert.Equal(answer, observed.GetProperty("answer").GetString());
        Assert.Equal(answer == "Answered" ? 0 : 1, trace.ExitCode);
        // Each cable on the way was passed, at a time.
        var outcome = result.GetProperty("outcomes")[observed.GetProperty("outcome").GetInt32()];
        foreach (var leg in (string[])["there", "back"])
        {
            foreach (var (hop, sight) in outcome.GetProperty(leg).EnumerateArray().Zip(observed.GetProperty(leg).EnumerateArray()))
            {
                Assert.True(hop.GetProperty("stage").GetString() != "Transmit" || sight.TryGetProperty("microseconds", out _), $"{string.Join(' ', arguments)}: {hop}");
            }
        }
        return observed;
    }
}
