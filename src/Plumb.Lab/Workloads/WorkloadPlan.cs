using System.Net;
using Plumb.Lab.Containers;

namespace Plumb.Lab.Workloads;

/// <summary>Which program stands in for a container without a command, and where it listens. Pure: image, ports and arguments in.</summary>
/// <param name="TcpPorts">In the order of the container's ports.</param>
/// <param name="PortsAreNamed">False when nobody asked for these ports: being unable to have one is then worth a log line and no more.</param>
internal sealed record WorkloadPlan(WorkloadProgram? Program, IReadOnlyList<ushort> TcpPorts, IReadOnlyList<ushort> UdpPorts, bool PortsAreNamed)
{
    private static readonly Httpd HttpdProgram = new();
    private static readonly Nginx NginxProgram = new();
    private static readonly Echo EchoProgram = new();

    /// <summary>Runs once and ends; there is no program then.</summary>
    public Errand? Errand { get; init; }

    public IReadOnlyList<ushort> SctpPorts { get; init; } = [];

    /// <summary>Where the UDP ports are; empty: at all addresses.</summary>
    public IReadOnlyList<IPAddress> UdpAddresses { get; init; } = [];

    /// <summary>PEM files as the container sees them: its certificate for ports with TLS, and the key to it.</summary>
    public string CertificateFile { get; init; } = "";

    /// <inheritdoc cref="CertificateFile"/>
    public string KeyFile { get; init; } = "";

    /// <summary>For a person: what stands in, and where it listens.</summary>
    public string Describe()
    {
        if (Errand is not null)
        {
            return $"Plumb's built-in {Errand.Name}, which runs once and ends";
        }

        if (Program is null)
        {
            return "Plumb's built-in pause: it waits, and listens nowhere";
        }

        var ports = string.Join(", ", TcpPorts.Select(static port => $"{port}/TCP").Concat(UdpPorts.Select(static port => $"{port}/UDP")).Concat(SctpPorts.Select(static port => $"{port}/SCTP")));
        return $"Plumb's built-in {Program.Name}, listening on {ports}";
    }

    public static WorkloadPlan Of(ContainerSpec container)
    {
        var name = ImageName(container.Image);
        if (name == "pause")
        {
            return new WorkloadPlan(null, [], [], PortsAreNamed: true);
        }
        if (name == "agnhost" && Agnhost.Plan(container) is { } plan)
        {
            return plan;
        }

        var tcp = Ports(container, PortProtocol.Tcp);
        var udp = Ports(container, PortProtocol.Udp);
        var sctp = Ports(container, PortProtocol.Sctp);
        WorkloadProgram program = name switch
        {
            "httpd" => HttpdProgram,
            "nginx" or "nginx-unprivileged" => NginxProgram,
            _ => EchoProgram,
        };
        return tcp.Count + udp.Count + sctp.Count > 0
            ? new WorkloadPlan(program, tcp, udp, PortsAreNamed: true) { SctpPorts = sctp }
            : new WorkloadPlan(program, [80], [], PortsAreNamed: false);
    }

    /// <summary>The last part of an image's name: `httpd` of `registry:5000/library/httpd:2.4@sha256:…`.</summary>
    internal static string ImageName(string image)
    {
        var name = image.AsSpan();
        if (name.IndexOf('@') is var digest and >= 0)
        {
            name = name[..digest];
        }

        name = name[(name.LastIndexOf('/') + 1)..];
        return (name.IndexOf(':') is var tag and >= 0 ? name[..tag] : name).ToString();
    }

    private static List<ushort> Ports(ContainerSpec container, PortProtocol protocol)
    {
        var ports = new List<ushort>();
        foreach (var port in container.Ports)
        {
            if (port.Protocol == protocol && !ports.Contains(port.Number))
            {
                ports.Add(port.Number);
            }
        }

        return ports;
    }
}
