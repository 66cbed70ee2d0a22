using System.Text.Json.Nodes;
using Plumb.Api.Resources;
using Plumb.Api.Storage;
using Plumb.Kubernetes.Objects;

namespace Plumb.Api.Tests.Controllers;

public sealed class SchedulerTests
{
    [Fact]
    public async Task A_pod_that_fits_nowhere_says_why_and_runs_when_a_node_comes_that_fits()
    {
        await using var cluster = new Cluster(nodes: 2).Start();
        cluster.Pod("picky", ""","nodeSelector":{"disk":"fast"}""");
        await cluster.UntilAsync(() => cluster.Events("FailedScheduling").Count == 1);
        Assert.Equal(["0/2 nodes are available: 2 node(s) didn't match Pod's node affinity/selector."], cluster.Events("FailedScheduling"));
        await cluster.UntilAsync(() => cluster.Find<Pod>(GroupResource.Pods, "picky")!.Status.Conditions.Find("PodScheduled") is { Status: "False", Reason: "Unschedulable" });
        cluster.AddNode("node-9", new JsonObject { ["disk"] = "fast" });
        await cluster.UntilAsync(() => cluster.Pods("picky")[0] is { NodeName: "node-9", Phase: "Running" });
        await cluster.UntilAsync(() => cluster.Events("Scheduled").Count > 0); // told after it is bound
        Assert.Equal(["Successfully assigned default/picky to node-9"], cluster.Events("Scheduled"));
    }

    [Fact]
    public async Task Taints_keep_away_whom_they_are_not_tolerated_by()
    {
        await using var cluster = new Cluster(nodes: 1).Start();
        cluster.Registry.Update(new StoreKey(GroupResource.Nodes, "", "node-1"), root =>
        {
            root["spec"]!["taints"] = new JsonArray(new JsonObject { ["key"] = "gpu", ["value"] = "yes", ["effect"] = "NoSchedule" });
            return true;
        });
        await cluster.UntilAsync(() => cluster.Find<Node>(GroupResource.Nodes, "node-1", "") is { Spec.Taints: [{ Key: "gpu" }], Spec.PodCIDR: not null });
        cluster.Pod("plain");
        cluster.Pod("gpu", ""","tolerations":[{"key":"gpu","value":"yes","effect":"NoSchedule"}]""");
        await cluster.UntilAsync(() => cluster.Pods("gpu")[0].NodeName == "node-1" && cluster.Events("FailedScheduling").Count > 0);
        Assert.Equal("", cluster.Pods("plain")[0].NodeName);
        Assert.Equal("0/1 nodes are available: 1 node(s) had untolerated taint {gpu: yes}.", cluster.Events("FailedScheduling")[0]);
    }

    [Fact]
    public async Task A_pod_that_was_put_on_a_node_by_hand_keeps_others_away_as_any_other()
    {
        await using var cluster = new Cluster(nodes: 2).Start();
        const string shy = ""","affinity":{"podAntiAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":[{"topologyKey":"kubernetes.io/hostname","labelSelector":{"matchLabels":{"app":"loud"}}}]}}""";
        foreach (string node in (string[])["node-1", "node-2"])
        {
            cluster.Registry.Update(new StoreKey(GroupResource.Nodes, "", node), root => (root["metadata"]!["labels"] = new JsonObject { ["kubernetes.io/hostname"] = node }) is not null);
        }
        cluster.Pod("shy", shy + ",\"nodeName\":\"node-1\"");
        await cluster.UntilAsync(() => cluster.Pods("shy")[0].Phase == "Running");
        for (int i = 0; i < 4; i++)
        {
            cluster.Create(GroupResource.Pods, """{"metadata":{"generateName":"loud-","labels":{"app":"loud"}},"spec":{"containers":[{"name":"c","image":"a:1"}]}}""");
        }
        await cluster.UntilAsync(() => cluster.Pods("loud").All(static pod => pod.NodeName.Length > 0));
        Assert.All(cluster.Pods("loud"), static pod => Assert.Equal("node-2", pod.NodeName));
    }

    [Fact]
    public async Task Pods_that_come_and_go_make_nobody_be_looked_at_whom_they_cannot_help()
    {
        await using var cluster = new Cluster(nodes: 2).Start();
        for (int i = 0; i < 20; i++)
            cluster.Pod($"picky-{i}", ""","nodeSelector":{"disk":"fast"}""");
        cluster.Pod("lonely", ""","affinity":{"podAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":[{"topologyKey":"kubernetes.io/os","labelSelector":{"matchLabels":{"app":"friend"}}}]}}""");
        await cluster.UntilAsync(() => Looks(cluster).Count == 21);
        for (int i = 0; i < 20; i++)
            cluster.Pod($"other-{i}");
        await cluster.UntilAsync(() => Enumerable.Range(0, 20).All(i => cluster.Pods($"other-{i}")[0].NodeName.Length > 0));
        cluster.Registry.Delete(cluster.Pods("other-3")[0].Key, DeleteOptions.Now);
        cluster.Pod("last");
        await cluster.UntilAsync(() => cluster.Pods("last")[0].NodeName.Length > 0);
        Assert.All(Looks(cluster), static one => Assert.Equal(1, one.Count));

        foreach (string node in (string[])["node-1", "node-2"])
        {
            cluster.Registry.Update(new StoreKey(GroupResource.Nodes, "", node), root => (root["metadata"]!["labels"] = new JsonObject { ["kubernetes.io/os"] = "linux" }) is not null);
        }
        cluster.Pod("friend");
        await cluster.UntilAsync(() => cluster.Pods("lonely")[0].NodeName.Length > 0);
        Assert.All(Looks(cluster).Where(static one => one.InvolvedObject!.Name != "lonely"), static one => Assert.Equal(1, one.Count));
    }

    [Fact]
    public async Task Two_pods_with_one_host_port_do_not_share_a_node()
    {
        await using var cluster = new Cluster(nodes: 2).Start();
        const string spec = ""","hostNetwork":false,"terminationGracePeriodSeconds":0""";
        foreach (string name in (string[])["a", "b", "c"])
        {
            cluster.Create(GroupResource.Pods, $$$"""
                {"metadata":{"name":"{{{name}}}","labels":{"app":"{{{name}}}"}},"spec":{"containers":[{"name":"c","image":"a:1","ports":[{"containerPort":80,"hostPort":8080}]}]{{{spec}}} }}
                """);
        }
        await cluster.UntilAsync(() => cluster.Events("FailedScheduling").Count == 1);
        var placed = cluster.Pods().Where(p => p.NodeName.Length > 0).ToList();
        Assert.Equal(2, placed.Select(p => p.NodeName).Distinct().Count());
        Assert.Equal("0/2 nodes are available: 2 node(s) didn't have free ports for the requested pod ports.", cluster.Events("FailedScheduling")[0]);
        cluster.Registry.Delete(placed[0].Key, DeleteOptions.Now);
        await cluster.UntilAsync(() => cluster.Pods().Count(p => p.NodeName.Length > 0) == 2 && cluster.Pods().All(p => p.Uid != placed[0].Uid));
    }

    [Fact]
    public async Task A_cordoned_node_gets_nothing_new_until_it_is_let_free()
    {
        await using var cluster = new Cluster(nodes: 1).Start();
        var node = new StoreKey(GroupResource.Nodes, "", "node-1");
        cluster.Registry.Update(node, root => (root["spec"]!["unschedulable"] = true) is not null);
        await cluster.UntilAsync(() => cluster.Find<Node>(GroupResource.Nodes, "node-1", "")!.Spec.Taints.Any(t => t.Key == "node.kubernetes.io/unschedulable"));
        cluster.Pod("late");
        await cluster.UntilAsync(() => cluster.Events("FailedScheduling").Count == 1);
        cluster.Registry.Update(node, root => root["spec"]!.AsObject().Remove("unschedulable"));
        await cluster.UntilAsync(() => cluster.Pods("late")[0].NodeName == "node-1");
    }

    [Theory]
    [InlineData("""{"key":"zone","operator":"In","values":["b","c"]}""", "node-2")]
    [InlineData("""{"key":"zone","operator":"NotIn","values":["a"]}""", "node-2")]
    [InlineData("""{"key":"size","operator":"Gt","values":["5"]}""", "node-1")]
    [InlineData("""{"key":"size","operator":"DoesNotExist"}""", "node-2")]
    public async Task Node_affinity_chooses(string expression, string expected)
    {
        await using var cluster = new Cluster(nodes: 0);
        cluster.AddNode("node-1", new JsonObject { ["zone"] = "a", ["size"] = "7" });
        cluster.AddNode("node-2", new JsonObject { ["zone"] = "b" });
        cluster.Start();
        cluster.Pod("p", $$$$""","affinity":{"nodeAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":{"nodeSelectorTerms":[{"matchExpressions":[{{{{expression}}}}]}]}}}""");
        await cluster.UntilAsync(() => cluster.Pods("p")[0].NodeName.Length > 0);
        Assert.Equal(expected, cluster.Pods("p")[0].NodeName);
    }

    [Fact]
    public async Task Pods_that_keep_apart_are_on_nodes_of_their_own_and_who_wants_company_finds_it()
    {
        await using var cluster = new Cluster(nodes: 0).Start();
        foreach (string name in (string[])["node-1", "node-2", "node-3"])
            cluster.AddNode(name, new JsonObject { ["kubernetes.io/hostname"] = name });
        const string apart = ""","affinity":{"podAntiAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":[{"labelSelector":{"matchExpressions":[{"key":"app","operator":"In","values":["a","b"]}]},"topologyKey":"kubernetes.io/hostname"}]}}""";
        cluster.Pod("a", apart);
        cluster.Pod("b", apart);
        await cluster.UntilAsync(() => cluster.Pods("a")[0].NodeName.Length > 0 && cluster.Pods("b")[0].NodeName.Length > 0);
        Assert.NotEqual(cluster.Pods("a")[0].NodeName, cluster.Pods("b")[0].NodeName);
        cluster.Pod("friend", ""","affinity":{"podAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":[{"labelSelector":{"matchLabels":{"app":"b"}},"topologyKey":"kubernetes.io/hostname"}]}}""");
        await cluster.UntilAsync(() => cluster.Pods("friend")[0].NodeName == cluster.Pods("b")[0].NodeName);
        cluster.Pod("lonely", ""","affinity":{"podAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":[{"labelSelector":{"matchLabels":{"app":"late"}},"topologyKey":"kubernetes.io/hostname"}]}}""");
        await cluster.UntilAsync(() => cluster.Events("FailedScheduling").Contains("0/3 nodes are available: 3 node(s) didn't match pod affinity rules."));
        cluster.Pod("late");
        await cluster.UntilAsync(() => cluster.Pods("lonely")[0].NodeName.Length > 0 && cluster.Pods("lonely")[0].NodeName == cluster.Pods("late")[0].NodeName);
    }

    [Fact]
    public async Task Pods_are_spread_over_zones_within_the_skew()
    {
        await using var cluster = new Cluster(nodes: 0).Start();
        foreach (var (name, zone) in ((string, string)[])[("node-1", "a"), ("node-2", "a"), ("node-3", "b")])
            cluster.AddNode(name, new JsonObject { ["zone"] = zone });
        for (int i = 0; i < 6; i++)
        {
            cluster.Create(GroupResource.Pods, $$$"""
                {"metadata":{"name":"s-{{{i}}}","labels":{"app":"s"}},"spec":{"containers":[{"name":"c","image":"a"}],
                 "topologySpreadConstraints":[{"maxSkew":1,"topologyKey":"zone","whenUnsatisfiable":"DoNotSchedule","labelSelector":{"matchLabels":{"app":"s"} } } ]}}
                """);
        }
        await cluster.UntilAsync(() => cluster.Pods("s").All(static pod => pod.NodeName.Length > 0));
        Assert.Equal(3, cluster.Pods("s").Count(static pod => pod.NodeName == "node-3"));
    }

    [Fact]
    public async Task A_preferred_node_is_taken_as_long_as_there_is_one_and_resources_are_said_not_to_count()
    {
        await using var cluster = new Cluster(nodes: 2).Start();
        cluster.AddNode("node-9", new JsonObject { ["disk"] = "fast" });
        cluster.Create(GroupResource.Pods, """
            {"metadata":{"name":"fond","labels":{"app":"fond"}},"spec":{"containers":[{"name":"c","image":"a","resources":{"requests":{"cpu":"1000"}}}],
             "affinity":{"nodeAffinity":{"preferredDuringSchedulingIgnoredDuringExecution":[{"weight":10,"preference":{"matchExpressions":[{"key":"disk","operator":"In","values":["fast"]}]}}]}}}}
            """);
        await cluster.UntilAsync(() => cluster.Pods("fond")[0].NodeName == "node-9" && cluster.Events("ResourcesIgnored").Count == 1);
    }

    [Fact]
    public async Task A_change_of_the_date_loses_no_node()
    {
        await using var cluster = new Cluster(nodes: 1).Start();
        cluster.Create(GroupResource.ConfigMaps, """{"metadata":{"name":"x"}}""");
        cluster.Registry.Create(GroupResource.Leases, "kube-node-lease", new JsonObject { ["metadata"] = new JsonObject { ["name"] = "node-1" }, ["spec"] = new JsonObject { ["renewTime"] = "2026-11-21T08:00:00.000000Z" } });
        cluster.Pod("a");
        await cluster.UntilAsync(() => cluster.Pods("a")[0].NodeName == "node-1");
        cluster.Time.SetDate(TimeSpan.FromHours(5));
        cluster.Pod("b");
        await cluster.UntilAsync(() => cluster.Pods("b")[0].NodeName == "node-1");
        Assert.Equal("True", cluster.Find<Node>(GroupResource.Nodes, "node-1", "")!.Status.Conditions.Find("Ready")!.Status);
    }

    /// <summary>Each says how often the scheduler found no place for its pod.</summary>
    private static List<Event> Looks(Cluster cluster) =>
        [.. cluster.List<Event>(GroupResource.Events).Where(static one => one.Reason == "FailedScheduling")];
}
