using System.CommandLine;
using System.Text.Json.Serialization;
using Plumb.CommandLine;
using Plumb.Diagnosis.Explain;
using Plumb.Explaining;
using Plumb.Lab;
using Plumb.Output;
using Plumb.Scenes;

namespace Plumb.Commands;

/// <summary>`plumb explain`: why something is in a node's kernel, and whose it is.</summary>
internal sealed class ExplainCommand : Verb
{
    private readonly Argument<string?> _thing = new("THING")
    {
        Description = "an interface, address, range, MAC, chain, set, port, mark, handle or process; ADDRESS:PORT; FILE:NUMBER, a frame of a capture; or an object: POD, NAMESPACE/POD, NODE, service/NAME; or dns with a NAME",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private readonly Argument<string?> _domain = new("NAME")
    {
        Description = "with dns: what a name comes to, and why",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private readonly Option<string?> _pod = new("--pod") { HelpName = "POD", Description = "with dns: the pod that says the name, POD or NAMESPACE/POD; by its search path" };
    private readonly Option<string?> _type = new("--type") { HelpName = "TYPE", Description = "with dns: A, AAAA, SRV, PTR … (default A)" };
    private readonly Flag _all = new("--all", "everything on the node");
    private readonly Option<string?> _node = new("--node") { HelpName = "NODE", Description = "one node; all of them if it is left out" };
    private readonly SceneOptions _scene = new();
    private readonly ValueOption<OutputFormat> _output = CommonOptions.Output();

    public ExplainCommand()
        : base("explain", "say whose something in a node's kernel is, and which object is the cause")
    {
        Arguments.Add(_thing);
        Arguments.Add(_domain);
        Options.Add(_pod);
        Options.Add(_type);
        Options.Add(_all);
        Options.Add(_node);
        _scene.AddTo(this);
        Options.Add(_output);
    }

    public override IReadOnlyList<Example> Examples { get; } =
    [
        new("plumb explain cni0", "an interface, on every node"),
        new("plumb explain 10.244.2.7", "what has to do with an address, and the route that it takes"),
        new("plumb explain :8080", "who listens there: process and pod; and the rules about it"),
        new("plumb explain 0x4000", "whose bit of a packet's mark that is, and the rules that set or read it"),
        new("plumb explain client", "all that the pod client puts into kernels"),
        new("plumb explain service/website", "all that a Service puts into kernels; by 10.96.14.7 and :31100 it is found too"),
        new("plumb explain dns website --pod client", "each name that the pod asks for in turn, the record, and the object behind it"),
        new("plumb explain f.pcapng:12", "a frame of a capture, numbered as in Wireshark: layer by layer, whose addresses, and where else it was seen"),
        new("plumb explain --all --node node-1", "everything on a node; ends with how much nobody can account for"),
    ];

    // Processes have other numbers in the lab than those that a person has seen.
    public override LabName? RunsIn(Invocation invocation) => invocation.Value(_thing) is { } thing && Cards.HasNumber(thing) ? null : _scene.Lab(invocation);

    public override async Task<int> RunAsync(Invocation invocation)
    {
        var thing = invocation.Value(_thing);
        var all = invocation.IsOn(_all);
        var domain = invocation.Value(_domain);
        var isDns = thing == "dns" && domain is not null;
        if (!isDns && (domain ?? invocation.Parsed.GetValue(_pod) ?? invocation.Parsed.GetValue(_type)) is not null)
        {
            throw new UsageException("a NAME, --pod and --type go with dns: plumb explain dns NAME --pod POD");
        }
        if (all == (thing is not null))
        {
            throw new UsageException(all ? "either THING or --all" : "what shall be explained? a THING, or --all");
        }
        using var scene = _scene.Open(invocation);
        if (isDns)
        {
            var answer = await scene.AskAsync(domain!, invocation.Parsed.GetValue(_pod), (invocation.Parsed.GetValue(_type) ?? "A").ToUpperInvariant())
                ?? throw new LabException($"{scene.Title} has no name server that could be asked");
            Printer.Print(answer, static () => ResultJson.Default.DnsResult, invocation, _output, DnsQuestion.Write);
            return answer.Tried[^1] is { IsForOthers: false, Records.Count: 0 } ? ExitCode.Failed : ExitCode.Done;
        }
        if (thing is not null && FrameCards.IsFrame(thing))
        {
            var frame = await FrameCards.OfAsync(scene, thing, CancellationToken.None);
            Printer.Print(new ExplainResult([], [frame], [], [], 0), static () => ResultJson.Default.ExplainResult, invocation, _output, WriteEach);
            return ExitCode.Done;
        }
        var nodes = new List<ExplainedNode>();
        var accounts = new Dictionary<string, NodeAccount>(StringComparer.Ordinal);
        var refusals = new SortedSet<string>(StringComparer.Ordinal);
        var question = thing is null ? null : new Question(thing);
        foreach (var node in scene.Parties.NodesNamed(invocation.Parsed.GetValue(_node)))
        {
            var (account, observed, refused) = accounts[node] = await NodeAccount.OfAsync(scene, node, question?.Thing);
            var explained = question is null ? account : question.Answer(account, observed);
            if (explained.Count > 0)
            {
                nodes.Add(ExplainedNode.Of(node, explained));
                refusals.UnionWith(thing is null ? refused : RefusedTo(explained, refused));
            }
        }
        // Of what Plumb itself has made, the objects say more than the name.
        var isPlumbs = nodes.Any(static node => node.Entries.Any(static entry => entry.Standing == Standing.Planned));
        var known = thing is null || (isPlumbs && !thing.StartsWith("0x", StringComparison.Ordinal)) ? [] : question!.Known();
        var cards = thing is null ? [] : Cards.Of(scene, accounts, thing);
        if (nodes.Count == 0 && known.Count == 0 && cards.Count == 0)
        {
            throw new LabException($"nothing in the kernels of {scene.Title} is called '{thing}' or caused by it; `plumb explain --all` lists what there is");
        }
        Printer.Print(new ExplainResult(known, cards, nodes, [.. refusals], nodes.Sum(static n => n.Unexplained)), static () => ResultJson.Default.ExplainResult, invocation, _output, all ? WriteAll : WriteEach);
        return ExitCode.Done;
    }

    /// <summary>What the objects that cause some entries ask for in vain.</summary>
    private static IEnumerable<string> RefusedTo(IReadOnlyList<Explanation> explained, IReadOnlyList<string> refused)
    {
        if (refused.Count == 0)
        {
            return [];
        }
        var subjects = explained.SelectMany(static one => one.Causes).Select(static cause => cause.Subject.ToString()).ToHashSet(StringComparer.Ordinal);
        return refused.Where(line => subjects.Any(subject => line.StartsWith(subject, StringComparison.Ordinal) && line[subject.Length..] is [' ' or ':', ..]));
    }

    private static void WriteAll(ExplainResult result, TextWriter to, Style style)
    {
        WriteEach(result, to, style);
        to.WriteLine($"{result.Unexplained} unexplained");
    }

    private static void WriteEach(ExplainResult result, TextWriter to, Style style)
    {
        foreach (var line in result.Known)
        {
            to.WriteLine(line);
        }
        foreach (var card in result.Things)
        {
            card.Write(to, style);
        }
        if (result.Nodes.Count == 0 && result.Things.Count == 0)
        {
            to.WriteLine(style.Quiet("nothing of that name is in these kernels"));
        }
        foreach (var node in result.Nodes)
        {
            var place = "";
            foreach (var entry in node.Entries)
            {
                if (entry.Namespace != place)
                {
                    place = entry.Namespace;
                    to.WriteLine(style.Strong($"# {(place == node.Node ? place : $"{place} on {node.Node}")}"));
                }
                var reason = entry.Standing switch
                {
                    Standing.Planned => style.Good(entry.Reason),
                    Standing.Kernel or Standing.Known => style.Quiet(entry.Reason),
                    _ => style.Bad(entry.Reason),
                };
                to.WriteLine(entry.Rules.Count == 0 ? entry.Text : entry.Text.Split('\n')[0]);
                to.WriteLine($"    {reason}");
                foreach (var rule in entry.Rules)
                {
                    to.WriteLine($"  {rule.Text}");
                    to.WriteLine($"      {style.Quiet(rule.Reason)}");
                }
            }
        }
        foreach (var line in result.NotDone)
        {
            to.WriteLine(style.Warning($"not done: {line}"));
        }
    }
}

/// <param name="Known">What the catalogue of owners says of the name itself, a line each.</param>
/// <param name="Things">What the thing itself is: an interface, who listens at a port, a process.</param>
/// <param name="NotDone">What the objects behind these entries ask for and nodes do not do, a line each.</param>
/// <param name="Unexplained">How many entries nobody can account for.</param>
internal sealed record ExplainResult(IReadOnlyList<string> Known, IReadOnlyList<Card> Things, IReadOnlyList<ExplainedNode> Nodes, IReadOnlyList<string> NotDone, int Unexplained);

internal sealed record ExplainedNode(string Node, IReadOnlyList<ExplainedEntry> Entries)
{
    [JsonIgnore]
    public int Unexplained => Entries.Count(static e => e.Standing == Standing.Unexplained);

    public static ExplainedNode Of(string node, IReadOnlyList<Explanation> explanations) => new(
        node,
        [.. explanations
            .OrderByDescending(e => e.Key.Namespace.Name == node)
            .ThenBy(static e => e.Key)
            .Select(static e => new ExplainedEntry(
                e.Key.Namespace.Name, e.Key.Kind.ToString().ToLowerInvariant(), e.Key.Name, e.Text, e.Standing, e.Reason, [.. e.Causes.Select(static c => c.ToString())], e.Rules))]);
}

/// <param name="Key">The kernel's own name for it; with namespace and kind, unique.</param>
/// <param name="Text">In the words of ip, bridge, sysctl or nft.</param>
/// <param name="Rules">Of another program's chain: its rules, each with what it does.</param>
internal sealed record ExplainedEntry(
    string Namespace, string Kind, string Key, string Text, Standing Standing, string Reason, IReadOnlyList<string> Causes, IReadOnlyList<ExplainedRule> Rules);
