using System.Text.Json;
using System.Xml.Linq;

namespace Plumb.EndToEnd.Diagnosis;

/// <summary>What `plumb trace` predicts, beside what curl then does: under both back ends and both overlays.</summary>
public sealed class TraceTests
{
    [Theory]
    [InlineData("nftables", "vxlan")]
    [InlineData("nftables", "routed")]
    [InlineData("iptables", "vxlan")]
    [InlineData("iptables", "routed")]
    public async Task Predictions_come_true_and_every_hop_has_an_owner(string services, string overlay)
    {
        await using var user = new LabUser();
        var lab = await user.UpAsync(
            "--services", services, "--overlay", overlay, "--dns-upstream", "none", "-f", Path.Combine(Commands.Repository, "labs", "first-packet"));
        (await lab.KubectlAsync("rollout", "status", "deployment/website", "--timeout=60s")).Succeeds();
        (await lab.KubectlAsync("wait", "--for=condition=Ready", "pod/client", "--timeout=60s")).Succeeds();
        (await lab.KubectlAsync("expose", "deployment", "website", "--port", "80", "--type", "NodePort")).Succeeds();
        (await lab.KubectlAsync("create", "service", "clusterip", "nobody", "--tcp=80:80")).Succeeds();
        var pods = (await lab.JsonAsync("pods", "-l", "app=website")).GetProperty("items").EnumerateArray().ToList();
        var home = await lab.GetAsync("pod", "client", "-o", "jsonpath={.spec.nodeName}");
        var far = pods.First(pod => pod.GetProperty("spec").GetProperty("nodeName").GetString() != home).GetProperty("status").GetProperty("podIP").GetString()!;
        var port = await lab.GetAsync("service", "website", "-o", "jsonpath={.spec.ports[0].nodePort}");
        var clusterIP = await lab.GetAsync("service", "website", "-o", "jsonpath={.spec.clusterIP}");
        // Until every node knows of the Service.
        (await lab.ShellAsync("outside", "curl", "-s", "--retry", "20", "--retry-all-errors", "--retry-delay", "1", "-o", "/dev/null", $"http://192.168.1.12:{port}/")).Succeeds();
        (await lab.ShellAsync("client", "curl", "-s", "--retry", "20", "--retry-all-errors", "--retry-delay", "1", "-o", "/dev/null", $"http://{clusterIP}/")).Succeeds();

        Assert.Single(await DeliveredAsync(lab, "client", $"{far}:80", $"http://{far}/"));
        Assert.Equal(pods.Count, (await DeliveredAsync(lab, "client", "http://website", $"http://{clusterIP}/")).Count);
        Assert.Equal(pods.Count, (await DeliveredAsync(lab, "outside", $"192.168.1.12:{port}", $"http://192.168.1.12:{port}/")).Count);

        var picture = XDocument.Parse((await lab.PlumbAsync("trace", "client", "http://website", "-o", "svg")).Succeeds().Output).Root!;
        var drawn = picture.Descendants().Where(static one => one.Name.LocalName == "text").ToLookup(static one => (string?)one.Attribute("class") ?? "", static one => one.Value);
        Assert.Contains("node-1", drawn["host"]);
        Assert.Contains("client (default)", drawn["host"]);
        Assert.Contains(drawn["owner"], static owner => owner.Contains("website", StringComparison.Ordinal));
        Assert.Equal(pods.Count, drawn["good"].Count());

        // A port that nobody listens at, and a Service with nobody behind it.
        var closed = await lab.PlumbAsync("trace", "client", $"{far}:81", "-o", "json");
        Assert.Equal(1, closed.ExitCode);
        Assert.Equal("Refused", JsonElement.Parse(closed.Output).GetProperty("outcomes")[0].GetProperty("verdict").GetString());
        Assert.NotEqual(0, (await lab.ShellAsync("client", "curl", "-s", "--max-time", "5", $"http://{far}:81/")).ExitCode);
        var nobody = await lab.PlumbAsync("trace", "client", "nobody:80");
        Assert.Equal(1, nobody.ExitCode);
        Assert.Contains("the selector app=nobody of Service default/nobody matches no pod", nobody.Output, StringComparison.Ordinal);

        var unknown = await lab.PlumbAsync("trace", "clinet", "website:80");
        Assert.Equal(1, unknown.ExitCode);
        Assert.Contains("did you mean client?", unknown.Error, StringComparison.Ordinal);
    }

    private static async Task<List<string?>> DeliveredAsync(RunningLab lab, string from, string to, string url)
    {
        var trace = (await lab.PlumbAsync("trace", from, to, "-o", "json")).Succeeds();
        var outcomes = JsonElement.Parse(trace.Output).GetProperty("outcomes").EnumerateArray().ToList();
        Assert.All(outcomes, static outcome => Assert.Equal("Delivered", outcome.GetProperty("verdict").GetString()));
        Assert.All(
            outcomes.SelectMany(static outcome => outcome.GetProperty("there").EnumerateArray().Concat(outcome.GetProperty("back").EnumerateArray())),
            static hop =>
            {
                var owner = hop.GetProperty("owner").GetString()!;
                Assert.True(owner.Length > 0 && !owner.Contains("nobody known", StringComparison.OrdinalIgnoreCase), hop.ToString());
            });
        (await lab.ShellAsync(from, "curl", "-s", "--max-time", "5", "-o", "/dev/null", url)).Succeeds();
        return [.. outcomes.Select(static outcome => outcome.GetProperty("end").GetProperty("title").GetString()).Distinct()];
    }
}
