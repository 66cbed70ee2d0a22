using Plumb.Kubernetes.Objects;

namespace Plumb.Api.Controllers.Services;

/// <summary>A pod as a slice shows it.</summary>
internal sealed record PlacedEndpoint(string PodUid, string PodName, string Address)
{
    public string NodeName { get; init; } = "";
    public string Zone { get; init; } = "";
    public string Hostname { get; init; } = "";
    public bool Ready { get; init; }
    public bool Serving { get; init; }
    public bool Terminating { get; init; }

    /// <summary>The zone and the node whose clients are to use it; empty: it is for all.</summary>
    public string ForZone { get; init; } = "";

    /// <inheritdoc cref="ForZone"/>
    public string ForNode { get; init; } = "";
}

/// <summary>A slice as it is to be.</summary>
/// <param name="ports">The ports of all its endpoints, in the text of <see cref="ServicePorts"/>.</param>
internal sealed class Slice(string family, string ports)
{
    /// <summary>Null until it is in the store.</summary>
    public string? Name { get; set; }

    /// <summary>The version that was written last.</summary>
    public long Version { get; set; }

    public string Family => family;

    public string Ports { get; set; } = ports;

    public bool IsDirty { get; set; } = true;

    /// <summary>By the pod's uid.</summary>
    public Dictionary<string, PlacedEndpoint> Endpoints { get; } = [];
}

/// <summary>
/// Which endpoint of a Service is in which slice. An endpoint stays where it is; a new one goes where something is to be written anyway, else where there is most
/// beside it. So a change writes the slice that it is in, however many there are. Pure.
/// </summary>
internal sealed class SlicePlacement
{
    public const int MostInSlice = 100;

    private readonly Dictionary<(string PodUid, string Family), Slice> places = [];
    private readonly List<Slice> slices = [];

    public IReadOnlyList<Slice> Slices => slices;

    /// <summary>A family that the Service has keeps a slice even with nobody in it: it shows that there is nobody.</summary>
    public void Open(string family)
    {
        foreach (var slice in slices)
        {
            if (slice.Family == family)
                return;
        }
        slices.Add(new Slice(family, ""));
    }

    /// <summary>Takes over a slice that is in the store.</summary>
    public void Adopt(Slice slice)
    {
        slices.Add(slice);
        foreach (var endpoint in slice.Endpoints.Values)
        {
            // Twice in the store: once is enough.
            if (!places.TryAdd((endpoint.PodUid, slice.Family), slice) && slice.Endpoints.Remove(endpoint.PodUid))
                slice.IsDirty = true;
        }
    }

    public PlacedEndpoint? Find(string podUid, string family) => places.TryGetValue((podUid, family), out var slice) ? slice.Endpoints[podUid] : null;

    /// <returns>Whether a slice has to be written.</returns>
    public bool Put(string family, string ports, PlacedEndpoint endpoint)
    {
        var key = (endpoint.PodUid, family);
        if (places.TryGetValue(key, out var place))
        {
            if (place.Ports == ports)
            {
                if (place.Endpoints[endpoint.PodUid] == endpoint)
                    return false;
                place.Endpoints[endpoint.PodUid] = endpoint;
                return place.IsDirty = true;
            }
            place.Endpoints.Remove(endpoint.PodUid);
            place.IsDirty = true;
        }
        places[key] = place = Room(family, ports);
        place.Endpoints.Add(endpoint.PodUid, endpoint);
        return place.IsDirty = true;
    }

    public bool Remove(string podUid)
    {
        bool v4 = Remove(podUid, "IPv4");
        return Remove(podUid, "IPv6") || v4;
    }

    public bool Remove(string podUid, string family)
    {
        if (!places.Remove((podUid, family), out var place))
            return false;
        place.Endpoints.Remove(podUid);
        return place.IsDirty = true;
    }

    /// <summary>Empties all slices, which stay: what is put next may mean other ports.</summary>
    public void Clear()
    {
        places.Clear();
        foreach (var slice in slices)
        {
            slice.Endpoints.Clear();
            slice.IsDirty = true;
        }
    }

    /// <summary>Lets go of the empty slices that are not needed to show that a family has nobody.</summary>
    public List<Slice> TakeSpare(IReadOnlyList<string> families)
    {
        var spare = new List<Slice>();
        for (int i = slices.Count - 1; i >= 0; i--)
        {
            if (slices[i].Endpoints.Count > 0 || !IsSpare(slices[i], families))
                continue;
            spare.Add(slices[i]);
            slices.RemoveAt(i);
        }
        return spare;
    }

    private bool IsSpare(Slice slice, IReadOnlyList<string> families)
    {
        bool served = false;
        foreach (string family in families)
            served |= family == slice.Family;
        if (!served)
            return true;
        foreach (var other in slices)
        {
            if (other != slice && other.Family == slice.Family)
                return true;
        }
        return false;
    }

    private Slice Room(string family, string ports)
    {
        Slice? best = null;
        foreach (var slice in slices)
        {
            if (slice.Family != family || slice.Endpoints.Count >= MostInSlice || (slice.Ports != ports && slice.Endpoints.Count > 0))
                continue;
            if (best is null || (slice.IsDirty, slice.Endpoints.Count).CompareTo((best.IsDirty, best.Endpoints.Count)) > 0)
                best = slice;
        }
        if (best is null)
            slices.Add(best = new Slice(family, ports));
        best.Ports = ports;
        return best;
    }
}
