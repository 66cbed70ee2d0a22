using Plumb.Lab.Containers;
using Plumb.Lab.Workloads;

namespace Plumb.Lab.Tests.Workloads;

public sealed class WorkloadPlanTests
{
    [Theory]
    [InlineData("httpd", "httpd")]
    [InlineData("httpd:2.4", "httpd")]
    [InlineData("docker.io/library/httpd", "httpd")]
    [InlineData("localhost:5000/nginx@sha256:0000", "nginx")]
    [InlineData("localhost:5000/a/nginx:1.27@sha256:0000", "nginx")]
    [InlineData("a/b.c/d_e:latest", "d_e")]
    public void An_image_is_known_by_the_last_part_of_its_name(string image, string name) => Assert.Equal(name, WorkloadPlan.ImageName(image));

    [Theory]
    [InlineData("httpd", "httpd")]
    [InlineData("nginx:alpine", "nginx")]
    [InlineData("hashicorp/http-echo", "echo")]
    [InlineData("redis:7", "echo")]
    public void An_unknown_image_is_served_by_echo(string image, string program) =>
        Assert.Equal($"Plumb's built-in {program}, listening on 80/TCP", WorkloadPlan.Of(new ContainerSpec("c", image, [], [])).Describe());

    [Fact]
    public void A_container_listens_on_its_ports_each_once()
    {
        ContainerPort[] ports = [new(8080, PortProtocol.Tcp, "http"), new(53, PortProtocol.Udp, "dns"), new(8443, PortProtocol.Tcp, ""), new(8080, PortProtocol.Tcp, "again")];
        var plan = WorkloadPlan.Of(new ContainerSpec("c", "x", [], []) { Ports = ports });
        Assert.Equal([8080, 8443], plan.TcpPorts);
        Assert.Equal([53], plan.UdpPorts);
        Assert.True(plan.PortsAreNamed);
    }

    [Theory]
    [InlineData("netexec", 8080, 8081)]
    [InlineData("netexec --http-port=80", 80, 8081)]
    [InlineData("netexec --http-port 80 --udp-port 90", 80, 90)]
    [InlineData("netexec --http-port", 8080, 8081)]
    [InlineData("netexec --http-port=x", 8080, 8081)]
    public void Netexec_takes_its_ports_from_its_options(string args, ushort tcp, ushort udp)
    {
        var plan = WorkloadPlan.Of(new ContainerSpec("c", "agnhost", [], args.Split(' ')) { Ports = [new(1234, PortProtocol.Tcp, "")] });
        Assert.Equal([tcp], plan.TcpPorts);
        Assert.Equal([udp], plan.UdpPorts);
    }

    [Theory]
    [InlineData("registry.k8s.io/pause:3.10", "")]
    [InlineData("agnhost", "pause")]
    public void Pause_listens_nowhere(string image, string args)
    {
        var plan = WorkloadPlan.Of(new ContainerSpec("c", image, [], args.Length == 0 ? [] : [args]));
        Assert.Null(plan.Program);
        Assert.Empty(plan.TcpPorts);
    }

    [Theory]
    [InlineData("serve-hostname", "Plumb's built-in serve-hostname, listening on 9376/TCP")]
    [InlineData("serve-hostname --http --udp --port=80", "Plumb's built-in serve-hostname, listening on 80/TCP, 80/UDP")]
    [InlineData("porter", "Plumb's built-in porter, listening on 80/TCP, 8080/TCP, 81/SCTP")]
    [InlineData("netexec --udp-port=-1 --sctp-port 9", "Plumb's built-in netexec, listening on 8080/TCP, 9/SCTP")]
    [InlineData("connect 10.0.0.1:80 --timeout=2s", "Plumb's built-in connect, which runs once and ends")]
    [InlineData("etc-hosts", "Plumb's built-in etc-hosts, which runs once and ends")]
    public void Agnhost_is_what_its_arguments_say(string args, string words)
    {
        var plan = WorkloadPlan.Of(new ContainerSpec("c", "registry.k8s.io/e2e-test-images/agnhost:2.47", [], args.Split(' '))
        {
            Environment = [new("SERVE_PORT_8080", "b"), new("SERVE_PORT_80", "a"), new("SERVE_SCTP_PORT_81", "c")],
        });
        Assert.Equal(words, plan.Describe());
    }
}
