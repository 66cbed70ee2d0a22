using System.CommandLine;
using Plumb.CommandLine;
using Plumb.Lab;
using Plumb.Lab.Running;
using Plumb.Network.Facts;
using Plumb.Output;

namespace Plumb.Commands;

/// <summary>`plumb set`: changes a lab while it runs.</summary>
internal sealed class SetCommand : Verb
{
    private readonly Argument<string?> _argument = CommonOptions.NameArgument();
    private readonly ValueOption<LabName?> _name = CommonOptions.Name();
    private readonly ValueOption<ServicesKind> _services = new(
        "--services", [], "KIND", "what serves ClusterIPs: nftables, iptables (the chains of kube-proxy), or none", UpOptions.Kinds, ServicesKind.Nftables, "as it is")
    {
        Offers = ["nftables", "iptables", "none"],
    };

    private readonly ValueOption<OutputFormat> _output = CommonOptions.Output();

    public SetCommand()
        : base("set", "change a lab while it runs, with no connection lost")
    {
        Arguments.Add(_argument);
        Options.Add(_services);
        Options.Add(_name);
        Options.Add(_output);
    }

    public override IReadOnlyList<Example> Examples { get; } =
    [
        new("plumb set --services iptables", "every node goes over to the chains of kube-proxy"),
        new("plumb set blue --services nftables", "and back, in the lab named blue"),
    ];

    public override Task<int> RunAsync(Invocation invocation)
    {
        if (!invocation.IsGiven(_services))
        {
            throw new UsageException("what shall be set? --services KIND");
        }
        var name = invocation.Lab(_name, _argument);
        var since = invocation.Time.GetTimestamp();
        var status = LabClient.Connect(name, invocation.Time).Set(invocation.Value(_services));
        var result = new SetResult(
            name.ToString(), status.Services.ToString().ToLowerInvariant(), status.Machines.Count(static m => m.Ready is not null), invocation.Time.GetElapsedTime(since).TotalSeconds, status.OldServicesLeft);
        Printer.Print(result, static () => ResultJson.Default.SetResult, invocation, _output, Write);
        return Task.FromResult(ExitCode.Done);
    }

    private static void Write(SetResult result, TextWriter to, Style style)
    {
        to.WriteLine($"lab {style.Strong(result.Lab)}: Services by {result.Services} on {result.Nodes} {(result.Nodes == 1 ? "node" : "nodes")} ({result.Seconds:0.00} s)");
        foreach (var rest in result.Left)
        {
            to.WriteLine($"left of the way before, on {rest}");
        }
    }
}

/// <param name="Services">What serves ClusterIPs now.</param>
/// <param name="Seconds">From the request until the last node had gone over.</param>
/// <param name="Left">Of the way before, a line for each, with the node's name.</param>
internal sealed record SetResult(string Lab, string Services, int Nodes, double Seconds, IReadOnlyList<string> Left);
