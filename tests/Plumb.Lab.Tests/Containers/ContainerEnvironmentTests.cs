using Plumb.Kubernetes.Objects;
using Plumb.Lab.Containers;
using Plumb.Linux.Addresses;
using Plumb.Linux.Namespaces;

namespace Plumb.Lab.Tests.Containers;

public sealed class ContainerEnvironmentTests
{
    [Theory]
    [InlineData("plain", "plain")]
    [InlineData("$(A)", "1")]
    [InlineData("a$(A)b$(B)c", "a1b2c")]
    [InlineData("$$(A)", "$(A)")]
    [InlineData("$$$(A)", "$1")]
    [InlineData("$(NONE) $A ${A} $", "$(NONE) $A ${A} $")]
    [InlineData("$(A", "$(A")]
    public void References_are_replaced_and_everything_else_stays(string text, string expected) =>
        Assert.Equal(expected, ContainerEnvironment.Expand(text, new Dictionary<string, string> { ["A"] = "1", ["B"] = "2" }));

    [Theory]
    [InlineData("metadata.name", "p")]
    [InlineData("metadata.namespace", "ns")]
    [InlineData("metadata.uid", "u")]
    [InlineData("metadata.labels['app']", "web")]
    [InlineData("metadata.labels['none']", "")]
    [InlineData("metadata.annotations['a/b']", "x")]
    [InlineData("spec.nodeName", "node-1")]
    [InlineData("spec.serviceAccountName", "default")]
    [InlineData("status.podIP", "10.244.1.5")]
    [InlineData("status.podIPs", "10.244.1.5,fd00::5")]
    [InlineData("status.hostIP", "192.168.1.11")]
    [InlineData("metadata.labels['']", null)]
    [InlineData("metadata.labels", null)]
    [InlineData("spec.containers", null)]
    public void Fields_of_the_pod_are_known(string path, string? expected)
    {
        using var network = NetworkNamespace.OpenHome();
        var pod = new PodFacts(new ObjectKey("Pod", "ns", "p"), "u", "node-1", network, [IpAddress.Parse("10.244.1.5"), IpAddress.Parse("fd00::5")])
        {
            NodeAddresses = [IpAddress.Parse("192.168.1.11")],
            Labels = new Dictionary<string, string> { ["app"] = "web" },
            Annotations = new Dictionary<string, string> { ["a/b"] = "x" },
        };
        Assert.Equal(expected, ContainerEnvironment.Field(pod, path));
    }

    [Fact]
    public void The_containers_own_variables_win_over_those_of_the_kubelet()
    {
        using var network = NetworkNamespace.OpenHome();
        var pod = new PodFacts(new ObjectKey("Pod", "ns", "p"), "u", "node-1", network, [])
        {
            ServiceEnvironment = new Dictionary<string, string> { ["KUBERNETES_SERVICE_HOST"] = "10.96.0.1", ["X"] = "kubelet" },
        };
        var environment = ContainerEnvironment.Build(pod, new ContainerSpec("c", "i", ["x"], []) { Environment = [new("X", "own"), new("API", "$(KUBERNETES_SERVICE_HOST):443")] });
        Assert.Equal(("own", "10.96.0.1:443", "p"), (environment["X"], environment["API"], environment["HOSTNAME"]));
    }
}
