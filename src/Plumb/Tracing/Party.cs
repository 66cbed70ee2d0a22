using Plumb.CommandLine;
using Plumb.Lab;
using Plumb.Linux.Addresses;
using Plumb.Linux.State;

namespace Plumb.Tracing;

/// <summary>A pod or machine of a lab: somebody who can send, or whom a packet may be for.</summary>
/// <param name="Title">As a trace calls it: <c>client (default)</c>, <c>node-1</c>.</param>
/// <param name="Subject">As origins name it: <c>Pod default/client</c>, <c>Node node-1</c>; of the lab's other machines, the name.</param>
internal sealed record Party(string Title, string Subject, string Node, NamespaceId Space, ValueList<IpAddress> Addresses, string? Pod)
{
    /// <summary>Who has a name or address; null: nobody.</summary>
    /// <exception cref="LabException">Several have.</exception>
    public static Party? Find(LabStatus lab, string name)
    {
        if (IpAddress.TryParse(name, out var address))
        {
            return All(lab).FirstOrDefault(party => party.Addresses.Contains(address));
        }
        if (lab.Machines.FirstOrDefault(machine => machine.Name == name) is { } named)
        {
            return Of(named);
        }
        var pods = lab.Pods.Where(pod => name.Contains('/', StringComparison.Ordinal) ? $"{pod.Namespace}/{pod.Name}" == name : pod.Name == name).ToList();
        return pods.Count switch
        {
            0 => null,
            1 => Of(pods[0]),
            _ => throw new LabException($"'{name}' is in several namespaces: {string.Join(", ", pods.Select(static pod => $"{pod.Namespace}/{pod.Name}"))}"),
        };
    }

    /// <summary>As <see cref="Find"/>, and a pod of a Deployment by the beginning of its name: one is as good as another.</summary>
    /// <exception cref="LabException">Nobody has that name.</exception>
    public static Party Require(LabStatus lab, string name) =>
        Find(lab, name)
        ?? ByBeginning(lab, name)
        ?? throw Unknown(lab, name, []);

    public static Party? ByBeginning(LabStatus lab, string name) =>
        lab.Pods.Where(pod => (name.Contains('/', StringComparison.Ordinal) ? $"{pod.Namespace}/{pod.Name}" : pod.Name).StartsWith(name + "-", StringComparison.Ordinal)).Select(Of).FirstOrDefault();

    /// <param name="services">Names that might have been meant too.</param>
    public static LabException Unknown(LabStatus lab, string name, IReadOnlyList<string> services)
    {
        var known = lab.Machines.Select(static machine => machine.Name).Concat(lab.Pods.Select(static pod => pod.Name)).Concat(services).ToList();
        return new LabException(
            $"the lab '{lab.Name}' has no pod or machine {(services.Count == 0 ? "" : "or Service ")}'{name}'{Nearest.Suggest(name, known)} "
            + $"(machines: {string.Join(", ", lab.Machines.Select(static machine => machine.Name))}; pods: kubectl get pods -A)");
    }

    public static IEnumerable<Party> All(LabStatus lab) =>
        lab.Machines.Select(Of).Concat(lab.Pods.Where(pod => lab.Machines.All(machine => machine.Id != pod.Id)).Select(Of));

    private static Party Of(MachineStatus machine) =>
        new(machine.Name, machine.Ready is null ? machine.Name : $"Node {machine.Name}", machine.Name, machine.Id, machine.Addresses, null);

    private static Party Of(SandboxStatus pod) =>
        new($"{pod.Name} ({pod.Namespace})", $"Pod {pod.Namespace}/{pod.Name}", pod.Node, pod.Id, pod.Addresses, $"{pod.Namespace}/{pod.Name}");
}
