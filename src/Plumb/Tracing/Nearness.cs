using Plumb.Agent;
using Plumb.Diagnosis.NearMisses;
using Plumb.Diagnosis.Packets;
using Plumb.Diagnosis.Walk;
using Plumb.Kubernetes.Objects;
using Plumb.Kubernetes.Selectors;
using Plumb.Scenes;

namespace Plumb.Tracing;

/// <summary>Asks the API about a Service that a packet did not reach.</summary>
internal static class Nearness
{
    /// <summary>A sentence for each outcome that has one.</summary>
    /// <param name="remark">Told why objects could not be asked for.</param>
    public static async Task<IReadOnlyList<string?>> OfAsync(IScene scene, Packet asked, Trace trace, Action<string>? remark = null)
    {
        if (trace.Outcomes.All(static outcome => outcome.Verdict == Verdict.Delivered || outcome.Verdict == Verdict.Undecided))
        {
            return [.. trace.Outcomes.Select(static _ => (string?)null)];
        }
        var stale = trace.Outcomes.Select(outcome => StaleConnection.Of(scene.World, trace, outcome, id => scene.Parties.Of(id)?.Title ?? id.Name)).ToList();
        try
        {
            return await OfServiceAsync(scene, asked, trace, stale) ?? stale;
        }
        catch (AgentException untold)
        {
            // The walk is what was asked for, and needs no API.
            remark?.Invoke(untold.Message);
            return stale;
        }
    }

    /// <summary>Names of Services, alone and with their namespace.</summary>
    public static async Task<IReadOnlyList<string>> ServicesAsync(IScene scene)
    {
        return [.. (await scene.ListAsync<Service>(null, CancellationToken.None)).SelectMany(static service => (string[])[service.Metadata.Name, $"{service.Metadata.Name}.{service.Metadata.Namespace}"])];
    }

    private static async Task<IReadOnlyList<string?>?> OfServiceAsync(IScene scene, Packet asked, Trace trace, List<string?> stale)
    {
        // Whose ClusterIP it is can be asked; whose node port or outer address it is cannot.
        var services = await scene.ListAsync<Service>(null, CancellationToken.None, FieldSelector.Parse($"spec.clusterIP={asked.Destination}"));
        services = services.Count != 0 ? services : await scene.ListAsync<Service>(null, CancellationToken.None);
        if (ServiceNearMiss.Meant(services, asked.Destination, asked.DestinationPort) is not { } service)
        {
            return null;
        }
        var scope = service.Metadata.Namespace;
        var pods = scene.Reads<Pod>() ? await scene.ListAsync<Pod>(scope, CancellationToken.None) : null;
        var slices = pods is null ? await scene.ListAsync<EndpointSlice>(scope, CancellationToken.None) : [];
        return [.. trace.Outcomes.Select((outcome, i) => stale[i] ?? Of(outcome, scene, asked, service, pods, slices))];
    }

    private static string? Of(Outcome outcome, IScene scene, Packet asked, Service service, IReadOnlyList<Pod>? pods, IReadOnlyList<EndpointSlice> slices)
    {
        if (outcome.Verdict == Verdict.Delivered || outcome.Arrived)
        {
            return null;
        }
        var isTranslated = outcome.Final.Destination != asked.Destination || outcome.Final.DestinationPort != asked.DestinationPort;
        if (!isTranslated)
        {
            return ServiceNearMiss.OfRefusal(service, asked.DestinationPort, Telling.ProtocolName(asked.Protocol), pods, slices);
        }
        return outcome.Killer?.Stage == Stage.Deliver && scene.Parties.Of(outcome.End) is { } end && scene.World.Find(outcome.End) is { } space
            ? ServiceNearMiss.OfClosedPort(service, asked.DestinationPort, outcome.Final.DestinationPort, end.Title, space.Sockets)
            : null;
    }
}
