using System.Text;
using Plumb.Diagnosis.Explain;
using Plumb.Kubernetes.Manifests;
using Plumb.Linux.State;
using Plumb.Network.Facts;
using Plumb.Network.Planning;

namespace Plumb.Diagnosis.Tests.Explain;

public sealed class ServiceQuestionTests
{
    private static readonly Planner Plan = OfflinePlan.Make(
        ManifestReader.Parse("objects", Encoding.UTF8.GetBytes(Objects)).Select(static manifest => manifest.Object), "node-1", NetworkOptions.Default, new AssumedMachine());

    private const string Objects =
        """
        apiVersion: v1
        kind: Node
        metadata: {name: node-1}
        spec: {podCIDRs: [10.244.1.0/24]}
        status: {addresses: [{type: InternalIP, address: 192.168.1.11}]}
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: website, namespace: default}
        spec: {type: NodePort, clusterIP: 10.96.14.7, clusterIPs: [10.96.14.7], ports: [{port: 80, nodePort: 31100}]}
        ---
        apiVersion: discovery.k8s.io/v1
        kind: EndpointSlice
        metadata: {name: website-x7k2p, namespace: default, labels: {kubernetes.io/service-name: website}}
        addressType: IPv4
        ports: [{port: 8080}]
        endpoints: [{addresses: [10.244.1.3], nodeName: node-1}]
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: shop, namespace: default}
        spec: {type: NodePort, clusterIP: 10.96.14.8, clusterIPs: [10.96.14.8], ports: [{port: 80, nodePort: 31101}]}
        ---
        apiVersion: discovery.k8s.io/v1
        kind: EndpointSlice
        metadata: {name: shop-x7k2p, namespace: default, labels: {kubernetes.io/service-name: shop}}
        addressType: IPv4
        ports: [{port: 8080}]
        endpoints: [{addresses: [10.244.1.4], nodeName: node-1}]
        """;

    [Theory]
    [InlineData("service/website")]
    [InlineData("svc/default/website")]
    [InlineData("website")]
    [InlineData("10.96.14.7")]
    [InlineData("10.96.14.7:80")]
    [InlineData(":31100")]
    public void A_Service_is_explained_by_name_address_or_port_down_to_its_endpoints(string thing)
    {
        var answer = Ask(thing);
        Assert.Contains("element ip plumb backends { 0x00e07000 . 0 : 10.244.1.3 . 8080 }", answer);
        Assert.Contains("element ip plumb pools { 0x00e07000 : 0:1 }", answer);
        Assert.DoesNotContain(answer, static text => text.Contains("0x00e08000", StringComparison.Ordinal) || text.Contains("10.244.1.4", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("10.96.14.7:81")]
    [InlineData("pod/website")]
    [InlineData(":31102")]
    public void What_is_near_a_Service_is_not_it(string thing) =>
        Assert.DoesNotContain(Ask(thing), static text => text.StartsWith("element", StringComparison.Ordinal));

    [Fact]
    public void An_endpoint_s_address_leads_to_its_own_elements_only()
    {
        var answer = Ask("10.244.1.3");
        Assert.Contains("element ip plumb hairpin { 10.244.1.3 . 10.244.1.3 }", answer);
        Assert.DoesNotContain(answer, static text => text.Contains("frontends", StringComparison.Ordinal));
    }

    [Fact]
    public void What_is_searched_for_in_a_plan_answers_as_all_of_it_does()
    {
        var words = Plan.Desired.Entries.Values.SelectMany(static desired => desired.Entry.Print().Split([' ', '\n', '\t', ',', '{', '}', '"'], StringSplitOptions.RemoveEmptyEntries));
        var causes = Plan.Desired.Entries.Keys.SelectMany(Plan.Index.Why).Select(static origin => origin.Subject.ToString());
        string[] language = [".", ":", "element", "ip", "jump", "goto"];
        string[] things = [.. words.Except(language).Concat(causes).Concat(["service/website", "default/shop", "svc/default/website", "10.96.14.7:80", ":31101", ":8080", "10.96.0.0/12"]).Distinct()];
        Assert.True(things.Length > 100);
        var elements = Plan.Desired.Entries.Keys.Count(static key => key.Kind == EntryKind.Element);
        foreach (var thing in things)
        {
            var found = PlanExcerpt.About(Plan.Index, new PlanSearch(new Question(thing).Thing)).ToDocument("node-1").Entries.Select(static entry => entry.Key).ToHashSet();
            Assert.Equal($"{thing}: {string.Join('\n', Ask(thing))}", $"{thing}: {string.Join('\n', Ask(thing, found))}");
        }
        var ofOne = PlanExcerpt.About(Plan.Index, new PlanSearch("10.96.14.7")).ToDocument("node-1").Entries.Count(static entry => entry.Kind == EntryKind.Element);
        Assert.InRange(ofOne, 1, elements / 2);
    }

    private static List<string> Ask(string thing, HashSet<EntryKey>? only = null)
    {
        var observed = new ObservedState();
        Desired[] all = [.. Plan.Desired.Entries.Values.Where(desired => only?.Contains(desired.Entry.Key) ?? true)];
        foreach (var desired in all)
        {
            observed.Set(new Observed(desired.Entry, Owner.Plumb, desired.Stamp, new KernelFacts()));
        }
        var planned = all.ToDictionary(
            static desired => desired.Entry.Key, static desired => new PlannedReason(desired.Entry.Print(), Plan.Index.Why(desired.Entry.Key)));
        return [.. new Question(thing).Answer(Account.Of(observed, planned), observed).Select(static explanation => explanation.Text)];
    }
}
