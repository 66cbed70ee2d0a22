using Plumb.Diagnosis.NearMisses;
using Plumb.Kubernetes.Objects;
using Plumb.Linux.Addresses;
using Plumb.Linux.Sockets;

namespace Plumb.Diagnosis.Tests.NearMisses;

public sealed class ServiceNearMissTests
{
    private static readonly Service Web = new()
    {
        Metadata = new ObjectMeta { Name = "web", Namespace = "default" },
        Spec = new ServiceSpec
        {
            ClusterIP = "10.96.0.7",
            Selector = new Dictionary<string, string> { ["app"] = "website" },
            Ports = [new ServicePort { Port = 80, TargetPort = 8080, NodePort = 31000 }],
        },
    };

    [Fact]
    public void A_selector_that_matches_no_pod_is_told_with_the_label_that_differs()
    {
        Assert.Equal(
            "the selector app=website of Service default/web matches no pod; web-1 is nearest: its label app is websites, not website",
            ServiceNearMiss.OfRefusal(Web, 80, "tcp", [Pod("web-1", "websites", ready: true), Pod("db-1", "postgres", ready: true)], []));
        Assert.Equal("the selector app=website of Service default/web matches no pod", ServiceNearMiss.OfRefusal(Web, 80, "tcp", [Pod("db-1", "postgres", ready: true)], []));
    }

    [Fact]
    public void Pods_that_are_not_Ready_are_told_with_the_reason()
    {
        Assert.Equal("the one pod of Service default/web is not Ready: web-1 (its readiness probe fails)", ServiceNearMiss.OfRefusal(Web, 80, "tcp", [Pod("web-1", "website", ready: false)], []));
        Assert.Null(ServiceNearMiss.OfRefusal(Web, 80, "tcp", [Pod("web-1", "website", ready: true)], []));
    }

    [Fact]
    public void Where_pods_may_not_be_read_only_endpoints_are_judged_by()
    {
        Assert.Equal("Service default/web has no endpoint: its selector app=website matches no pod, or none that has an address yet", ServiceNearMiss.OfRefusal(Web, 80, "tcp", null, [Slice("other", true)]));
        Assert.Equal("the one endpoint of Service default/web is not ready: web-1", ServiceNearMiss.OfRefusal(Web, 80, "tcp", null, [Slice("web", false)]));
        Assert.Null(ServiceNearMiss.OfRefusal(Web, 80, "tcp", null, [Slice("web", null)]));
        Assert.StartsWith("Service default/web has no TCP port 81;", ServiceNearMiss.OfRefusal(Web, 81, "tcp", null, []), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(81, "tcp")]
    [InlineData(80, "udp")]
    public void A_port_that_the_Service_does_not_have_is_told_with_those_that_it_has(ushort port, string protocol) =>
        Assert.Equal($"Service default/web has no {protocol.ToUpperInvariant()} port {port}; it has 80/TCP (node port 31000)", ServiceNearMiss.OfRefusal(Web, port, protocol, [], []));

    [Fact]
    public void A_target_port_where_nobody_listens_is_told_with_those_where_somebody_does() =>
        Assert.Equal(
            "Service default/web sends port 80 to targetPort 8080, where web-1 does not listen; it listens at 80",
            ServiceNearMiss.OfClosedPort(Web, 80, 8080, "web-1", [new BoundSocket(IpAddress.Unspecified(IpFamily.V6), 80, 6), new BoundSocket(IpAddress.Parse("127.0.0.1"), 9000, 6)]));

    [Fact]
    public void The_Service_that_is_meant_is_found_by_address_and_by_node_port()
    {
        Assert.Same(Web, ServiceNearMiss.Meant([Web], IpAddress.Parse("10.96.0.7"), 81));
        Assert.Same(Web, ServiceNearMiss.Meant([Web], IpAddress.Parse("192.168.1.11"), 31000));
        Assert.Null(ServiceNearMiss.Meant([Web], IpAddress.Parse("192.168.1.11"), 31001));
    }

    private static EndpointSlice Slice(string service, bool? isReady) => new()
    {
        Metadata = new ObjectMeta { Name = service, Namespace = "default", Labels = new Dictionary<string, string> { [EndpointSlice.ServiceNameLabel] = service } },
        Endpoints = [new Endpoint { Addresses = ["10.244.1.2"], Conditions = new EndpointConditions { Ready = isReady }, TargetRef = new ObjectReference { Kind = "Pod", Namespace = "default", Name = "web-1" } }],
    };

    private static Pod Pod(string name, string app, bool ready) => new()
    {
        Metadata = new ObjectMeta { Name = name, Namespace = "default", Labels = new Dictionary<string, string> { ["app"] = app } },
        Status = new PodStatus
        {
            Phase = "Running",
            Conditions = [new Condition { Type = "Ready", Status = ready ? "True" : "False" }],
            ContainerStatuses = [new ContainerStatus { Name = "c", Ready = ready }],
        },
    };
}
