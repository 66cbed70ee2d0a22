using Plumb.Diagnosis.NearMisses;
using Plumb.Diagnosis.Packets;
using Plumb.Diagnosis.Walk;
using Plumb.Diagnosis.Worlds;
using Plumb.Kubernetes.Clients;
using Plumb.Kubernetes.Objects;
using Plumb.Lab;

namespace Plumb.Tracing;

/// <summary>Asks the lab's API about a Service that a packet did not reach.</summary>
internal static class Nearness
{
    /// <summary>A sentence for each outcome that has one.</summary>
    public static async Task<IReadOnlyList<string?>> OfAsync(LabStatus lab, IWorld world, Packet asked, Trace trace, TimeProvider time)
    {
        if (trace.Outcomes.All(static outcome => outcome.Verdict == Verdict.Delivered || outcome.Verdict == Verdict.Undecided))
        {
            return [.. trace.Outcomes.Select(static _ => (string?)null)];
        }
        using var client = new KubernetesClient(Kubeconfig.Load(lab.Kubeconfig, "").Connection(), time);
        var services = (await client.ListAsync<Service>()).Items;
        if (ServiceNearMiss.Meant(services, asked.Destination, asked.DestinationPort) is not { } service)
        {
            return [.. trace.Outcomes.Select(static _ => (string?)null)];
        }
        var pods = (await client.ListAsync<Pod>(new ListOptions { Namespace = service.Metadata.Namespace })).Items;
        return [.. trace.Outcomes.Select(outcome => Of(outcome, lab, world, asked, service, pods))];
    }

    /// <summary>Names of Services, alone and with their namespace.</summary>
    public static async Task<IReadOnlyList<string>> ServicesAsync(LabStatus lab, TimeProvider time)
    {
        using var client = new KubernetesClient(Kubeconfig.Load(lab.Kubeconfig, "").Connection(), time);
        return [.. (await client.ListAsync<Service>()).Items.SelectMany(static service => (string[])[service.Metadata.Name, $"{service.Metadata.Name}.{service.Metadata.Namespace}"])];
    }

    private static string? Of(Outcome outcome, LabStatus lab, IWorld world, Packet asked, Service service, IReadOnlyList<Pod> pods)
    {
        if (outcome.Verdict == Verdict.Delivered || outcome.Arrived)
        {
            return null;
        }
        var isTranslated = outcome.Final.Destination != asked.Destination || outcome.Final.DestinationPort != asked.DestinationPort;
        if (!isTranslated)
        {
            return ServiceNearMiss.OfRefusal(service, asked.DestinationPort, Telling.ProtocolName(asked.Protocol), pods);
        }
        return outcome.Killer?.Stage == Stage.Deliver && Party.All(lab).FirstOrDefault(party => party.Space == outcome.End) is { } end && world.Find(outcome.End) is { } space
            ? ServiceNearMiss.OfClosedPort(service, asked.DestinationPort, outcome.Final.DestinationPort, end.Title, space.Sockets)
            : null;
    }
}
