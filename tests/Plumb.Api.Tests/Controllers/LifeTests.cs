using System.Text.Json.Nodes;
using Plumb.Api.Controllers;
using Plumb.Api.Resources;
using Plumb.Api.Storage;
using Plumb.Kubernetes.Objects;

namespace Plumb.Api.Tests.Controllers;

/// <summary>How namespaces, owners and nodes come and go.</summary>
public sealed class LifeTests
{
    private static readonly StoreKey Web = new(GroupResource.Deployments, "default", "web");

    [Fact]
    public async Task Every_namespace_gets_its_account_and_the_certificate_once_there_is_one()
    {
        await using var cluster = new Cluster().Start();
        await cluster.UntilAsync(() => cluster.Find<ServiceAccount>(GroupResource.ServiceAccounts, "default") is not null);
        cluster.Registry.Create(GroupResource.ConfigMaps, "kube-system", new JsonObject { ["metadata"] = new JsonObject { ["name"] = "kube-root-ca.crt" }, ["data"] = new JsonObject { ["ca.crt"] = "PEM" } });
        await cluster.UntilAsync(() => cluster.Find<ConfigMap>(GroupResource.ConfigMaps, "kube-root-ca.crt")?.Data["ca.crt"] == "PEM");
        foreach (var place in new[] { "default", "kube-system" })
        {
            cluster.Registry.Update(new StoreKey(GroupResource.ConfigMaps, place, "kube-root-ca.crt"), static root =>
            {
                root["data"]!["ca.crt"] = "another's";
                return true;
            });
            await cluster.UntilAsync(() => cluster.Find<ConfigMap>(GroupResource.ConfigMaps, "kube-root-ca.crt", place)?.Data["ca.crt"] == "PEM");
        }

        cluster.Registry.Delete(new StoreKey(GroupResource.ConfigMaps, "default", "kube-root-ca.crt"));
        await cluster.UntilAsync(() => cluster.Find<ConfigMap>(GroupResource.ConfigMaps, "kube-root-ca.crt")?.Data["ca.crt"] == "PEM");
        cluster.Registry.Delete(new StoreKey(GroupResource.ServiceAccounts, "default", "default"));
        await cluster.UntilAsync(() => cluster.Find<ServiceAccount>(GroupResource.ServiceAccounts, "default") is not null);
    }

    [Fact]
    public async Task A_namespace_goes_when_all_in_it_has_gone()
    {
        await using var cluster = new Cluster().Start();
        cluster.Registry.Create(GroupResource.Namespaces, "", new JsonObject { ["metadata"] = new JsonObject { ["name"] = "n" } });
        cluster.Registry.Create(GroupResource.Pods, "n", JsonNode.Parse("""{"metadata":{"name":"p"},"spec":{"containers":[{"name":"c","image":"a"}]}}""")!.AsObject());
        await cluster.UntilAsync(() => cluster.Store.List(GroupResource.Pods, "n") is [{ Phase: "Running" }] && cluster.Store.List(GroupResource.ServiceAccounts, "n").Count == 1);
        cluster.Registry.Delete(new StoreKey(GroupResource.Namespaces, "", "n"));
        await cluster.UntilAsync(() => cluster.Store.Find(new StoreKey(GroupResource.Namespaces, "", "n")) is null);
        Assert.Empty(cluster.Store.InNamespace("n"));
    }

    [Theory]
    [InlineData(Propagation.Background)]
    [InlineData(Propagation.Foreground)]
    public async Task What_a_deployment_owns_goes_with_it(Propagation propagation)
    {
        await using var cluster = new Cluster().Start();
        cluster.Deployment("web", 3);
        await cluster.UntilAsync(() => cluster.IsRolledOut("web"));
        using var watch = cluster.Store.Subscribe(GroupResource.Pods);
        bool gone = cluster.Registry.Delete(Web, new DeleteOptions { Propagation = propagation }).Gone;
        Assert.Equal(propagation == Propagation.Background, gone);
        await cluster.UntilAsync(() => cluster.Pods("web").Count == 0 && cluster.List<ReplicaSet>(GroupResource.ReplicaSets).Count == 0 && cluster.Store.Find(Web) is null);
    }

    [Fact]
    public async Task What_has_another_owner_stays_when_one_goes_that_waits_for_what_it_owns()
    {
        await using var cluster = new Cluster().Start();
        var owners = new JsonArray();
        foreach (var name in (string[])["going", "staying"])
        {
            var uid = cluster.Registry.Create(GroupResource.ConfigMaps, "default", new JsonObject { ["metadata"] = new JsonObject { ["name"] = name } }).Uid;
            owners.Add(new JsonObject { ["apiVersion"] = "v1", ["kind"] = "ConfigMap", ["name"] = name, ["uid"] = uid, ["blockOwnerDeletion"] = true });
        }

        cluster.Registry.Create(GroupResource.ConfigMaps, "default", new JsonObject { ["metadata"] = new JsonObject { ["name"] = "both", ["ownerReferences"] = owners.DeepClone() } });
        cluster.Registry.Create(GroupResource.ConfigMaps, "default", new JsonObject { ["metadata"] = new JsonObject { ["name"] = "one", ["ownerReferences"] = new JsonArray(owners[0]!.DeepClone()) } });
        cluster.Registry.Delete(new StoreKey(GroupResource.ConfigMaps, "default", "going"), new DeleteOptions { Propagation = Propagation.Foreground });
        await cluster.UntilAsync(() => cluster.Store.Find(new StoreKey(GroupResource.ConfigMaps, "default", "going")) is null);
        Assert.Null(cluster.Store.Find(new StoreKey(GroupResource.ConfigMaps, "default", "one")));
        Assert.Equal("staying", Assert.Single(cluster.Store.Find(new StoreKey(GroupResource.ConfigMaps, "default", "both"))!.Owners).Name);
    }

    [Fact]
    public async Task Who_wait_for_each_other_in_a_circle_all_go()
    {
        await using var cluster = new Cluster().Start();
        string[] names = ["a", "b", "c"];
        var uids = names.Select(name => cluster.Registry.Create(GroupResource.ConfigMaps, "default", new JsonObject { ["metadata"] = new JsonObject { ["name"] = name } }).Uid).ToArray();
        for (var i = 0; i < names.Length; i++)
        {
            var owner = (i + 1) % names.Length;
            cluster.Registry.Update(new StoreKey(GroupResource.ConfigMaps, "default", names[i]), root =>
            {
                root["metadata"]!["ownerReferences"] = new JsonArray(new JsonObject { ["apiVersion"] = "v1", ["kind"] = "ConfigMap", ["name"] = names[owner], ["uid"] = uids[owner], ["blockOwnerDeletion"] = true });
                return true;
            });
        }

        cluster.Registry.Delete(new StoreKey(GroupResource.ConfigMaps, "default", "a"), new DeleteOptions { Propagation = Propagation.Foreground });
        await cluster.UntilAsync(() => names.All(name => cluster.Store.Find(new StoreKey(GroupResource.ConfigMaps, "default", name)) is null));
    }

    [Fact]
    public async Task Orphaned_sets_stay_and_owe_nothing()
    {
        await using var cluster = new Cluster().Start();
        cluster.Deployment("web", 2);
        await cluster.UntilAsync(() => cluster.IsRolledOut("web"));
        cluster.Registry.Delete(Web, new DeleteOptions { Propagation = Propagation.Orphan });
        await cluster.UntilAsync(() => cluster.Store.Find(Web) is null);
        Assert.Empty(Assert.Single(cluster.List<ReplicaSet>(GroupResource.ReplicaSets)).Metadata.OwnerReferences);
        Assert.Equal(2, cluster.Pods("web").Count(p => !p.IsDeleting));
    }

    [Fact]
    public async Task What_has_another_owner_stays_and_what_names_none_that_exists_goes()
    {
        await using var cluster = new Cluster().Start();
        var one = cluster.Create(GroupResource.ConfigMaps, """{"metadata":{"name":"one"}}""");
        var two = cluster.Create(GroupResource.ConfigMaps, """{"metadata":{"name":"two"}}""");
        cluster.Create(GroupResource.ConfigMaps, $$$"""{"metadata":{"name":"child","ownerReferences":[{{{Owner(one)}}},{{{Owner(two)}}}]}}""");
        cluster.Create(GroupResource.ConfigMaps, """{"metadata":{"name":"stray","ownerReferences":[{"apiVersion":"v1","kind":"ConfigMap","name":"never","uid":"0"}]}}""");
        await cluster.UntilAsync(() => cluster.Find<ConfigMap>(GroupResource.ConfigMaps, "stray") is null);
        cluster.Registry.Delete(one.Key);
        await cluster.UntilAsync(() => cluster.Find<ConfigMap>(GroupResource.ConfigMaps, "child")!.Metadata.OwnerReferences is [{ Name: "two" }]);
        cluster.Registry.Delete(two.Key);
        await cluster.UntilAsync(() => cluster.Find<ConfigMap>(GroupResource.ConfigMaps, "child") is null);
    }

    [Fact]
    public async Task Nodes_get_the_range_of_their_number_and_give_it_back()
    {
        await using var cluster = new Cluster(nodes: 2).Start();
        cluster.AddNode("node-7");
        cluster.AddNode("worker");
        await cluster.UntilAsync(() => Ranges(cluster).All(r => r.Length > 0));
        Assert.Equal(["10.244.1.0/24", "10.244.2.0/24", "10.244.7.0/24", "10.244.3.0/24"], Ranges(cluster));
        cluster.Registry.Delete(new StoreKey(GroupResource.Nodes, "", "node-1"));
        await cluster.UntilAsync(() => cluster.Store.Find(new StoreKey(GroupResource.Nodes, "", "node-1")) is null);
        cluster.AddNode("another-1");
        await cluster.UntilAsync(() => Ranges(cluster)[0] is "10.244.1.0/24");
    }

    [Fact]
    public async Task A_node_without_range_says_so_and_gets_one_when_another_leaves()
    {
        await using var cluster = new Cluster(nodes: 2);
        cluster.Start(new ControllerOptions { Time = cluster.Time, ClusterNetwork = System.Net.IPNetwork.Parse("10.0.0.0/24"), NodePrefixLength = 25 });
        await cluster.UntilAsync(() => Ranges(cluster).SequenceEqual(["10.0.0.128/25", "10.0.0.0/25"]));
        cluster.AddNode("node-3");
        await cluster.UntilAsync(() => cluster.Events("CIDRNotAvailable").Count > 0);
        cluster.Registry.Delete(new StoreKey(GroupResource.Nodes, "", "node-1"));
        await cluster.UntilAsync(() => Ranges(cluster).SequenceEqual(["10.0.0.0/25", "10.0.0.128/25"]));
    }

    [Fact]
    public async Task A_node_that_falls_silent_is_lost_and_its_pods_are_evicted_after_their_patience()
    {
        await using var cluster = new Cluster(nodes: 2).Start();
        cluster.Deployment("web", 2);
        await cluster.UntilAsync(() => cluster.IsRolledOut("web") && Taints(cluster, "node-1").Length == 0);
        await cluster.UntilAsync(() =>
        {
            Renew(cluster, "node-2");
            cluster.Time.Advance(TimeSpan.FromSeconds(10));
            return Taints(cluster, "node-1") == "node.kubernetes.io/unreachable:NoSchedule node.kubernetes.io/unreachable:NoExecute";
        });
        Assert.Equal("Unknown", cluster.Find<Node>(GroupResource.Nodes, "node-1", "")!.Status.Conditions.Find("Ready")?.Status);
        Assert.Equal("", Taints(cluster, "node-2"));
        await cluster.UntilAsync(() => cluster.Find<Deployment>(GroupResource.Deployments, "web")!.Status.ReadyReplicas == 1);
        await cluster.UntilAsync(() =>
        {
            Renew(cluster, "node-2");
            cluster.Time.Advance(TimeSpan.FromSeconds(10));
            return cluster.Pods("web") is [{ NodeName: "node-2" }, { NodeName: "node-2" }];
        });
        cluster.SetReady("node-1", "True");
        await cluster.UntilAsync(() => Taints(cluster, "node-1") == "");
    }

    [Fact]
    public async Task The_pods_of_a_deleted_node_go_and_come_again_elsewhere()
    {
        await using var cluster = new Cluster(nodes: 2).Start();
        cluster.Deployment("web", 4);
        await cluster.UntilAsync(() => cluster.IsRolledOut("web"));
        cluster.Registry.Delete(new StoreKey(GroupResource.Nodes, "", "node-1"));
        await cluster.UntilAsync(() => cluster.IsRolledOut("web") && cluster.Pods("web").Count == 4 && cluster.Pods("web").All(p => p.NodeName == "node-2"));
    }

    private static string Owner(StoredObject owner) => $$$"""{"apiVersion":"v1","kind":"ConfigMap","name":"{{{owner.Name}}}","uid":"{{{owner.Uid}}}"}""";

    private static List<string> Ranges(Cluster cluster) =>
        [.. cluster.Store.List(GroupResource.Nodes).Select(n => n.As(Plumb.Kubernetes.Json.KubernetesJson.TypeInfo<Node>()).Spec.PodCIDR ?? "")];

    private static string Taints(Cluster cluster, string node) => string.Join(' ', cluster.Find<Node>(GroupResource.Nodes, node, "")!.Spec.Taints);

    private static void Renew(Cluster cluster, string node)
    {
        var key = new StoreKey(GroupResource.Leases, "kube-node-lease", node);
        string now = Plumb.Kubernetes.Json.Rfc3339.FormatMicro(cluster.Time.GetUtcNow());
        if (cluster.Store.Find(key) is null)
            cluster.Registry.Create(GroupResource.Leases, key.Namespace, new JsonObject { ["metadata"] = new JsonObject { ["name"] = node }, ["spec"] = new JsonObject { ["holderIdentity"] = node, ["leaseDurationSeconds"] = 40, ["renewTime"] = now } });
        else
            cluster.Registry.Update(key, root => (root["spec"]!["renewTime"] = now) is not null);
    }
}
