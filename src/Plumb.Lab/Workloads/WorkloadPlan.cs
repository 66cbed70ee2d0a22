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

    /// <summary>Runs once and ends; there is no program then.</summary>
    public Errand? Errand { get; init; }

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

        if (name == "agnhost" && Errand.Of(container.Args) is { } errand)
        {
            return new WorkloadPlan(null, [], [], PortsAreNamed: true) { Errand = errand };
        }

        var tcp = Ports(container, PortProtocol.Tcp);
        var udp = Ports(container, PortProtocol.Udp);
        if (name == "agnhost" && container.Args is ["netexec", ..])
        {
            // netexec listens where its options say, whatever the container's ports are; they are documentation.
            return new WorkloadPlan(NetexecProgram, [Option(container.Args, "http-port") ?? 8080], [Option(container.Args, "udp-port") ?? 8081], PortsAreNamed: true);
        }

        if (name == "agnhost" && container.Args is ["serve-hostname", ..])
        {
            var port = Option(container.Args, "port") ?? 9376;
            // On one port only one of the two can be: the bare one, which nobody gets without asking for it.
            var teller = new ServeHostname(Has(container.Args, "tcp"), Has(container.Args, "close"));
            var http = Has(container.Args, "tcp") || !container.Args.Contains("--http=false");
            return new WorkloadPlan(teller, http ? [port] : [], Has(container.Args, "udp") ? [port] : [], PortsAreNamed: true);
        }

        if (name == "agnhost" && container.Args is ["porter", ..])
        {
            var words = PortWords(container);
            return new WorkloadPlan(new Porter(words), [.. words.Keys], [], PortsAreNamed: true);
        }

        if (name == "agnhost" && container.Args is ["grpc-health-checking", ..])
        {
            var port = Option(container.Args, "port") ?? 5000;
            return new WorkloadPlan(new GrpcHealthChecking(port, OptionText(container.Args, "service") ?? ""), [port, Option(container.Args, "http-port") ?? 8080], [], PortsAreNamed: true);
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

    /// <summary>`SERVE_PORT_80=words`</summary>
    private static SortedDictionary<ushort, string> PortWords(ContainerSpec container)
    {
        const string prefix = "SERVE_PORT_";
        var words = new SortedDictionary<ushort, string>();
        foreach (var variable in container.Environment)
        {
            if (variable.Name.StartsWith(prefix, StringComparison.Ordinal) && ushort.TryParse(variable.Name.AsSpan(prefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var port))
            {
                words[port] = variable.Value;
            }
        }

        return words;
    }

    private static bool Has(IReadOnlyList<string> args, string flag) => args.Contains("--" + flag) || args.Contains($"--{flag}=true");

    private static ushort? Option(IReadOnlyList<string> args, string name) =>
        ushort.TryParse(OptionText(args, name), NumberStyles.None, CultureInfo.InvariantCulture, out var port) ? port : null;

    /// <summary>`--name=8080` or `--name 8080`.</summary>
    internal static string? OptionText(IReadOnlyList<string> args, string name)
    {
        for (var i = 0; i < args.Count; i++)
        {
            if (args[i].StartsWith($"--{name}=", StringComparison.Ordinal))
            {
                return args[i][(name.Length + 3)..];
            }
            if (args[i] == $"--{name}" && i + 1 < args.Count)
            {
                return args[i + 1];
            }
        }

        return null;
    }
}
