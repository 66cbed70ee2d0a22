using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Plumb.Linux.Addresses;
using Plumb.Network.Facts;
using Plumb.Network.Planning;

namespace Plumb.Network.Tests.Services;

/// <summary>Services as large as they may be, and a little larger: what is left out is said.</summary>
public sealed class LimitTests
{
    private const int InSlice = 1000; // discovery/v1

    [Theory]
    [InlineData(PoolMark.MostPorts, null)]
    [InlineData(PoolMark.MostPorts + 1, "Service default/big: spec.ports: 2049 ports are more than the 2048 of one Service that nodes serve; those from the 2049th on are left out: make it several Services")]
    public void Ports_that_are_too_many_are_said(int ports, string? says) => Assert.Equal(says, RefusalOf(Service(ports)));

    [Theory]
    [InlineData(PoolProgram.MostMembers, null)]
    [InlineData(PoolProgram.MostMembers + 2, "Service default/big spec.ports[0]: 2 of its 32769 V4 endpoints get no connections: nodes spread a Service over 32767; make it several Services")]
    public void Endpoints_that_are_too_many_are_said(int endpoints, string? says) => Assert.Equal(says, RefusalOf([.. Service(1), .. Slices(endpoints)]));

    [Fact]
    public async Task Five_thousand_endpoints_are_all_in_the_kernel_and_the_last_one_left_answers()
    {
        const int many = 5000;
        using var world = new ServiceWorld();
        using var near = new Server("near", world["near"], 8080);
        world.Apply(Yaml([.. Service(1), .. Slices(many - 1), Slice("near", ["10.244.1.3"])]));
        Assert.Equal(many, Regex(await world.RunAsync("node-1", "nft", "list", "map", "ip", "plumb", "backends")));

        world.Delete(Yaml([.. Slices(many - 1)]));

        Assert.Equal(1, Regex(await world.RunAsync("node-1", "nft", "list", "map", "ip", "plumb", "backends")));
        Assert.Equal("near", (await Talk.TcpAsync(world["client"], IpAddress.V4(10, 96, 14, 7), 1)).Server);
    }

    private static int Regex(string map) => System.Text.RegularExpressions.Regex.Count(map, @": [\d.]+ \. 8080\b");

    private static string? RefusalOf(IEnumerable<JsonNode> objects) =>
        OfflinePlan.Make([Node(), .. objects], "node-1", NetworkOptions.Default, new AssumedMachine()).Index.Refusals().SingleOrDefault()?.ToString();

    private static string Yaml(IEnumerable<JsonNode> objects)
    {
        var text = new StringBuilder();
        foreach (var one in objects)
        {
            text.Append("---\n").Append(one.ToJsonString()).Append('\n');
        }
        return text.ToString();
    }

    private static JsonObject Node() => new()
    {
        ["apiVersion"] = "v1",
        ["kind"] = "Node",
        ["metadata"] = new JsonObject { ["name"] = "node-1" },
        ["spec"] = new JsonObject { ["podCIDR"] = "10.244.1.0/24", ["podCIDRs"] = new JsonArray("10.244.1.0/24") },
        ["status"] = new JsonObject { ["addresses"] = new JsonArray(new JsonObject { ["type"] = "InternalIP", ["address"] = "192.168.1.11" }) },
    };

    private static JsonObject[] Service(int ports) =>
    [
        new()
        {
            ["apiVersion"] = "v1",
            ["kind"] = "Service",
            ["metadata"] = new JsonObject { ["name"] = "big", ["namespace"] = "default" },
            ["spec"] = new JsonObject
            {
                ["clusterIP"] = "10.96.14.7",
                ["clusterIPs"] = new JsonArray("10.96.14.7"),
                ["ports"] = new JsonArray([.. Enumerable.Range(1, ports).Select(static i => new JsonObject { ["name"] = i == 1 ? "http" : $"p{i}", ["port"] = i })]),
            },
        },
    ];

    private static IEnumerable<JsonObject> Slices(int endpoints) =>
        Enumerable.Range(0, endpoints).Select(static i => $"172.{16 + (i >> 16)}.{i >> 8 & 255}.{i & 255}").Chunk(InSlice).Select(static (chunk, i) => Slice(i.ToString(CultureInfo.InvariantCulture), chunk));

    private static JsonObject Slice(string name, string[] addresses) => new()
    {
        ["apiVersion"] = "discovery.k8s.io/v1",
        ["kind"] = "EndpointSlice",
        ["metadata"] = new JsonObject { ["name"] = $"big-{name}", ["namespace"] = "default", ["labels"] = new JsonObject { ["kubernetes.io/service-name"] = "big" } },
        ["addressType"] = "IPv4",
        ["ports"] = new JsonArray(new JsonObject { ["name"] = "http", ["port"] = 8080, ["protocol"] = "TCP" }),
        ["endpoints"] = new JsonArray([.. addresses.Select(static address => new JsonObject { ["addresses"] = new JsonArray(address) })]),
    };
}
