using System.Globalization;
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
    private static readonly Netexec NetexecProgram = new();

    /// <summary>For a person: what stands in, and where it listens.</summary>
    public string Describe()
    {
        if (Program is null)
        {
            return "Plumb's built-in pause: it waits, and listens nowhere";
        }

        var ports = string.Join(", ", TcpPorts.Select(static port => $"{port}/TCP").Concat(UdpPorts.Select(static port => $"{port}/UDP")));
        return $"Plumb's built-in {Program.Name}, listening on {ports}";
    }

    public static WorkloadPlan Of(ContainerSpec container)
    {
        var name = ImageName(container.Image);
        if (name == "pause" || (name == "agnhost" && container.Args is [] or ["pause", ..]))
        {
            return new WorkloadPlan(null, [], [], PortsAreNamed: true);
        }

        var tcp = Ports(container, PortProtocol.Tcp);
        var udp = Ports(container, PortProtocol.Udp);
        if (name == "agnhost" && container.Args is ["netexec", ..])
        {
            // netexec listens where its options say, whatever the container's ports are; they are documentation.
            return new WorkloadPlan(NetexecProgram, [Option(container.Args, "http-port") ?? 8080], [Option(container.Args, "udp-port") ?? 8081], PortsAreNamed: true);
        }

        WorkloadProgram program = name switch
        {
            "httpd" => HttpdProgram,
            "nginx" or "nginx-unprivileged" => NginxProgram,
            _ => EchoProgram,
        };
        return tcp.Count + udp.Count > 0
            ? new WorkloadPlan(program, tcp, udp, PortsAreNamed: true)
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

    /// <summary>`--name=8080` or `--name 8080`.</summary>
    private static ushort? Option(IReadOnlyList<string> args, string name)
    {
        for (var i = 0; i < args.Count; i++)
        {
            var text = args[i].StartsWith($"--{name}=", StringComparison.Ordinal) ? args[i][(name.Length + 3)..]
                : args[i] == $"--{name}" && i + 1 < args.Count ? args[i + 1]
                : null;
            if (ushort.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port))
            {
                return port;
            }
        }

        return null;
    }
}
