using System.CommandLine;
using System.Globalization;
using Plumb.Agent;
using Plumb.CommandLine;
using Plumb.Installing;
using Plumb.Lab;
using Plumb.Lab.Running;
using Plumb.Output;

namespace Plumb.Commands;

/// <summary>`plumb status`: which labs run, and how each is.</summary>
internal sealed class StatusCommand : Verb
{
    private readonly Argument<string?> _argument = CommonOptions.NameArgument();
    private readonly ValueOption<LabName?> _name = CommonOptions.Name();
    private readonly ValueOption<OutputFormat> _output = CommonOptions.Output();

    private readonly Option<string?> _socket = AgentSocket.Option();

    public StatusCommand()
        : base("status", "show the labs that run, their nodes and where their API is; on a node of a cluster, how it is")
    {
        Arguments.Add(_argument);
        Options.Add(_name);
        Options.Add(_socket);
        Options.Add(_output);
    }

    public override IReadOnlyList<Example> Examples { get; } =
    [
        new("plumb status", "all labs of this user"),
        new("plumb status blue -o json", "one lab, for a program"),
        new("sudo plumb status", "on a node of a cluster: what its agent does, holds and could not do"),
    ];

    public override Task<int> RunAsync(Invocation invocation)
    {
        LabName[] names = invocation.Value(_argument) is null && !invocation.IsGiven(_name) && Environment.GetEnvironmentVariable(CommonOptions.LabVariable) is null or ""
            ? LabClient.Running()
            : [invocation.Lab(_name, _argument)];
        var labs = new List<LabReport>();
        foreach (var name in names)
        {
            labs.Add(Ask(name, invocation.Time));
        }
        var node = labs.Count == 0 || invocation.IsGiven(_socket) ? AgentSocket.Find(invocation.Parsed.GetValue(_socket), invocation.Terminal.Error.WriteLine)?.Report() : null;
        Printer.Print(new StatusResult(labs, node), static () => ResultJson.Default.StatusResult, invocation, _output, Write);
        return Task.FromResult(ExitCode.Done);
    }

    // By itself: where no lab runs, the code that speaks to one is not even loaded.
    private static LabReport Ask(LabName name, TimeProvider time) => LabReport.Of(LabClient.Connect(name, time).Status());

    private static void WriteHostPorts(LabReport lab, TextWriter to, Style style)
    {
        var open = lab.HostPorts.Where(static port => port.HostPort is not null).ToList();
        for (var i = 0; i < open.Count; i++)
        {
            to.WriteLine($"  {(i == 0 ? "node ports" : ""),-10}  127.0.0.1:{open[i].HostPort}{(open[i].Protocol == "UDP" ? "/UDP" : "")} leads to {open[i].Service}");
        }
        foreach (var port in lab.HostPorts.Where(static port => port.Warning is not null))
        {
            to.WriteLine($"  {style.Warning("warning")}     {port.Warning}");
        }
    }

    private static void Write(StatusResult result, TextWriter to, Style style)
    {
        if (result.Node is { } node)
        {
            AgentStatus.Write(node, to, style);
        }
        else if (result.Labs.Count == 0)
        {
            to.WriteLine("no lab is running; `plumb up` starts one");
        }
        foreach (var lab in result.Labs)
        {
            to.WriteLine($"{style.Strong(lab.Name)}  {(lab.Phase == "Ready" ? style.Good("Ready") : style.Warning(lab.Phase))}  since {lab.StartedAt.ToLocalTime().ToString("HH:mm:ss", CultureInfo.InvariantCulture)}, process {lab.ProcessId}, {lab.MemoryBytes / 1_000_000} MB");
            to.WriteLine($"  api         {lab.Api}");
            to.WriteLine($"  kubeconfig  {lab.Kubeconfig}");
            to.WriteLine($"  network     pods {string.Join(", ", lab.PodRanges)} by {lab.Overlay}, services {string.Join(", ", lab.ServiceRanges)} by {lab.Services}");
            WriteHostPorts(lab, to, style);
            to.WriteLine();
            var table = new TextTable("NODE", "ADDRESS", "READY", "PODS");
            foreach (var machine in lab.Machines.Where(static m => m.Ready is not null))
            {
                table.Add(machine.Name, string.Join(", ", machine.Addresses), machine.Ready == true ? "yes" : "no", $"{lab.Pods.Count(p => p.Node == machine.Name)}");
            }
            table.Write(to, style);
        }
    }
}

/// <param name="Node">Of this machine, if it is a node of a cluster; else null.</param>
internal sealed record StatusResult(IReadOnlyList<LabReport> Labs, NodeReport? Node = null);

/// <param name="ProcessId">The lab's process; with it end all others.</param>
internal sealed record LabReport(
    string Name,
    string Phase,
    string Api,
    string Kubeconfig,
    int ProcessId,
    DateTimeOffset StartedAt,
    long MemoryBytes,
    string Overlay,
    string Services,
    IReadOnlyList<string> PodRanges,
    IReadOnlyList<string> ServiceRanges,
    IReadOnlyList<MachineReport> Machines,
    IReadOnlyList<PodPlace> Pods,
    IReadOnlyList<HostPortStatus> HostPorts)
{
    public static LabReport Of(LabStatus lab) => new(
        lab.Name.ToString(),
        lab.Phase.ToString(),
        lab.Api.ToString().TrimEnd('/'),
        lab.Kubeconfig,
        lab.ProcessId,
        lab.StartedAt,
        lab.MemoryBytes,
        lab.Overlay.ToString().ToLowerInvariant(),
        lab.Services.ToString().ToLowerInvariant(),
        Texts(lab.PodRanges),
        Texts(lab.ServiceRanges),
        [.. lab.Machines.Select(static m => new MachineReport(m.Name, Texts(m.Addresses), m.Ready, m.NamespacePath, m.AgentProcessId))],
        [.. lab.Pods.Select(static p => new PodPlace(p.Namespace, p.Name, p.Node, Texts(p.Addresses), p.Phase, p.NamespacePath))],
        lab.HostPorts);

    private static string[] Texts<T>(IReadOnlyList<T> values) => [.. values.Select(static value => $"{value}")];
}

/// <param name="Addresses">One of each family, the preferred one first.</param>
/// <param name="Ready">Null for what is no node.</param>
/// <param name="NamespacePath">Its network namespace, for `nsenter --net=`.</param>
/// <param name="AgentProcessId">Of a node whose agent is a process of its own.</param>
internal sealed record MachineReport(string Name, IReadOnlyList<string> Addresses, bool? Ready, string NamespacePath, int? AgentProcessId);

internal sealed record PodPlace(string Namespace, string Name, string Node, IReadOnlyList<string> Addresses, string Phase, string NamespacePath);
