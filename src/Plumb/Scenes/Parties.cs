using Plumb.CommandLine;
using Plumb.Lab;
using Plumb.Linux.Addresses;
using Plumb.Linux.State;

namespace Plumb.Scenes;

/// <summary>All who are in a scene, found by what people call them.</summary>
/// <param name="title">Of the scene: <c>the lab 'default'</c>.</param>
/// <param name="all">Machines first: of those that share a namespace the first is whose it is.</param>
internal sealed class Parties(string title, IReadOnlyList<Party> all)
{
    private readonly Dictionary<NamespaceId, Party> _bySpace = all.GroupBy(static party => party.Space).ToDictionary(static group => group.Key, static group => group.First());

    private readonly Dictionary<IpAddress, Party> _byAddress = all.SelectMany(static party => party.Addresses.Select(address => (address, party))).GroupBy(static pair => pair.address).ToDictionary(static group => group.Key, static group => group.First().party);

    public IReadOnlyList<Party> All => all;

    public IEnumerable<string> Nodes => all.Where(static party => party.Kind == PartyKind.Node).Select(static party => party.Name);

    /// <summary>Whose a namespace is.</summary>
    public Party? Of(NamespaceId space) => _bySpace.GetValueOrDefault(space);

    /// <param name="only">One node; null: all.</param>
    /// <exception cref="LabException">There is no such node.</exception>
    public IReadOnlyList<string> NodesNamed(string? only)
    {
        var nodes = Nodes.ToList();
        return only is null ? nodes
            : nodes.Contains(only) ? [only]
            : throw new LabException($"{title} has no node '{only}'; it has {string.Join(", ", nodes)}");
    }

    /// <summary>Who has a name or address; null: nobody.</summary>
    /// <param name="name"><c>POD</c>, <c>NAMESPACE/POD</c>, a machine's name or an address.</param>
    /// <exception cref="LabException">Several have.</exception>
    public Party? Find(string name)
    {
        if (IpAddress.TryParse(name, out var address))
        {
            return At(address);
        }
        if (all.FirstOrDefault(party => party.Kind != PartyKind.Pod && party.Name == name) is { } machine)
        {
            return machine;
        }
        var pods = Pods.Where(pod => Called(pod, name) == name).ToList();
        return pods.Count switch
        {
            0 => null,
            1 => pods[0],
            _ => throw new LabException($"'{name}' is in several namespaces: {string.Join(", ", pods.Select(static pod => pod.FullName))}"),
        };
    }

    /// <summary>Whose an address is.</summary>
    public Party? At(IpAddress address) => _byAddress.GetValueOrDefault(address);

    /// <summary>As <see cref="Find"/>, and a pod of a Deployment by the beginning of its name: one is as good as another.</summary>
    /// <exception cref="LabException">Nobody has that name.</exception>
    public Party Require(string name) => Find(name) ?? ByBeginning(name) ?? throw Unknown(name, []);

    public Party? ByBeginning(string name) => Pods.FirstOrDefault(pod => Called(pod, name).StartsWith(name + "-", StringComparison.Ordinal));

    /// <param name="services">Names that might have been meant too.</param>
    public LabException Unknown(string name, IReadOnlyList<string> services)
    {
        var machines = all.Where(static party => party.Kind != PartyKind.Pod).Select(static party => party.Name).ToList();
        var known = all.Select(static party => party.Name).Concat(services);
        return new LabException(
            $"{title} has no pod or machine {(services.Count == 0 ? "" : "or Service ")}'{name}'{Nearest.Suggest(name, known)} (machines: {string.Join(", ", machines)}; pods: kubectl get pods -A)");
    }

    private IEnumerable<Party> Pods => all.Where(static party => party.Kind == PartyKind.Pod);

    private static string Called(Party pod, string asked) => asked.Contains('/', StringComparison.Ordinal) ? pod.FullName : pod.Name;
}
