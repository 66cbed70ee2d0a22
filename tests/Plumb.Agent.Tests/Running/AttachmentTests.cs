using System.Text.Json.Nodes;
using Plumb.Linux.State;

namespace Plumb.Agent.Tests.Running;

public sealed class AttachmentTests : IDisposable
{
    private readonly TestNode _node = new() { PodRange = "10.244.1.0/29" };

    public void Dispose() => _node.Dispose();

    [Fact]
    public async Task The_result_of_add_is_what_the_plan_says()
    {
        await using var agent = await ReadyAsync();
        _node.Kernel.MakeNamespace("abcdef0123");
        var (succeeded, body) = await _node.CniAsync("ADD", "abcdef0123");
        Assert.True(succeeded, body?.ToJsonString());
        Assert.Equal(
            """
            {"cniVersion":"1.1.0","interfaces":[{"name":"cni0","mac":"0a:57:c0:a8:01:0b","mtu":1450},{"name":"vethabcdef01","mtu":1450},{"name":"eth0","mac":"0a:58:0a:f4:01:02","mtu":1450,"sandbox":"/run/netns/abcdef0123"}],"ips":[{"address":"10.244.1.2/32","gateway":"10.244.1.1","interface":2}],"routes":[{"dst":"0.0.0.0/0","gw":"10.244.1.1"}],"dns":{}}
            """,
            body!.ToJsonString());
    }

    [Fact]
    public async Task An_old_configuration_gets_the_result_of_its_version()
    {
        await using var agent = await ReadyAsync();
        _node.Kernel.MakeNamespace("a");
        var (_, body) = await _node.CniAsync("ADD", "a", "0.4.0");
        Assert.Equal("4", (string?)body!["ips"]![0]!["version"]);
        Assert.Null(body["interfaces"]![0]!["mtu"]);
    }

    [Fact]
    public async Task Delete_leaves_nothing_and_may_be_repeated()
    {
        await using var agent = await ReadyAsync();
        var before = _node.Kernel.Dump();
        await _node.AddAsync("a");
        Assert.NotEqual(before, _node.Kernel.Dump());
        _node.Kernel.EndNamespace("a");
        for (var again = 0; again < 2; again++)
        {
            Assert.True((await _node.CniAsync("DEL", "a")).Succeeded);
            Assert.Equal(before, _node.Kernel.Dump());
            Assert.Empty(Directory.EnumerateFiles(_node.LeaseDirectory));
        }
    }

    [Fact]
    public async Task A_full_range_says_so_and_serves_again_when_an_address_is_free()
    {
        await using var agent = await ReadyAsync();
        foreach (var container in "abcde")
        {
            await _node.AddAsync(container.ToString());
        }
        _node.Kernel.MakeNamespace("f");
        var (succeeded, body) = await _node.CniAsync("ADD", "f");
        Assert.False(succeeded);
        Assert.Equal("no free address in 10.244.1.0/29 on node-1: 5 of 5 in use", (string?)body!["msg"]);
        Assert.Equal(11, (int)body["code"]!);
        Assert.Equal(51, (int)(await _node.CniAsync("STATUS", "-")).Body!["code"]!);

        Assert.True((await _node.CniAsync("DEL", "c")).Succeeded);
        Assert.True((await _node.CniAsync("STATUS", "-")).Succeeded);
        Assert.True((await _node.CniAsync("ADD", "f")).Succeeded);
    }

    [Fact]
    public async Task What_the_kernel_refuses_fails_that_pod_alone_and_leaves_nothing_of_it()
    {
        await using var agent = await ReadyAsync();
        var before = _node.Kernel.Dump();
        _node.Kernel.MakeNamespace("a");
        _node.Kernel.Refuses = "10.244.1.2";
        var (succeeded, body) = await _node.CniAsync("ADD", "a");
        Assert.False(succeeded);
        Assert.Contains("EEXIST", (string?)body!["msg"]);
        Assert.Equal(before, [.. _node.Kernel.Dump().Where(line => !line.StartsWith("100 ", StringComparison.Ordinal))]);
        Assert.Empty(Directory.EnumerateFiles(_node.LeaseDirectory));
    }

    [Fact]
    public async Task A_repeated_add_is_refused_until_the_first_has_ended()
    {
        await using var agent = await ReadyAsync();
        await _node.AddAsync("a");
        var (succeeded, body) = await _node.CniAsync("ADD", "a");
        Assert.False(succeeded);
        Assert.Equal(4, (int)body!["code"]!);
        Assert.Contains("connected already", (string?)body["msg"]);
        Assert.True((await _node.CniAsync("DEL", "a")).Succeeded);
        Assert.True((await _node.CniAsync("ADD", "a")).Succeeded);
    }

    [Fact]
    public async Task A_second_interface_in_one_namespace_is_refused_before_anything_is_made()
    {
        await using var agent = await ReadyAsync();
        await _node.AddAsync("a");
        var before = _node.Kernel.Dump();
        var (succeeded, body) = await _node.CniAsync("ADD", "a", name: "net1");
        Assert.False(succeeded);
        Assert.Equal(4, (int)body!["code"]!);
        Assert.StartsWith("CNI_IFNAME net1: /run/netns/a is connected by eth0 already", (string?)body["msg"], StringComparison.Ordinal);
        Assert.Equal(before, _node.Kernel.Dump());
        Assert.Single(Directory.EnumerateFiles(_node.LeaseDirectory));
        // Both at once, too.
        _node.Kernel.MakeNamespace("b");
        var both = await Task.WhenAll(_node.CniAsync("ADD", "b"), _node.CniAsync("ADD", "b", name: "net1"));
        Assert.Single(both, static one => one.Succeeded);
        Assert.True((await _node.CniAsync("DEL", "a")).Succeeded);
        Assert.True((await _node.CniAsync("ADD", "a", name: "net1")).Succeeded);
    }

    [Fact]
    public async Task A_lease_of_an_agent_that_did_not_write_its_network_down_is_collected()
    {
        await using (await ReadyAsync())
        {
            await _node.AddAsync("a");
        }
        var path = Assert.Single(Directory.EnumerateFiles(_node.LeaseDirectory));
        var lease = JsonNode.Parse(File.ReadAllText(path))!.AsObject();
        Assert.True(lease.Remove("network"));
        File.WriteAllText(path, lease.ToJsonString());
        await using var agent = await ReadyAsync();
        Assert.True((await _node.CniAsync("GC", "-", configuration: Valid("b", "plumb"))).Succeeded);
        Assert.Empty(Directory.EnumerateFiles(_node.LeaseDirectory));
    }

    [Fact]
    public async Task Address_hardware_address_and_resolver_are_what_the_runtime_asks_for()
    {
        await using var agent = await ReadyAsync();
        await _node.AddAsync("first");
        _node.Kernel.MakeNamespace("a");
        var (succeeded, body) = await _node.CniAsync("ADD", "a", configuration: Asked("""{"ips":["10.244.1.5/29"],"mac":"c2:11:22:33:44:55","dns":{"servers":["10.0.0.10"],"searches":["corp"]}}"""));
        Assert.True(succeeded, body?.ToJsonString());
        Assert.Equal("10.244.1.5/32", (string?)body!["ips"]![0]!["address"]);
        Assert.Equal("c2:11:22:33:44:55", (string?)body["interfaces"]![2]!["mac"]);
        Assert.Equal("""{"nameservers":["10.0.0.10"],"search":["corp"]}""", body["dns"]!.ToJsonString());
        Assert.Contains(_node.Kernel.Dump(), static line => line.Contains("neigh 10.244.1.5 dev cni0 lladdr c2:11:22:33:44:55", StringComparison.Ordinal));

        foreach (var (asked, code, said) in new[]
                 {
                     ("""{"ips":["10.244.1.5"]}""", 11, "10.244.1.5 is held"),
                     ("""{"ips":["10.244.1.1"]}""", 7, "10.244.1.1 is not node-1's"),
                     ("""{"ips":["10.244.1.7"]}""", 7, "10.244.1.7 is not"),
                     ("""{"ips":["192.0.2.1"]}""", 7, "10.244.1.0/29"),
                     ("""{"ips":["10.244.1.3","10.244.1.4"]}""", 7, "one address of each family"),
                     ("""{"mac":"c2:11:22:33:44:55"}""", 11, "c2:11:22:33:44:55 is held"),
                     ("""{"mac":"0a:58:0a:f4:01:02"}""", 11, "0a:58:0a:f4:01:02 is held"),
                 })
        {
            _node.Kernel.MakeNamespace("b");
            var (_, error) = await _node.CniAsync("ADD", "b", configuration: Asked(asked));
            Assert.Equal(code, (int)error!["code"]!);
            Assert.Contains(said, (string?)error["msg"]);
        }
        Assert.Equal(2, Directory.EnumerateFiles(_node.LeaseDirectory).Count());
    }

    [Fact]
    public async Task Ports_that_the_runtime_asks_for_lead_to_the_container_and_are_refused_to_another_until_it_has_gone()
    {
        await using (await ReadyAsync())
        {
            _node.Kernel.MakeNamespace("a");
            Assert.True((await _node.CniAsync("ADD", "a", configuration: Asked(
                """{"portMappings":[{"hostPort":8080,"containerPort":80},{"hostPort":7000,"containerPort":7,"protocol":"udp","hostIP":"192.168.1.11","range":2},{"containerPort":9}]}"""))).Succeeded);
            Assert.Equal(
                ["hostports { tcp . 8080 : 10.244.1.2 . 80 }", "hostports_at { 192.168.1.11 . udp . 7000 : 10.244.1.2 . 7 }", "hostports_at { 192.168.1.11 . udp . 7001 : 10.244.1.2 . 8 }"],
                Elements());
            Assert.Contains(_node.Kernel.Dump(), static line => line.Contains("conf/cni0/route_localnet = 1", StringComparison.Ordinal));
        }
        var before = _node.Kernel.Dump();
        await using var next = await ReadyAsync();
        Assert.Equal(before, _node.Kernel.Dump());
        _node.Kernel.MakeNamespace("b");
        var asked = """{"portMappings":[{"hostPort":8080,"containerPort":80,"hostIP":"192.168.1.11"}]}""";
        var (_, error) = await _node.CniAsync("ADD", "b", configuration: Asked(asked));
        Assert.Equal((11, "runtimeConfig.portMappings: TCP 8080 of node-1 leads to Pod default/pod-a"), ((int)error!["code"]!, (string?)error["msg"]));
        Assert.True((await _node.CniAsync("DEL", "a")).Succeeded);
        Assert.DoesNotContain(_node.Kernel.Dump(), static line => line.Contains("hostport", StringComparison.Ordinal));
        Assert.Contains(_node.Kernel.Dump(), static line => line.Contains("conf/cni0/route_localnet = 0", StringComparison.Ordinal));
        Assert.True((await _node.CniAsync("ADD", "b", configuration: Asked(asked))).Succeeded);
    }

    [Fact]
    public async Task Names_of_fields_are_taken_in_the_case_of_letters_in_which_containerd_writes_them()
    {
        await using var agent = await ReadyAsync();
        _node.Kernel.MakeNamespace("a");
        // Recorded: containerd 1.6 for a pod of a kubelet.
        var (succeeded, body) = await _node.CniAsync("ADD", "a", configuration: Asked(
            """
            {"dns":{"Servers":["10.96.0.10"],"Searches":["default.svc.cluster.local","svc.cluster.local","cluster.local"],"Options":["ndots:5"]},
             "io.kubernetes.cri.pod-annotations":{"kubernetes.io/config.source":"api"},
             "portMappings":[{"HostPort":8081,"ContainerPort":80,"Protocol":"tcp","HostIP":""}]}
            """));
        Assert.True(succeeded, body?.ToJsonString());
        Assert.Equal(["hostports { tcp . 8081 : 10.244.1.2 . 80 }"], Elements());
        Assert.Equal("""{"nameservers":["10.96.0.10"],"search":["default.svc.cluster.local","svc.cluster.local","cluster.local"],"options":["ndots:5"]}""", body!["dns"]!.ToJsonString());
    }

    [Fact]
    public async Task What_was_opened_for_127_0_0_1_is_closed_when_its_pod_has_gone_while_no_agent_ran()
    {
        await using (await ReadyAsync())
        {
            _node.Kernel.MakeNamespace("a");
            Assert.True((await _node.CniAsync("ADD", "a", configuration: Asked("""{"portMappings":[{"hostPort":8080,"containerPort":80}]}"""))).Succeeded);
        }
        _node.Kernel.EndNamespace("a");
        await using var next = await ReadyAsync();
        Assert.Contains(_node.Kernel.Dump(), static line => line.Contains("conf/cni0/route_localnet = 0", StringComparison.Ordinal));
        Assert.DoesNotContain(_node.Kernel.Dump(), static line => line.Contains("hostport", StringComparison.Ordinal) || line.Contains("guard-loopback", StringComparison.Ordinal));
    }

    private IEnumerable<string> Elements() => _node.Kernel.Dump()
        .Where(static line => line.Contains("element", StringComparison.Ordinal) && line.Contains("hostports", StringComparison.Ordinal) && !line.Contains("hairpin", StringComparison.Ordinal))
        .Select(static line => line[line.IndexOf("hostports", StringComparison.Ordinal)..].Split(" plumb:")[0].Trim())
        .Order(StringComparer.Ordinal);

    [Fact]
    public async Task What_was_asked_for_is_known_after_a_restart()
    {
        await using (await ReadyAsync())
        {
            _node.Kernel.MakeNamespace("a");
            Assert.True((await _node.CniAsync("ADD", "a", configuration: Asked("""{"mac":"c2:11:22:33:44:55"}"""))).Succeeded);
        }
        var before = _node.Kernel.Dump();
        await using var next = await ReadyAsync();
        Assert.Equal(before, _node.Kernel.Dump());
    }

    private static JsonObject Asked(string runtimeConfig) => new() { ["runtimeConfig"] = JsonNode.Parse(runtimeConfig) };

    [Fact]
    public async Task A_path_that_is_no_namespace_is_named()
    {
        await using var agent = await ReadyAsync();
        var (succeeded, body) = await _node.CniAsync("ADD", "gone");
        Assert.False(succeeded);
        Assert.Equal(3, (int)body!["code"]!);
        Assert.Contains("/run/netns/gone", (string?)body["msg"]);
        Assert.Empty(Directory.EnumerateFiles(_node.LeaseDirectory));
    }

    [Fact]
    public async Task Check_finds_what_is_missing()
    {
        await using var agent = await ReadyAsync(options => options with { RepairPause = TimeSpan.FromDays(1) });
        await _node.AddAsync("a");
        Assert.True((await CheckAsync("a", "10.244.1.2/32")).Succeeded);
        Assert.Contains("10.244.1.2", (string?)(await CheckAsync("a", "10.244.1.3/32")).Body!["msg"]);
        Assert.Equal(7, (int)(await _node.CniAsync("CHECK", "a")).Body!["code"]!);
        // The repair waits for a day.
        _node.Kernel.Remove(new EntryKey(TestNode.Id, EntryKind.Neighbour, "10.244.1.2 dev cni0"));
        var (succeeded, body) = await CheckAsync("a", "10.244.1.2/32");
        Assert.False(succeeded);
        Assert.Contains("neigh 10.244.1.2 dev cni0", (string?)body!["msg"]);
        Assert.Equal(3, (int)(await CheckAsync("stranger", "10.244.1.2/32")).Body!["code"]!);
    }

    private Task<(bool Succeeded, JsonNode? Body)> CheckAsync(string container, string address) =>
        _node.CniAsync("CHECK", container, configuration: new JsonObject { ["prevResult"] = new JsonObject { ["ips"] = new JsonArray(new JsonObject { ["address"] = address }) } });

    [Fact]
    public async Task Garbage_collection_ends_what_the_runtime_does_not_name()
    {
        await using var agent = await ReadyAsync();
        await _node.AddAsync("a");
        await _node.AddAsync("b");
        Assert.True((await _node.CniAsync("GC", "-", configuration: Valid("b", "another-network"))).Succeeded);
        Assert.Equal(2, Directory.EnumerateFiles(_node.LeaseDirectory).Count());
        Assert.True((await _node.CniAsync("GC", "-", configuration: Valid("b", "plumb"))).Succeeded);
        Assert.Equal(["10.244.1.3"], Directory.EnumerateFiles(_node.LeaseDirectory).Select(Path.GetFileName));
    }

    private static JsonObject Valid(string container, string network) => new()
    {
        ["name"] = network,
        ["cni.dev/valid-attachments"] = new JsonArray(new JsonObject { ["containerID"] = container, ["ifname"] = "eth0" }),
    };

    [Fact]
    public async Task Many_at_once_are_all_connected_in_fewer_batches_than_pods()
    {
        using var wide = new TestNode();
        await using var agent = await wide.StartAsync();
        await agent.Ready;
        var before = wide.Kernel.Batches;
        var addresses = await Task.WhenAll(Enumerable.Range(0, 100).Select(n => wide.AddAsync($"c{n}")));
        Assert.Equal(100, addresses.Distinct().Count());
        Assert.InRange(wide.Kernel.Batches - before, 2, 2 * 100);
    }

    private async Task<NodeAgent> ReadyAsync(Func<NodeAgentOptions, NodeAgentOptions>? change = null)
    {
        var agent = await _node.StartAsync(change: change);
        await agent.Ready;
        return agent;
    }
}
