namespace Plumb.EndToEnd;

/// <summary>The lab of <c>labs/services</c>, started once for all tests of the class.</summary>
public class ServicesLab(string services) : IAsyncLifetime
{
    public LabUser User { get; } = new();

    public RunningLab Lab { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Lab = await User.UpAsync("--services", services, "-f", Path.Combine(Commands.Repository, "labs", "services"));
        (await Lab.KubectlAsync("rollout", "status", "deployment/website", "--timeout=60s")).Succeeds();
        (await Lab.KubectlAsync("rollout", "status", "statefulset/kafka", "--timeout=60s")).Succeeds();
        (await Lab.KubectlAsync("wait", "--for=condition=Ready", "pod/client", "--timeout=60s")).Succeeds();
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await User.DisposeAsync();
    }
}

public sealed class NftablesLab() : ServicesLab("nftables");

public sealed class IptablesLab() : ServicesLab("iptables");

public sealed class ServicesByNftablesTests(NftablesLab fixture) : ServicesLabTests<NftablesLab>(fixture);

public sealed class ServicesByIptablesTests(IptablesLab fixture) : ServicesLabTests<IptablesLab>(fixture)
{
    [Fact]
    public async Task Everything_is_explained_and_a_chain_s_name_gives_the_Service()
    {
        Assert.EndsWith("0 unexplained", (await Lab.PlumbAsync("explain", "--all", "--node", "node-1")).Succeeds().Output.TrimEnd(), StringComparison.Ordinal);
        var chain = (await Lab.ShellAsync("node-1", "iptables-save", "-t", "nat")).Succeeds().Lines
            .Single(static line => line.Contains("\"default/website:http cluster IP\"", StringComparison.Ordinal) && line.Contains("-A KUBE-SERVICES ", StringComparison.Ordinal)).Split(' ')[^1];
        Assert.StartsWith("KUBE-SVC-", chain, StringComparison.Ordinal);
        Assert.Contains("Plumb's, for Service default/website", (await Lab.PlumbAsync("explain", chain)).Succeeds().Output, StringComparison.Ordinal);
        Assert.Contains(chain, (await Lab.PlumbAsync("explain", "service/website")).Succeeds().Output, StringComparison.Ordinal);
        Assert.Contains("services 10.96.0.0/12 by iptables", (await Lab.User.PlumbAsync("status")).Succeeds().Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_somebody_flushes_is_made_good()
    {
        (await Lab.ShellAsync("node-3", "iptables", "-t", "nat", "-F")).Succeeds();
        Assert.Contains("PLUMB", await Lab.EventAsync("NetworkRepaired", "node-3"), StringComparison.Ordinal);
        Assert.Contains("-A KUBE-SVC-", (await Lab.ShellAsync("node-3", "iptables-save", "-t", "nat")).Succeeds().Output, StringComparison.Ordinal);
    }
}

/// <summary>What the text of the lesson shows, as a person would type it; under each back end.</summary>
public abstract class ServicesLabTests<TLab>(TLab fixture) : IClassFixture<TLab>
    where TLab : ServicesLab
{
    protected RunningLab Lab => fixture.Lab;

    [Fact]
    public async Task Each_kind_of_service_shows_what_it_is()
    {
        var rows = (await Lab.KubectlAsync("get", "services", "--no-headers")).Succeeds().Lines.Select(static line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)).ToDictionary(static cells => cells[0]);
        Assert.Equal(["ClusterIP", "None", "<none>", "80/TCP"], rows["headlesswebsite"][1..5]);
        Assert.Equal("80:31100/TCP", rows["nodeportwebsite"][4]);
        Assert.Equal("LoadBalancer", rows["lbwebsite"][1]);
        Assert.Equal(["ExternalName", "<none>", "www.example.com", "<none>"], rows["search"][1..5]);
        Assert.StartsWith("10.", rows["website"][2], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Slices_list_the_ready_pods_and_what_was_written_by_hand()
    {
        var pods = (await Lab.GetAsync("pods", "-l", "app=website", "-o", "jsonpath={.items[*].status.podIP}")).Split(' ').Order();
        var endpoints = (await Lab.GetAsync("endpointslices", "-l", "kubernetes.io/service-name=website", "-o", "jsonpath={.items[*].endpoints[?(@.conditions.ready==true)].addresses[0]}")).Split(' ').Order();
        Assert.Equal(pods, endpoints);
        Assert.Equal("192.168.1.100", await Lab.GetAsync("endpointslices", "-l", "kubernetes.io/service-name=legacy", "-o", "jsonpath={.items[*].endpoints[*].addresses[*]}"));
    }

    [Fact]
    public async Task Pods_of_the_StatefulSet_have_their_names_inside_and_in_their_slice()
    {
        Assert.Equal("kafka-0 kafka-1 kafka-2", await Lab.GetAsync("pods", "-l", "app=kafka", "-o", "jsonpath={.items[*].metadata.name}"));
        Assert.Equal("kafka-0 kafka-1 kafka-2", string.Join(' ', (await Lab.GetAsync("endpointslices", "-l", "kubernetes.io/service-name=kafka", "-o", "jsonpath={.items[*].endpoints[*].hostname}")).Split(' ').Order()));
        Assert.Equal("kafka-1", (await Lab.KubectlAsync("exec", "kafka-1", "--", "hostname")).Succeeds().Output.Trim());
        Assert.Contains("kafka-1.kafka.default.svc.cluster.local", (await Lab.KubectlAsync("exec", "kafka-1", "--", "cat", "/etc/hosts")).Succeeds().Output, StringComparison.Ordinal);
        Assert.Contains("data", await Lab.EventAsync("VolumeClaimsIgnored", "kafka"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Containers_have_variables_of_the_services_that_there_are()
    {
        (await Lab.KubectlAsync("run", "late", "--image=busybox", "--command", "--", "sleep", "infinity")).Succeeds();
        (await Lab.KubectlAsync("run", "late-without", "--image=busybox", "--overrides={\"spec\":{\"enableServiceLinks\":false}}", "--command", "--", "sleep", "infinity")).Succeeds();
        (await Lab.KubectlAsync("wait", "--for=condition=Ready", "pod/late", "pod/late-without", "--timeout=60s")).Succeeds();
        var with = (await Lab.KubectlAsync("exec", "late", "--", "env")).Succeeds().Lines;
        var without = (await Lab.KubectlAsync("exec", "late-without", "--", "env")).Succeeds().Lines;
        Assert.Contains("WEBSITE_SERVICE_HOST=" + await Lab.GetAsync("service", "website", "-o", "jsonpath={.spec.clusterIP}"), with);
        Assert.Contains("NODEPORTWEBSITE_SERVICE_PORT_HTTP=80", with);
        Assert.DoesNotContain(with, static line => line.StartsWith("HEADLESSWEBSITE_", StringComparison.Ordinal) || line.StartsWith("SEARCH_", StringComparison.Ordinal));
        Assert.DoesNotContain(without, static line => line.StartsWith("WEBSITE_", StringComparison.Ordinal));
        Assert.Contains("KUBERNETES_SERVICE_HOST=10.96.0.1", without);
        (await Lab.KubectlAsync("delete", "pod", "late", "late-without")).Succeeds();
    }

    [Fact]
    public async Task The_site_answers_at_its_address_and_at_the_port_of_every_node()
    {
        var names = (await Lab.GetAsync("pods", "-l", "app=website", "-o", "jsonpath={.items[*].metadata.name}")).Split(' ');
        var address = await Lab.GetAsync("service", "website", "-o", "jsonpath={.spec.clusterIP}");
        Assert.Contains((await Lab.KubectlAsync("exec", "client", "--", "curl", "-s", "--max-time", "5", $"http://{address}/hostname")).Succeeds().Output.Trim(), names);
        Assert.Contains((await Lab.ShellAsync("outside", "curl", "-s", "--max-time", "5", "http://192.168.1.12:31100/hostname")).Succeeds().Output.Trim(), names);
    }

    [Fact]
    public async Task A_balancer_s_address_written_by_hand_is_answered()
    {
        (await Lab.KubectlAsync("patch", "service", "lbwebsite", "--subresource=status", "--type=merge", "-p", """{"status":{"loadBalancer":{"ingress":[{"ip":"203.0.113.10"}]}}}""")).Succeeds();
        (await Lab.ShellAsync("outside", "ip", "route", "add", "203.0.113.10", "via", "192.168.1.13")).Succeeds();
        for (var left = 50; ; left--)
        {
            var answer = await Lab.ShellAsync("outside", "curl", "-s", "--max-time", "2", "http://203.0.113.10/hostname");
            if (answer.Output.StartsWith("website-", StringComparison.Ordinal))
            {
                return;
            }
            Assert.True(left > 0, $"203.0.113.10 does not answer: {answer}");
            await Task.Delay(100, TestContext.Current.CancellationToken);
        }
    }

    [Fact]
    public async Task Names_lead_to_services_and_pods()
    {
        var address = await Lab.GetAsync("service", "website", "-o", "jsonpath={.spec.clusterIP}");
        Assert.Equal([address], await DigAsync("website.default.svc.cluster.local"));
        Assert.Equal(3, (await DigAsync("headlesswebsite.default.svc.cluster.local")).Count);
        Assert.Equal([await Lab.GetAsync("pod", "kafka-1", "-o", "jsonpath={.status.podIP}")], await DigAsync("kafka-1.kafka.default.svc.cluster.local"));
        Assert.StartsWith("website-", (await Lab.KubectlAsync("exec", "client", "--", "curl", "-s", "--max-time", "5", "http://website/hostname")).Succeeds().Output, StringComparison.Ordinal);
    }

    private async Task<IReadOnlyList<string>> DigAsync(string name) => (await Lab.KubectlAsync("exec", "client", "--", "dig", "+short", "+time=2", "+tries=2", name)).Succeeds().Lines;
}
