using Plumb.Api;
using Plumb.Lab.Running;
using Plumb.Lab.Wire;
using Plumb.Linux.Namespaces;
using Plumb.Network.Facts;

namespace Plumb.Lab;

/// <summary>Puts together what <c>plumb status</c> shows. Paths of namespaces begin at the lab's process: <c>fd/N</c>; whoever asks knows its id.</summary>
internal static class LabReport
{
    public static IReadOnlyList<MachineStatus> Machines(Machines machines, WireAddresses addresses, IReadOnlyDictionary<string, LabNode> nodes)
    {
        var all = new List<MachineStatus>(addresses.NodeCount + 2);
        for (var number = 1; number <= addresses.NodeCount; number++)
        {
            var id = WirePlan.NodeId(number);
            var node = nodes.GetValueOrDefault(id.Name);
            all.Add(new MachineStatus(
                id.Name, id, WireAddresses.Of(addresses.Node(number)), PathOf(machines.Nodes[number - 1]), node?.Kubelet.IsReady ?? false, node?.Agent.ProcessId));
        }
        all.Add(new MachineStatus(WirePlan.OutsideId.Name, WirePlan.OutsideId, WireAddresses.Of(addresses.Outside), PathOf(machines.Outside), null));
        all.Add(new MachineStatus(WirePlan.WireId.Name, WirePlan.WireId, WireAddresses.Of(addresses.Wire), PathOf(machines.Wire), null));
        return all;
    }

    public static IReadOnlyList<SandboxStatus> Pods(IReadOnlyList<LabNode> nodes)
    {
        var all = new List<SandboxStatus>();
        foreach (var node in nodes)
        {
            foreach (var pod in node.Kubelet.Pods)
            {
                if (pod.Sandbox is { } sandbox)
                {
                    all.Add(new SandboxStatus(
                        pod.Name.Namespace, pod.Name.Name, node.Name, sandbox.IsOfNode ? node.Id : Sandbox.NameOf(sandbox.Id, pod.Name.Namespace, pod.Name.Name), [.. sandbox.Addresses], PathOf(sandbox.Network), pod.Phase));
                }
            }
        }
        all.Sort(static (left, right) => string.CompareOrdinal($"{left.Namespace}/{left.Name}", $"{right.Namespace}/{right.Name}"));
        return all;
    }

    public static Uri Address(ApiServer? api) => api is null ? new Uri("https://127.0.0.1") : new Uri($"https://{api.Address}");

    private static string PathOf(NetworkNamespace network) => $"fd/{network.Number}";
}
