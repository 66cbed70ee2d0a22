using System.CommandLine;
using System.Net;
using System.Runtime.InteropServices;
using Plumb.Agent;
using Plumb.Agent.Installing;
using Plumb.Agent.Metrics;
using Plumb.Agent.Probing;
using Plumb.Agent.Storage;
using Plumb.CommandLine;
using Plumb.Commands;
using Plumb.Dns.Forwarding;
using Plumb.Kubernetes.Clients;
using Plumb.Lab;
using Plumb.Linux.Addresses;
using Plumb.Linux.Namespaces;
using Plumb.Linux.State;
using Plumb.Network.Facts;
using Plumb.Output;

namespace Plumb.Installing;

/// <summary>`plumb agent`: one node's agent, on a machine or in a node of a lab with `--agent-processes`.</summary>
internal sealed class AgentCommand : Verb
{
    /// <summary>Names a directory of files for <see cref="CrashSeam"/>, one a node; tests set it.</summary>
    private const string CrashVariable = "PLUMB_AGENT_CRASH";

    private readonly Option<string?> _node = Text("--node", "NAME", "name of the Node object; this machine's host name if it is left out");
    private readonly Option<string?> _stateDirectory = Text("--state-dir", "DIR", "leases and what must outlive the agent (default /var/lib/plumb)");
    private readonly Option<string?> _socket = Text("--socket", "PATH", "where the CNI plugin and people's tools reach the agent (default " + AgentOptions.DefaultSocket + ")");
    private readonly Option<string?> _cniConfiguration = Text("--cni-conf-dir", "DIR", "where the CNI configuration is written when pods can be served (default /etc/cni/net.d); none: nowhere");
    private readonly Option<string?> _cniPlugin = Text("--cni-plugin", "NAME", "the plugin that it names (default plumb-cni)");
    private readonly Option<string?> _cniPrograms = Text("--cni-bin-dir", "DIR", "put the plugin there, /opt/cni/bin as a rule, before the configuration names it; left out: it is there");
    private readonly Flag _uninstall = new("--uninstall", "take all of Plumb off this node and end: configuration, kernel state, leases, and the plugin if --cni-bin-dir is given");
    private readonly Flag _check = new("--check", "say what this kernel does not give of what such a network needs, tried in a network namespace of its own, and end");
    private readonly ValueOption<OutputFormat> _output = CommonOptions.Output();
    private readonly ValueOption<IPEndPoint?> _health = new(
        "--health-address", [], "ADDRESS:PORT", "answer /healthz, /readyz and /metrics there, as 127.0.0.1:9473; left out: nowhere", EndPoint, null);
    private readonly ValueOption<bool> _jsonLog = new(
        "--log-format", [], "FORMAT", "text: a line an event, for a journal; json: an object a line, with the event's parts by name, for collectors", Read.OneOf([("text", false), ("json", true)], []), false, "text")
    {
        Offers = ["text", "json"],
    };
    private readonly Option<string?> _kubeconfig = Text("--kubeconfig", "FILE", "how to reach the API; KUBECONFIG says it too, and inside a pod its service account");
    private readonly AgentOptions _agent = new();
    private readonly UpOptions _cluster = new();

    public AgentCommand()
        : base("agent", "run one node's agent: it plans, applies, repairs, and serves CNI")
    {
        foreach (var option in (Option[])[_node, _kubeconfig, _stateDirectory, _socket, _cniConfiguration, _cniPlugin, _cniPrograms, _health, _jsonLog, _uninstall, _check, _output, _cluster.Overlay, _cluster.Services, _cluster.PodRanges, _cluster.ServiceRanges, _agent.Dns, _cluster.DnsUpstreams])
        {
            Options.Add(option);
        }
    }

    public override IReadOnlyList<Example> Examples { get; } =
    [
        new("plumb agent --kubeconfig /etc/plumb/kubeconfig --cni-bin-dir /opt/cni/bin", "on a node of a cluster (a kubelet's own kubeconfig may not list nodes)"),
        new("plumb agent --check --overlay vxlan", "whether this kernel gives what is needed; exit code 1 if no pod could be wired"),
        new("plumb agent --uninstall --cni-bin-dir /opt/cni/bin", "leave the node as it was before"),
        new("plumb agent --node node-1 --overlay routed --pod-cidr 10.10.0.0/16", "with the cluster's choices"),
    ];

    public override async Task<int> RunAsync(Invocation invocation)
    {
        using var network = NetworkNamespace.OpenHome();
        if (invocation.IsOn(_uninstall))
        {
            var report = await RemoveAsync(NodeOptions(invocation, network, api: null), invocation.Parsed.GetValue(_kubeconfig), invocation.Time);
            Printer.Print(report, static () => ResultJson.Default.RemovalReport, invocation, _output, Write);
            return ExitCode.Done;
        }
        if (invocation.IsOn(_check))
        {
            var lost = KernelProbe.Run(Cluster(invocation));
            Printer.Print(new KernelCheck(lost), static () => ResultJson.Default.KernelCheck, invocation, _output, Write);
            return lost.Any(static one => one.IsNeeded) ? ExitCode.Failed : ExitCode.Done;
        }
        using var interrupt = new Interrupt();
        using var metrics = invocation.Value(_health) is not null || MetricsExport.IsTold(Environment.GetEnvironmentVariable) ? new AgentMetrics(invocation.Time) : null;
        using var client = new KubernetesClient(Connection(invocation.Parsed.GetValue(_kubeconfig)), invocation.Time, "plumb-agent");
        var options = NodeOptions(invocation, network, client) with { Metrics = metrics, HealthAddress = invocation.Value(_health), Probe = KernelProbe.Run };
        await using var agent = await NodeAgent.StartAsync(options, interrupt.Token);
        await Task.WhenAny(agent.Ended, Task.Delay(Timeout.Infinite, interrupt.Token));
        if (agent.Ended.IsFaulted)
        {
            await agent.Ended;
        }
        await agent.WithdrawAsync();
        // SIGTERM is how a service is ended: it did what it was asked.
        return interrupt.Signal switch
        {
            null => ExitCode.Failed,
            PosixSignal.SIGTERM => ExitCode.Done,
            _ => interrupt.Code,
        };
    }

    // An API that somebody named: the one of a home directory may be any cluster's.
    private static async Task<RemovalReport> RemoveAsync(NodeAgentOptions options, string? kubeconfig, TimeProvider time)
    {
        var isNamed = (kubeconfig ?? Environment.GetEnvironmentVariable("KUBECONFIG")) is { Length: > 0 } || InClusterConfiguration.Load(Environment.GetEnvironmentVariable) is not null;
        // Before anything is taken away: a kubeconfig that cannot be read is said while all is still there.
        using var client = isNamed ? new KubernetesClient(Connection(kubeconfig), time, "plumb-agent") : null;
        var report = NodeRemoval.Run(options);
        return client is null ? report : report with { Condition = await NodeRemoval.TakeBackConditionAsync(client, options.NodeName, CancellationToken.None) };
    }

    private NodeAgentOptions NodeOptions(Invocation invocation, NetworkNamespace network, KubernetesClient? api)
    {
        var dns = _agent.DnsOf(invocation);
        var name = invocation.Parsed.GetValue(_node) ?? Environment.MachineName.ToLowerInvariant();
        return new NodeAgentOptions
        {
            NodeName = name,
            Network = network,
            StateDirectory = invocation.Parsed.GetValue(_stateDirectory) ?? "/var/lib/plumb",
            SocketPath = invocation.Parsed.GetValue(_socket) ?? AgentOptions.DefaultSocket,
            CniConfigurationDirectory = invocation.Parsed.GetValue(_cniConfiguration) switch { null => "/etc/cni/net.d", "none" => null, var written => written },
            CniPlugin = invocation.Parsed.GetValue(_cniPlugin) ?? "plumb-cni",
            PluginDirectory = invocation.Parsed.GetValue(_cniPrograms),
            Cluster = Cluster(invocation),
            Forward = new ForwardOptions { Upstreams = Upstreams(invocation, dns) },
            Api = api,
            Random = new Random(Environment.ProcessId),
            Time = invocation.Time,
            OwnsProcess = true,
            Writes = Environment.GetEnvironmentVariable(CrashVariable) is { Length: > 0 } directory
                ? new CrashSeam(Path.Combine(directory, name))
                : IWriteSeam.None,
            Log = invocation.Value(_jsonLog) ? new JsonLog(invocation.Terminal.Error, invocation.Time) : new LineLog(invocation.Terminal.Error),
        };
    }

    private NetworkOptions Cluster(Invocation invocation) => new()
    {
        Overlay = invocation.Value(_cluster.Overlay),
        Services = invocation.Value(_cluster.Services),
        ClusterRanges = RangesOf(invocation, _cluster.PodRanges, DefaultRanges.Pods),
        ServiceRanges = RangesOf(invocation, _cluster.ServiceRanges, DefaultRanges.Services),
        DnsServers = [.. _agent.DnsOf(invocation)],
    };

    private static void Write(KernelCheck check, TextWriter to, Style style)
    {
        foreach (var lost in check.Lost)
        {
            to.WriteLine(lost.IsNeeded ? style.Bad(lost.Line) : style.Warning(lost.Line));
        }
        if (check.Lost.Count == 0)
        {
            to.WriteLine("this kernel gives all that such a network needs");
        }
    }

    private static void Write(RemovalReport report, TextWriter to, Style style)
    {
        foreach (var entry in report.Entries)
        {
            to.WriteLine($"removed   {entry}");
        }
        foreach (var parameter in report.Parameters)
        {
            to.WriteLine($"restored  {parameter}");
        }
        foreach (var file in report.Files)
        {
            to.WriteLine($"deleted   {file}");
        }
        if (report.Condition is { } condition)
        {
            to.WriteLine(condition);
        }
        var nothing = report.Entries.Count + report.Parameters.Count + report.Files.Count + report.Leases == 0;
        to.WriteLine(nothing
            ? $"nothing of Plumb is on {style.Strong(report.Node)}"
            : $"{style.Strong(report.Node)}: {report.Entries.Count} entries of the kernel, {report.Parameters.Count} parameters, {report.Connections} connections, {report.Leases} leases, {report.Files.Count} files");
    }

    private static Parsed<IPEndPoint?> EndPoint(string text) => IPEndPoint.TryParse(text, out var parsed) && parsed.Port != 0 && text.Contains(':')
        ? parsed
        : Parsed<IPEndPoint?>.Wrong($"'{text}' is not an address with its port such as 127.0.0.1:9473 or [::1]:9473");

    // An agent is told the ranges of its cluster, and with them the families.
    private static ValueList<IpPrefix> RangesOf(Invocation invocation, ValueOption<ValueList<IpPrefix>> option, DefaultRanges kind) =>
        invocation.Value(option) is { Count: > 0 } told ? told : kind.Of(IpFamilies.IPv4);

    private IReadOnlyList<IPEndPoint> Upstreams(Invocation invocation, IpAddress[] own)
    {
        const string machines = "/etc/resolv.conf";
        return _cluster.UpstreamsOf(invocation) is { } written ? [.. written.Select(static text => ForwardOptions.Server(text)!)]
            : own.Length != 0 && File.Exists(machines) ? ForwardOptions.Servers(File.ReadAllText(machines), [.. own.Select(static address => address.ToIPAddress())])
            : [];
    }

    private static ClusterConnection Connection(string? path)
    {
        var list = path ?? Environment.GetEnvironmentVariable("KUBECONFIG");
        if (string.IsNullOrEmpty(list) && InClusterConfiguration.Load(Environment.GetEnvironmentVariable) is { } inside)
        {
            return inside;
        }
        return Kubeconfig.Load(list, Environment.GetFolderPath(Environment.SpecialFolder.UserProfile)).Connection();
    }

    private static Option<string?> Text(string name, string value, string description) => new(name) { HelpName = value, Description = description };
}

/// <param name="Lost">What the kernel does not give; empty: it gives all.</param>
internal sealed record KernelCheck(IReadOnlyList<LostFeature> Lost);
