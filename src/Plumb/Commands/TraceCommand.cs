using System.CommandLine;
using Plumb.CommandLine;
using Plumb.Diagnosis.Observe;
using Plumb.Diagnosis.Packets;
using Plumb.Diagnosis.Walk;
using Plumb.Lab;
using Plumb.Linux.Addresses;
using Plumb.Linux.State;
using Plumb.Output;
using Plumb.Scenes;
using Plumb.Tracing;

namespace Plumb.Commands;

/// <summary>`plumb trace`: what happens to a packet, hop by hop, and to its answer.</summary>
internal sealed class TraceCommand : Verb
{
    // An unlikely one of net.ipv4.ip_local_port_range: what stands for any that a kernel would choose.
    private const ushort AnyPort = 47_808;

    // A SYN says what its sender can do: MSS, SACK, timestamps, window scale; what follows has timestamps alone, 12 octets.
    private const int SynOptionBytes = 8;

    private readonly Argument<string?> _source = new("SRC") { Description = "who sends: POD, NAMESPACE/POD, NODE, outside, or the address of one" };

    private readonly Argument<string?> _destination = new("DST")
    {
        Description = "to whom: a pod, a service, a node, an address, a name or a URL; each with :PORT",
    };

    private readonly ValueOption<byte> _protocol = new(
        "--proto", [], "KIND", "tcp, udp or icmp", Read.OneOf<byte>([("tcp", Packet.Tcp), ("udp", Packet.Udp), ("icmp", Packet.Icmp)]), 0, "tcp; icmp without a port")
    {
        Offers = ["tcp", "udp", "icmp"],
    };

    private readonly ValueOption<int> _sourcePort = new("--source-port", [], "PORT", "of a flow that may exist already: its connection is followed, if kernels know one", Read.Number(1, ushort.MaxValue), 0, "one that nobody uses");
    private readonly Flag _observe = new("--observe", "send it, watch it everywhere on its way, and say where prediction and kernel differ");
    private readonly ValueOption<int> _size = new("--size", [], "BYTES", "length of the packet, for udp and icmp", Read.Number(64, 65_535), 0, "84 or 60");
    private readonly Flag _dontFragment = new("--df", "do not fragment it");
    private readonly ValueOption<TimeSpan?> _timeout = new("--timeout", [], "SECONDS", "with --observe: wait so long for an answer", Read.Seconds, null, "2, or 4 where a refusal is predicted");
    private readonly SceneOptions _scene = new();
    private readonly ValueOption<OutputFormat> _output = CommonOptions.PicturedOutput();

    public TraceCommand()
        : base("trace", "say what happens to a packet, hop by hop, and which object is behind each")
    {
        Arguments.Add(_source);
        Arguments.Add(_destination);
        foreach (var option in (Option[])[_protocol, _sourcePort, _observe, _size, _dontFragment, _timeout])
        {
            Options.Add(option);
        }
        _scene.AddTo(this);
        Options.Add(_output);
    }

    public override IReadOnlyList<Example> Examples { get; } =
    [
        new("plumb trace client http://website", "from the name to the socket, and the answer's way back"),
        new("plumb trace client website.default:80", "the same, without the URL"),
        new("plumb trace outside 192.168.1.12:31100", "a node port, from outside the cluster"),
        new("plumb trace client website:80 -o svg > way.svg", "as a picture, for a browser"),
        new("plumb trace client dns:53 --proto udp --source-port 40000", "a flow that exists: where what kernels remember of it leads"),
        new("plumb trace client db-0 --proto icmp", "an echo from pod to pod"),
        new("plumb trace client http://website --observe", "the same, really sent: when it was seen where, and whether that was predicted"),
        new("plumb trace client https://shop.example --observe", "and what is wrong with the server's certificate"),
    ];

    // What takes its time can be interrupted only where it was typed.
    public override LabName? RunsIn(Invocation invocation) => invocation.IsOn(_observe) ? null : _scene.Lab(invocation);

    public override async Task<int> RunAsync(Invocation invocation)
    {
        var target = Target.Parse(invocation.Value(_destination)!);
        var protocol = invocation.Value(_protocol);
        protocol = protocol != 0 ? protocol : target.Port is null ? Packet.Icmp : Packet.Tcp;
        if (protocol != Packet.Icmp && target.Port is null)
        {
            throw new UsageException($"DST: to which port of {target.Host}? {target.Host}:PORT, or --proto icmp");
        }
        var sourcePort = (ushort)invocation.Value(_sourcePort);
        if (protocol == Packet.Icmp && sourcePort != 0)
        {
            throw new UsageException("--source-port: an echo has none; --proto tcp or udp, and DST with a :PORT");
        }
        if (protocol == Packet.Tcp && invocation.Value(_size) != 0)
        {
            throw new UsageException("--size: a SYN is as long as it is; --proto udp or icmp sends as much as is wanted");
        }
        // Before the command enters the lab's user namespace.
        var eyes = invocation.IsOn(_observe) ? KernelEyes.Open() : default;
        using var points = eyes.Points;
        using var scene = _scene.Open(invocation);
        var source = scene.Parties.Require(invocation.Value(_source)!);
        if (!scene.World.Known.Contains(source.Space))
        {
            throw new LabException($"SRC: the network of {source.FullName} cannot be seen from here{(source.Node == scene.Name ? "" : $": ask on {source.Node}")}");
        }
        var (address, dns) = await AddressAsync(scene, source, target);
        var packet = Question(address, protocol, sourcePort, target.Port ?? 0);
        var isSized = invocation.Value(_size) is not 0;
        packet = packet with { Length = isSized ? invocation.Value(_size) : packet.Length, DontFragment = !isSized || invocation.IsOn(_dontFragment) || address.Family == IpFamily.V6 };
        using var probe = invocation.IsOn(_observe) ? Observing.Send(Live(scene), source.Space, packet, sourcePort) : null;
        packet = probe?.Packet ?? packet;
        var trace = Walk(scene, packet, source.Space, isSent: probe is not null);
        packet = trace.Packet;
        var telling = new Telling(scene, await PlannedCauses.OfAsync(scene, trace, isAll: invocation.IsOn(_observe)));
        void Remark(string line) => invocation.Terminal.Error.WriteLine(invocation.Terminal.ErrorStyle.Warning(line));
        var near = await Nearness.OfAsync(scene, packet, trace, Remark);
        var beyond = Horizon.Of(scene, trace, Remark);
        var result = new TraceResult(
            telling.Place(source.Space), invocation.Value(_destination)!, dns, Telling.Packet(packet), [.. trace.Outcomes.Select((outcome, i) => telling.Outcome(outcome, near[i] ?? beyond[i]))],
            SourcePort: sourcePort == 0 ? null : sourcePort);
        var isWell = trace.Outcomes.All(static outcome => outcome.Verdict == Verdict.Delivered);
        if (probe is not null)
        {
            using var interrupt = new Interrupt();
            try
            {
                var url = target is { Scheme: { } scheme, Path: { } path } ? new UrlQuestion(target.Host, path, scheme == "https") : null;
                var (comparison, told, onward) = await new Observing(Live(scene), telling, eyes, invocation.Time).ObserveAsync(probe, trace, url, invocation.Value(_timeout), interrupt.Token);
                result = result with { Observed = told, Onward = await Onward.OfAsync(scene, onward) };
                isWell = comparison is { Agrees: true, Outcome.Verdict: Verdict.Delivered } && told.Tls is null or { Problems.Count: 0 }
                    && result.Onward.All(static one => one is { Agrees: true, Seen: ProbeAnswer.Answered });
            }
            catch (OperationCanceledException) when (interrupt.Token.IsCancellationRequested)
            {
                return interrupt.Code;
            }
        }
        if (invocation.Value(_output) == OutputFormat.Svg)
        {
            TraceSvg.Write(result, invocation.Terminal.Out);
        }
        else
        {
            Printer.Print(result, static () => ResultJson.Default.TraceResult, invocation, _output, TraceText.Write);
        }
        return isWell ? ExitCode.Done : ExitCode.Failed;
    }

    private static ILiveScene Live(IScene scene) => scene as ILiveScene ?? throw new UsageException($"--observe: {scene.Title} is a recording: nothing can be sent in it");

    /// <summary>Where a TCP connection stands already, what is asked for is a segment of it, and not another SYN.</summary>
    private static Trace Walk(IScene scene, Packet packet, NamespaceId from, bool isSent)
    {
        var walker = new Walker(scene.World);
        var trace = walker.Walk(packet, from);
        var stands = !isSent && packet.Protocol == Packet.Tcp && trace.Outcomes.Any(static outcome => outcome.There.Any(static hop => hop.Connection is { IsAnswered: true }));
        return stands ? walker.Walk(packet with { Flags = TcpFlags.Ack, Length = packet.Length - SynOptionBytes }, from) : trace;
    }

    private static Packet Question(IpAddress address, byte protocol, ushort sourcePort, ushort port)
    {
        sourcePort = sourcePort == 0 ? AnyPort : sourcePort;
        var isV4 = address.Family == IpFamily.V4;
        var packet = new Packet(IpAddress.Unspecified(address.Family), address, protocol == Packet.Icmp && !isV4 ? Packet.IcmpV6 : protocol);
        return protocol switch
        {
            Packet.Icmp => packet with { Message = new IcmpKind((byte)(isV4 ? 8 : 128), 0), EchoId = 1, Length = isV4 ? 84 : 104 },
            Packet.Tcp => packet with { SourcePort = sourcePort, DestinationPort = port, Flags = TcpFlags.Syn, Length = isV4 ? 60 : 80 },
            _ => packet with { SourcePort = sourcePort, DestinationPort = port, Length = isV4 ? 60 : 80 },
        };
    }

    private static async Task<(IpAddress Address, DnsResult? Dns)> AddressAsync(IScene scene, Party source, Target target)
    {
        if (IpAddress.TryParse(target.Host, out var given))
        {
            return (given, null);
        }
        var party = scene.Parties.Find(target.Host);
        // What a URL names is a name of DNS, whatever pods are called.
        if (party is { Addresses.Count: > 0 } && (target.Scheme is null || party.Kind != PartyKind.Pod))
        {
            return (party.AddressFor(source), null);
        }
        var isAnswered = false;
        foreach (var name in Names(source, target.Host))
        {
            var dns = await scene.AskAsync(name, PodOf(source), scene.ServiceFamily == IpFamily.V6 ? "AAAA" : "A");
            isAnswered |= dns is not null;
            foreach (var record in dns?.Tried[^1].Records ?? [])
            {
                if (!record.IsAlias && IpAddress.TryParse(record.Data, out var found))
                {
                    return (found, dns);
                }
            }
        }
        if ((party ?? scene.Parties.ByBeginning(target.Host)) is { Addresses.Count: > 0 } pod)
        {
            // One of its pods is not the Service: without anybody to ask, what is behind the name is not known.
            return isAnswered ? (pod.AddressFor(source), null)
                : throw new LabException($"DST: nobody can be asked here what the name '{target.Host}' means: give the Service's address (kubectl get service), or for the pod itself {pod.FullName}{(target.Port is { } port ? $":{port}" : "")}");
        }
        throw scene.Parties.Unknown(target.Host, await Nearness.ServicesAsync(scene));
    }

    // Only pods have a search path: what others mean by a Service's name is that Service.
    private static IEnumerable<string> Names(Party source, string name)
    {
        yield return name;
        var dots = name.Count(static letter => letter == '.');
        if (PodOf(source) is null && dots < 2)
        {
            yield return dots == 0 ? $"{name}.default.svc.cluster.local" : $"{name}.svc.cluster.local";
        }
    }

    private static string? PodOf(Party party) => party.Kind == PartyKind.Pod ? party.FullName : null;
}
