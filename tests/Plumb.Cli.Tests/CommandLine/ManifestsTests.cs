using Plumb.CommandLine;
using Plumb.Kubernetes.Manifests;

namespace Plumb.Cli.Tests.CommandLine;

public sealed class ManifestsTests
{
    [Theory]
    [InlineData("plumb.yaml")]
    [InlineData("uninstall.yaml", "--uninstall")]
    public async Task Without_choices_it_is_the_file_in_deploy(string file, params string[] options)
    {
        var said = await Said.By(["manifests", .. options]);

        Assert.Equal((ExitCode.Done, await File.ReadAllTextAsync(Checkout.PathOf("deploy", file), TestContext.Current.CancellationToken)), (said.ExitCode, said.Output));
        Assert.Contains($"image: localhost/plumb:{Product.Version}\n", said.Output);
        Assert.NotEmpty(ManifestReader.Read(Checkout.PathOf("deploy", file)));
    }

    [Fact]
    public async Task Choices_take_the_place_of_defaults_and_of_nothing_else()
    {
        var plain = (await Said.By("manifests")).Output.Split('\n');
        var chosen = (await Said.By(
            "manifests", "--image", "registry.example/plumb:2", "--overlay", "routed", "--services", "nftables", "--pod-cidr", "10.10.0.0/16",
            "--service-cidr", "10.20.0.0/16", "--cluster-dns", "10.20.0.10", "--api-server", "192.168.1.1:6443")).Output.Split('\n');

        Assert.Equal(
            [
                "  cluster-dns: 10.20.0.10", "  overlay: routed", "  pod-cidr: 10.10.0.0/16", "  service-cidr: 10.20.0.0/16", "  services: nftables",
                "        - {name: KUBERNETES_SERVICE_HOST, value: \"192.168.1.1\"}", "        - {name: KUBERNETES_SERVICE_PORT, value: \"6443\"}",
                "        image: registry.example/plumb:2",
            ],
            chosen.Except(plain).Order(StringComparer.Ordinal).OrderBy(static line => line.Length - line.TrimStart().Length));
        Assert.Equal(plain.Length + 2, chosen.Length);
    }

    [Theory]
    [InlineData("name its own address by --api-server", "--services", "nftables")]
    [InlineData("'api' is not an address with its port", "--api-server", "api")]
    [InlineData("'10.96.0' is no address", "--cluster-dns", "10.96.0")]
    public async Task What_cannot_be_is_refused(string line, params string[] options)
    {
        var said = await Said.By(["manifests", .. options]);

        Assert.Equal(ExitCode.Usage, said.ExitCode);
        Assert.Contains(line, said.Error);
        Assert.Empty(said.Output);
    }

    [Theory]
    [InlineData("plumb.yaml")]
    [InlineData("uninstall.yaml")]
    public async Task The_agent_takes_what_the_manifest_gives_it(string file)
    {
        var text = await File.ReadAllTextAsync(Checkout.PathOf("deploy", file), TestContext.Current.CancellationToken);
        var words = text.Split(["\n", "[", "]", ","], StringSplitOptions.TrimEntries)
            .Select(static word => word.StartsWith("- --", StringComparison.Ordinal) ? word[2..] : word)
            .Where(static word => word.StartsWith("--", StringComparison.Ordinal) && word != "---")
            .Select(static word => word.Replace("$(NODE_NAME)", "node-1").Replace("$(OVERLAY)", "vxlan").Replace("$(SERVICES)", "none")
                .Replace("$(POD_CIDR)", "10.244.0.0/16").Replace("$(SERVICE_CIDR)", "10.96.0.0/12").Replace("$(CLUSTER_DNS)", "none"))
            .ToArray();

        Assert.Contains("--cni-bin-dir=/opt/cni/bin", words);
        Assert.DoesNotContain("$(", string.Join(' ', words));
        Assert.Empty(Verbs.Find("agent")!.Parse(words).Errors);
    }
}
