using System.Text.Json;
using System.Text.Json.Nodes;

namespace Plumb.EndToEnd.Cni;

/// <summary>The plugin's executable as a container runtime calls it, in front of the agent of a lab's node: a pod's sandbox is taken over.</summary>
public sealed class PluginTests : IAsyncDisposable
{
    private readonly LabUser _user = new();

    public ValueTask DisposeAsync() => _user.DisposeAsync();

    [Theory]
    [InlineData("0.3.1")]
    [InlineData("0.4.0")]
    [InlineData("1.0.0")]
    [InlineData("1.1.0")]
    public async Task An_attachment_lives_as_the_specification_says(string version)
    {
        var lab = await _user.UpWithAsync(Pods.Client, "--nodes", "1");
        var status = JsonElement.Parse((await lab.PlumbAsync("status", "-o", "json")).Succeeds().Output);
        var pod = status.GetProperty("labs")[0].GetProperty("pods").EnumerateArray().First(static one => one.GetProperty("name").GetString() == "client");
        // The lab's process holds it, which is pid 1 where the agent is.
        var space = $"/proc/1/fd/{Path.GetFileName(pod.GetProperty("namespacePath").GetString()!)}";
        var runtime = new Runtime(Path.Combine(_user.RuntimeDirectory, "plumb", "default", "node-1", "cni.sock"), space, version);

        var lease = JsonNode.Parse(await File.ReadAllTextAsync(
            Path.Combine(_user.RuntimeDirectory, "plumb", "default", "node-1", "agent", "leases", pod.GetProperty("addresses")[0].GetString()!), TestContext.Current.CancellationToken))!;
        Assert.Equal((true, null), await (runtime with { Container = (string)lease["containerId"]!, Interface = "eth0" }).CallAsync("DEL"));

        var (added, result) = await runtime.CallAsync("ADD");
        Assert.True(added, result?.ToJsonString());
        Assert.Equal(version, (string?)result!["cniVersion"]);
        Assert.Equal("eth1", (string?)result["interfaces"]![2]!["name"]);
        Assert.Equal(runtime.Namespace, (string?)result["interfaces"]![2]!["sandbox"]);
        Assert.Equal(version is "0.3.1" or "0.4.0" ? "4" : null, (string?)result["ips"]![0]!["version"]);
        var address = ((string)result["ips"]![0]!["address"]!).Split('/')[0];
        // The witness: what the pod itself sees.
        var inside = JsonNode.Parse((await lab.ShellAsync("client", "ip", "-j", "address", "show", "eth1")).Succeeds().Output)![0]!;
        Assert.Equal(address, (string?)inside["addr_info"]![0]!["local"]);
        Assert.Equal((string?)result["interfaces"]![2]!["mac"], (string?)inside["address"]);

        // "If an interface of the requested name already exists in the container, the CNI plugin MUST return with an error."
        Assert.Equal(4, (int)(await runtime.CallAsync("ADD")).Output!["code"]!);
        if (version != "0.3.1")
        {
            // As a plugin later in the chain may.
            (await lab.ShellAsync("client", "ip", "link", "set", "eth1", "mtu", "1400")).Succeeds();
            Assert.Equal((true, null), await runtime.CallAsync("CHECK", result));
            (await lab.ShellAsync("client", "ip", "link", "set", "eth1", "down")).Succeeds();
            var (unharmed, error) = await runtime.CallAsync("CHECK", result);
            Assert.False(unharmed);
            Assert.Contains("eth1", (string?)error!["msg"], StringComparison.Ordinal);
        }
        for (var again = 0; again < 2; again++)
        {
            Assert.Equal((true, null), await runtime.CallAsync("DEL", result));
        }
        Assert.NotEqual(0, (await lab.ShellAsync("client", "ip", "link", "show", "eth1")).ExitCode);

        if (version == "1.1.0")
        {
            Assert.Equal((true, null), await runtime.CallAsync("STATUS"));
            Assert.True((await runtime.CallAsync("ADD")).Succeeded);
            var named = new JsonArray(new JsonObject { ["containerID"] = runtime.Container, ["ifname"] = runtime.Interface });
            Assert.Equal((true, null), await (runtime with { Valid = named }).CallAsync("GC"));
            (await lab.ShellAsync("client", "ip", "link", "show", "eth1")).Succeeds();
            Assert.Equal((true, null), await (runtime with { Valid = [] }).CallAsync("GC"));
            Assert.NotEqual(0, (await lab.ShellAsync("client", "ip", "link", "show", "eth1")).ExitCode);
        }
    }

    /// <summary>One container of a runtime.</summary>
    private sealed record Runtime(string Socket, string Namespace, string Version)
    {
        public string Container { get; init; } = "another";

        public string Interface { get; init; } = "eth1";

        /// <summary>What GC is told of; null: nothing.</summary>
        public JsonArray? Valid { get; init; }

        public async Task<(bool Succeeded, JsonNode? Output)> CallAsync(string verb, JsonNode? previous = null)
        {
            var configuration = new JsonObject { ["cniVersion"] = Version, ["name"] = "plumb", ["type"] = "plumb-cni", ["socket"] = Socket };
            if (previous is not null)
            {
                configuration["prevResult"] = previous.DeepClone();
            }
            if (Valid is not null)
            {
                configuration["cni.dev/valid-attachments"] = Valid.DeepClone();
            }
            var (code, output) = await Plugin.CallAsync(
                configuration.ToJsonString(new JsonSerializerOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }),
                ("CNI_COMMAND", verb),
                ("CNI_CONTAINERID", Container),
                ("CNI_NETNS", Namespace),
                ("CNI_IFNAME", Interface),
                ("CNI_ARGS", "IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=client"),
                ("CNI_PATH", "/usr/lib/cni"));
            return (code == 0, output.Length == 0 ? null : JsonNode.Parse(output));
        }
    }
}
