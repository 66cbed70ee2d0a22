using Plumb.Kubernetes.Objects;
using Plumb.Lab.Node.Files;
using Plumb.Linux.Addresses;

namespace Plumb.Lab.Tests.Node.Files;

/// <summary>What pods of each dnsPolicy find in /etc/resolv.conf.</summary>
public sealed class ResolverFileTests
{
    private const string Nodes = "# of the node\nnameserver 192.0.2.1\nnameserver 192.0.2.2\nsearch old.example\nsearch corp.example. lab.example\noptions timeout:3 rotate\n";

    private const string ClusterFirst =
        """
        search default.svc.cluster.local svc.cluster.local cluster.local corp.example lab.example
        nameserver 10.96.0.10
        options ndots:5

        """;

    private const string Default =
        """
        search corp.example lab.example
        nameserver 192.0.2.1
        nameserver 192.0.2.2
        options timeout:3 rotate

        """;

    private static readonly PodDnsConfig _config = new()
    {
        Nameservers = ["10.96.0.10", "198.51.100.1"],
        Searches = ["svc.cluster.local", "own.example"],
        Options = [new() { Name = "ndots", Value = "2" }, new() { Name = "timeout", Value = "1" }, new() { Name = "edns0" }],
    };

    [Theory]
    [InlineData(null, false, ClusterFirst)]
    [InlineData("ClusterFirst", false, ClusterFirst)]
    [InlineData("ClusterFirst", true, Default)]
    [InlineData("ClusterFirstWithHostNet", true, ClusterFirst)]
    [InlineData("ClusterFirstWithHostNet", false, ClusterFirst)]
    [InlineData("Default", false, Default)]
    [InlineData("Default", true, Default)]
    [InlineData("None", false, "")]
    public void Each_policy_has_its_own(string? policy, bool hostNetwork, string text) =>
        Assert.Equal(text, Of(new PodSpec { DnsPolicy = policy, HostNetwork = hostNetwork }).Text);

    [Theory]
    [InlineData("ClusterFirst",
        """
        search default.svc.cluster.local svc.cluster.local cluster.local corp.example lab.example own.example
        nameserver 10.96.0.10
        nameserver 198.51.100.1
        options ndots:2 timeout:1 edns0

        """)]
    [InlineData("Default",
        """
        search corp.example lab.example svc.cluster.local own.example
        nameserver 192.0.2.1
        nameserver 192.0.2.2
        nameserver 10.96.0.10
        options timeout:1 rotate ndots:2 edns0

        """)]
    [InlineData("None",
        """
        search svc.cluster.local own.example
        nameserver 10.96.0.10
        nameserver 198.51.100.1
        options ndots:2 timeout:1 edns0

        """)]
    public void What_dnsConfig_says_is_added_each_thing_once_and_options_take_the_place_of_their_like(string policy, string text) =>
        Assert.Equal(text, Of(new PodSpec { DnsPolicy = policy, DnsConfig = _config }).Text);

    [Fact]
    public void A_fourth_server_is_left_out_and_an_event_tells_which_are_used()
    {
        var file = Of(new PodSpec { DnsPolicy = "Default", DnsConfig = _config });
        Assert.Equal(
            "Nameserver limits were exceeded, some nameservers have been omitted, the applied nameserver line is: 192.0.2.1 192.0.2.2 10.96.0.10",
            Assert.Single(file.Cut));
        Assert.Empty(Of(new PodSpec { DnsPolicy = "ClusterFirst", DnsConfig = _config }).Cut);
    }

    [Fact]
    public void Of_the_search_list_thirty_two_entries_are_kept_and_2048_characters()
    {
        var many = Of(new PodSpec { DnsConfig = new PodDnsConfig { Searches = [.. Enumerable.Range(0, 28).Select(static i => $"s{i}.example")] } });
        Assert.Equal(32, SearchesOf(many).Length);
        Assert.Equal("s26.example", SearchesOf(many)[^1]);
        Assert.StartsWith("Search Line limits were exceeded, some search paths have been omitted, the applied search line is: default.svc.cluster.local", Assert.Single(many.Cut), StringComparison.Ordinal);

        var label = new string('a', 60);
        var wide = Of(new PodSpec { DnsPolicy = "None", DnsConfig = new PodDnsConfig { Searches = [.. Enumerable.Range(0, 17).Select(i => $"{label}.{label}.s{i % 10}{i / 10}")] } });
        // Sixteen of 126 characters and the spaces between them are 2,031; one more would be too many.
        Assert.Equal(16, SearchesOf(wide).Length);
        Assert.Single(wide.Cut);

        var tooLong = Of(new PodSpec { DnsPolicy = "None", DnsConfig = new PodDnsConfig { Searches = [$"{label}.{label}.{label}.{label}.{label}", "short.example"] } });
        Assert.Equal(["short.example"], SearchesOf(tooLong));
        Assert.Single(tooLong.Cut);
    }

    [Fact]
    public void A_node_without_a_file_gives_nothing() => Assert.Equal("", ResolverFile.Of(Pod(new PodSpec { DnsPolicy = "Default" }), [], "").Text);

    private static string[] SearchesOf(ResolverFile file) => file.Text.Split('\n').First(static line => line.StartsWith("search ", StringComparison.Ordinal)).Split(' ')[1..];

    private static ResolverFile Of(PodSpec spec) => ResolverFile.Of(Pod(spec), [IpAddress.V4(10, 96, 0, 10)], Nodes);

    private static Pod Pod(PodSpec spec) => new() { Metadata = new ObjectMeta { Namespace = "default", Name = "client" }, Spec = spec };
}
