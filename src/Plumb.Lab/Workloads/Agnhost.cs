using System.Globalization;
using System.Net;
using Plumb.Lab.Containers;

namespace Plumb.Lab.Workloads;

/// <summary>The programs of Kubernetes' own test image (`agnhost PROGRAM [--option=value]…`), and where their arguments make them listen. Pure.</summary>
internal static class Agnhost
{
    private const int NoPort = -1;

    /// <returns>Null: it is none of them; the container's ports say where something listens.</returns>
    public static WorkloadPlan? Plan(ContainerSpec container)
    {
        var args = container.Args;
        return args switch
        {
            [] or ["pause", ..] => new WorkloadPlan(null, [], [], PortsAreNamed: true),
            ["netexec", ..] => OfNetexec(args),
            ["serve-hostname", ..] => OfServeHostname(args),
            ["porter", ..] => OfPorter(container),
            ["grpc-health-checking", ..] when PortOf(args, "port", 5000) is [var port] =>
                new WorkloadPlan(new GrpcHealthChecking(port, OptionText(args, "service") ?? ""), [port, .. PortOf(args, "http-port", 8080)], [], PortsAreNamed: true),
            _ when Errand.Of(args) is { } errand => new WorkloadPlan(null, [], [], PortsAreNamed: true) { Errand = errand },
            _ => null,
        };
    }

    // netexec listens where its options say, whatever the container's ports are; they are documentation.
    private static WorkloadPlan OfNetexec(IReadOnlyList<string> args)
    {
        var certificate = OptionText(args, "tls-cert-file") ?? "";
        return new WorkloadPlan(
            new Netexec(OptionText(args, "http-override") ?? "", hasTls: certificate.Length > 0), PortOf(args, "http-port", 8080), PortOf(args, "udp-port", 8081), PortsAreNamed: true)
        {
            SctpPorts = PortOf(args, "sctp-port", NoPort),
            UdpAddresses = [.. (OptionText(args, "udp-listen-addresses") ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries).Select(static text => IPAddress.TryParse(text, out var address) ? address : null).OfType<IPAddress>()],
            CertificateFile = certificate,
            KeyFile = OptionText(args, "tls-private-key-file") ?? "",
        };
    }

    private static WorkloadPlan OfServeHostname(IReadOnlyList<string> args)
    {
        var port = PortOf(args, "port", 9376);
        // On one port only one of the two can be: the bare one, which nobody gets without asking for it.
        var tcp = Has(args, "tcp");
        var listens = tcp || !args.Contains("--http=false");
        return new WorkloadPlan(new ServeHostname(tcp, Has(args, "close")), listens ? port : [], Has(args, "udp") ? port : [], PortsAreNamed: true);
    }

    private static WorkloadPlan OfPorter(ContainerSpec container)
    {
        var http = Words(container, "SERVE_PORT_").Concat(Words(container, "SERVE_TCP_PORT_")).DistinctBy(static entry => entry.Key).ToDictionary();
        var tls = Words(container, "SERVE_TLS_PORT_");
        var udp = Words(container, "SERVE_UDP_PORT_");
        var sctp = Words(container, "SERVE_SCTP_PORT_");
        return new WorkloadPlan(new Porter(http, tls, udp, sctp, Has(container.Args, "json-response")), [.. http.Keys.Concat(tls.Keys).Distinct().Order()], [.. udp.Keys], PortsAreNamed: true)
        {
            SctpPorts = [.. sctp.Keys],
            CertificateFile = Variable("CERT_FILE") ?? "/localhost.crt",
            KeyFile = Variable("KEY_FILE") ?? "/localhost.key",
        };

        string? Variable(string name) => container.Environment.LastOrDefault(variable => variable.Name == name)?.Value;
    }

    /// <summary>`SERVE_PORT_80=words`</summary>
    private static SortedDictionary<ushort, string> Words(ContainerSpec container, string prefix)
    {
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

    /// <returns>None: it is switched off (-1).</returns>
    private static ushort[] PortOf(IReadOnlyList<string> args, string name, int otherwise)
    {
        var port = int.TryParse(OptionText(args, name), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var given) ? given : otherwise;
        return port is > 0 and <= ushort.MaxValue ? [(ushort)port] : [];
    }

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
