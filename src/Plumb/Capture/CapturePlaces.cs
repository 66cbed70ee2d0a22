using Plumb.Diagnosis.Capture;
using Plumb.Lab;
using Plumb.Linux.Capture;
using Plumb.Linux.Kernel;
using Plumb.Linux.Namespaces;
using Plumb.Linux.Native;
using Plumb.Linux.State;
using Plumb.Network;
using Plumb.Network.Facts;
using Plumb.Scenes;

namespace Plumb.Capture;

/// <summary>The namespaces in which a capture listens: all nodes, and the pods that it is about.</summary>
internal sealed class CapturePlaces : IDisposable
{
    // Each has a ring of its own.
    private const int MostPods = 64;

    private static readonly HashSet<EntryKind> Links = [EntryKind.Link];

    private readonly Kernels _kernels = new();
    private readonly List<(NamespaceId Namespace, PacketRing Ring)> _rings = [];
    private readonly Dictionary<NamespaceId, Dictionary<int, (string Device, string Owner)>> _devices = [];

    public IReadOnlyList<(NamespaceId Namespace, PacketRing Ring)> Rings => _rings;

    public static ushort VxlanPort => (ushort)new NetworkOptions().VxlanPort;

    /// <param name="expression">For tcpdump to compile; null: all frames.</param>
    /// <exception cref="LabException">A namespace cannot be listened in.</exception>
    public static CapturePlaces Open(ILiveScene scene, CaptureEnds ends, int bufferBytes, int snapLength, string? expression)
    {
        var filter = expression is null ? FilterProgram.First(snapLength) : TcpdumpFilter.Compile(expression, snapLength);
        var places = new CapturePlaces();
        try
        {
            foreach (var party in scene.Parties.All)
            {
                if (party.Kind == PartyKind.Node || (party.Name == CaptureEnds.Outside && party.Kind == PartyKind.Machine && ends.IsFromOutside))
                {
                    places.Add(new NamespaceId(party.Name), scene.Open(party.Space), bufferBytes, filter);
                }
            }
            foreach (var pod in ends.Pods.Where(pod => scene.Parties.Of(pod.Space) == pod).Take(MostPods))
            {
                places.Add(new NamespaceId(pod.Scope == "default" ? pod.Name : pod.FullName), scene.Open(pod.Space), bufferBytes, filter);
            }
            return places;
        }
        catch (SystemCallException refused)
        {
            places.Dispose();
            throw new LabException($"packets cannot be captured: {refused.Message}", refused);
        }
    }

    /// <summary>Null: there is no such device any more.</summary>
    public string? DeviceOf(NamespaceId place, int index)
    {
        if (!_devices.TryGetValue(place, out var devices) || !devices.ContainsKey(index))
        {
            _devices[place] = devices = Read(place);
        }
        return devices.TryGetValue(index, out var found) ? found.Device : null;
    }

    /// <summary>Whose a device is.</summary>
    public string Describe(CapturePlace place) =>
        _devices.GetValueOrDefault(place.Namespace)?.Values.FirstOrDefault(one => one.Device == place.Device).Owner is { Length: > 0 } owner ? $"{place.Device} in {place.Namespace}: {owner}" : $"{place.Device} in {place.Namespace}";

    public void Dispose()
    {
        foreach (var (_, ring) in _rings)
        {
            ring.Dispose();
        }
        _kernels.Dispose();
    }

    private void Add(NamespaceId id, NetworkNamespace network, int bufferBytes, FilterProgram filter)
    {
        if (_kernels.Knows(id))
        {
            network.Dispose();
            return;
        }
        _kernels.Add(id, network);
        _rings.Add((id, PacketRing.Open(network, bufferBytes, filter)));
    }

    private Dictionary<int, (string Device, string Owner)> Read(NamespaceId place)
    {
        var devices = new Dictionary<int, (string, string)>();
        foreach (var held in _kernels.Observe([place], Links).Entries.Values)
        {
            if (held.Entry is LinkEntry link)
            {
                var owner = held.Stamp is { } stamp ? Origin.TryParse(stamp, out var origin) ? origin!.ToString() : stamp.Text : "";
                devices[held.Facts.Index] = (link.Name, owner);
            }
        }
        return devices;
    }
}
