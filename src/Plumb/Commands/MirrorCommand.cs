using System.CommandLine;
using Plumb.CommandLine;
using Plumb.Lab;
using Plumb.Linux.State;
using Plumb.Mirroring;
using Plumb.Network.Facts;
using Plumb.Output;
using Plumb.Scenes;

namespace Plumb.Commands;

/// <summary>`plumb mirror`: copies of a pod's packets on another node, for as long as the command runs.</summary>
internal sealed class MirrorCommand : Verb
{
    private const int MostVni = 0xff_ffff;

    private static readonly TimeSpan CountInterval = TimeSpan.FromSeconds(1);

    private readonly Argument<string?> _pod = new("POD") { Description = "whose packets: POD or NAMESPACE/POD", Arity = ArgumentArity.ExactlyOne };
    private readonly Option<string?> _to = new("--to") { HelpName = "NODE", Description = "the node that gets the copies" };
    private readonly ValueOption<long> _vni = new("--vxlan-id", [], "N", "of the tunnel between the two nodes", static text => Read.Number(text, 1, MostVni), 0, $"from {Mirror.FirstVni} on, one that is free");
    private readonly ValueOption<MirrorDirection> _direction = new(
        "--direction", [], "ingress|egress|both", "what comes to the pod, what it sends, or both",
        Read.OneOf([("ingress", MirrorDirection.Ingress), ("egress", MirrorDirection.Egress), ("both", MirrorDirection.Both)]), MirrorDirection.Both, "both")
    {
        Offers = ["ingress", "egress", "both"],
    };

    private readonly ValueOption<TimeSpan?> _timeout = new("--timeout", [], "SECONDS", "end after so long", Read.Seconds, null);
    private readonly ValueOption<LabName?> _name = CommonOptions.Name();
    private readonly ValueOption<OutputFormat> _output = CommonOptions.Output();

    public MirrorCommand()
        : base("mirror", "send copies of a pod's packets to another node, where any tool can look at them")
    {
        Arguments.Add(_pod);
        foreach (var option in (Option[])[_to, _vni, _direction, _timeout, _name, _output])
        {
            Options.Add(option);
        }
    }

    public override IReadOnlyList<Example> Examples { get; } =
    [
        new("plumb mirror client --to node-3", "until Ctrl-C; plumb shell node-3 -- tcpdump -ni plumb-mir0 shows them"),
        new("plumb mirror client --to node-3 --vxlan-id 1001 --direction ingress", "only what comes to the pod, in a tunnel with this id"),
        new("plumb mirror shop/web --to node-2 --timeout 60 -o json", "for a minute; the counts as JSON at the end"),
    ];

    public override async Task<int> RunAsync(Invocation invocation)
    {
        var to = invocation.Parsed.GetValue(_to) ?? throw new UsageException("to which node? --to NODE");
        using var scene = LabScene.Open(invocation.Lab(_name), invocation.Time);
        var pod = scene.Parties.Require(invocation.Value(_pod)!);
        Check(scene, pod, to);
        using var interrupt = new Interrupt();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(interrupt.Token);
        var direction = invocation.Value(_direction);
        var since = invocation.Time.GetTimestamp();
        using var session = MirrorSession.Begin(scene, pod, to, invocation.IsGiven(_vni) ? (int)invocation.Value(_vni) : null, direction);
        if (invocation.Value(_timeout) is { } time)
        {
            stop.CancelAfter(time);
        }
        var terminal = invocation.Terminal;
        terminal.Error.WriteLine(
            $"mirroring {(direction == MirrorDirection.Both ? "what comes to and leaves" : direction == MirrorDirection.Ingress ? "what comes to" : "what leaves")} {pod.Title} on {pod.Node}"
            + $" to {to}: {session.Device}, VXLAN id {session.Numbers.Vni}");
        terminal.Error.WriteLine(terminal.ErrorStyle.Quiet($"plumb shell {to} -- tcpdump -ni {session.Device} shows it; Ctrl-C ends it"));
        var ended = await WaitAsync(session, invocation, stop.Token);
        var count = session.End();
        var result = new MirrorResult(
            pod.FullName, pod.Node, to, session.Device, session.Numbers.Vni, direction.ToString().ToLowerInvariant(), invocation.Time.GetElapsedTime(since).TotalSeconds,
            count?.Mirrored, count?.Received, count?.Lost, ended);
        Printer.Print(result, static () => ResultJson.Default.MirrorResult, invocation, _output, static (what, to, style) => what.Write(to, style));
        return ended is null ? ExitCode.Done : ExitCode.Failed;
    }

    /// <summary>Until it shall end; with the reason where somebody else ends it.</summary>
    private static async Task<string?> WaitAsync(MirrorSession session, Invocation invocation, CancellationToken stop)
    {
        var terminal = invocation.Terminal;
        var over = session.OverAsync(stop);
        try
        {
            while (terminal.ErrorIsTerminal)
            {
                var tick = Task.Delay(CountInterval, invocation.Time, stop);
                if (await Task.WhenAny(over, tick) == over)
                {
                    break;
                }
                await tick;
                if (session.Count() is { } count)
                {
                    terminal.Error.Write($"\r{count.Mirrored} packets mirrored, {count.Received} received");
                }
            }
            return await over;
        }
        catch (OperationCanceledException)
        {
            return null;
        }
        finally
        {
            if (terminal.ErrorIsTerminal)
            {
                terminal.Error.Write("\r\e[K");
            }
        }
    }

    private static void Check(LabScene scene, Party pod, string to)
    {
        if (pod.Kind != PartyKind.Pod)
        {
            throw new LabException($"{pod.Name} is a machine: on its wire the copies would pass too, and be copied; name a pod, or see its packets with `plumb capture {pod.Name}`");
        }
        if (scene.Parties.Of(pod.Space) is { Kind: not PartyKind.Pod } host)
        {
            throw new LabException($"{pod.FullName} uses the network of {host.Name} itself (hostNetwork), where the copies would pass too; see its packets with `plumb capture {pod.FullName}`");
        }
        if (!scene.Parties.Nodes.Contains(to))
        {
            throw new LabException($"--to: {scene.Title} has no node '{to}'{Nearest.Suggest(to, scene.Parties.Nodes)} (nodes: {string.Join(", ", scene.Parties.Nodes)})");
        }
        if (to == pod.Node)
        {
            var cable = scene.World.Find(pod.Space)?.Link(Network.Devices.PodEnd)?.Type is LinkType.Veth { PeerName: { } peer } ? peer : "any";
            throw new LabException($"--to: {pod.FullName} is on {to} itself, where its packets need no mirror: `plumb shell {to} -- tcpdump -ni {cable}`");
        }
    }
}
