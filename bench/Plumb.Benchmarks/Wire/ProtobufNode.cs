using Plumb.Kubernetes.Json;
using Plumb.Kubernetes.Objects;

namespace Plumb.Benchmarks.Wire;

/// <summary>The parts of a Node, as <see cref="ProtobufObjects"/> reads all others.</summary>
internal static class ProtobufNode
{
    public static NodeSpec Spec(ReadOnlySpan<byte> message)
    {
        string? range = null, provider = null;
        var unschedulable = false;
        List<string>? ranges = null;
        List<Taint>? taints = null;
        for (var reader = new ProtobufReader(message); reader.Next();)
        {
            switch (reader.Field)
            {
                case 1: range = reader.TextOrNull; break;
                case 3: provider = reader.TextOrNull; break;
                case 4: unschedulable = reader.Flag; break;
                case 5: (taints ??= []).Add(Taint(reader.Bytes)); break;
                case 7: (ranges ??= []).Add(reader.Text); break;
            }
        }
        return new() { PodCIDR = range, PodCIDRs = ranges!, ProviderID = provider, Unschedulable = unschedulable, Taints = taints! };
    }

    public static NodeStatus Status(ReadOnlySpan<byte> message)
    {
        Dictionary<string, Quantity>? capacity = null, allocatable = null;
        List<Condition>? conditions = null;
        List<NodeAddress>? addresses = null;
        NodeSystemInfo? info = null;
        for (var reader = new ProtobufReader(message); reader.Next();)
        {
            switch (reader.Field)
            {
                case 1: Put(ref capacity, reader.Bytes); break;
                case 2: Put(ref allocatable, reader.Bytes); break;
                case 4: (conditions ??= []).Add(Condition(reader.Bytes)); break;
                case 5: (addresses ??= []).Add(Address(reader.Bytes)); break;
                case 7: info = Info(reader.Bytes); break;
            }
        }
        return new() { Capacity = capacity!, Allocatable = allocatable!, Conditions = conditions!, Addresses = addresses!, NodeInfo = info };
    }

    private static Taint Taint(ReadOnlySpan<byte> message)
    {
        string? key = null, value = null, effect = null;
        DateTimeOffset? added = null;
        for (var reader = new ProtobufReader(message); reader.Next();)
        {
            switch (reader.Field)
            {
                case 1: key = reader.TextOrNull; break;
                case 2: value = reader.TextOrNull; break;
                case 3: effect = reader.TextOrNull; break;
                case 4: added = reader.Time; break;
            }
        }
        return new() { Key = key!, Value = value, Effect = effect!, TimeAdded = added };
    }

    private static Condition Condition(ReadOnlySpan<byte> message)
    {
        string? type = null, status = null, reason = null, text = null;
        DateTimeOffset? heartbeat = null, transition = null;
        for (var reader = new ProtobufReader(message); reader.Next();)
        {
            switch (reader.Field)
            {
                case 1: type = reader.TextOrNull; break;
                case 2: status = reader.TextOrNull; break;
                case 3: heartbeat = reader.Time; break;
                case 4: transition = reader.Time; break;
                case 5: reason = reader.TextOrNull; break;
                case 6: text = reader.TextOrNull; break;
            }
        }
        return new() { Type = type!, Status = status!, LastHeartbeatTime = heartbeat, LastTransitionTime = transition, Reason = reason, Message = text };
    }

    private static NodeAddress Address(ReadOnlySpan<byte> message)
    {
        string? type = null, address = null;
        for (var reader = new ProtobufReader(message); reader.Next();)
        {
            switch (reader.Field)
            {
                case 1: type = reader.Text; break;
                case 2: address = reader.Text; break;
            }
        }
        return new() { Type = type!, Address = address! };
    }

    private static NodeSystemInfo Info(ReadOnlySpan<byte> message)
    {
        string? machine = null, system = null, boot = null, kernel = null, image = null, runtime = null, kubelet = null, proxy = null, os = null, architecture = null;
        for (var reader = new ProtobufReader(message); reader.Next();)
        {
            switch (reader.Field)
            {
                case 1: machine = reader.Text; break;
                case 2: system = reader.Text; break;
                case 3: boot = reader.Text; break;
                case 4: kernel = reader.Text; break;
                case 5: image = reader.Text; break;
                case 6: runtime = reader.Text; break;
                case 7: kubelet = reader.Text; break;
                case 8: proxy = reader.Text; break;
                case 9: os = reader.Text; break;
                case 10: architecture = reader.Text; break;
            }
        }
        return new()
        {
            MachineID = machine, SystemUUID = system, BootID = boot, KernelVersion = kernel, OsImage = image, ContainerRuntimeVersion = runtime, KubeletVersion = kubelet,
            KubeProxyVersion = proxy, OperatingSystem = os, Architecture = architecture,
        };
    }

    private static void Put(ref Dictionary<string, Quantity>? map, ReadOnlySpan<byte> entry)
    {
        var key = "";
        Quantity amount = default;
        for (var reader = new ProtobufReader(entry); reader.Next();)
        {
            switch (reader.Field)
            {
                case 1: key = reader.Text; break;
                case 2: amount = new(reader.Only); break;
            }
        }
        (map ??= [])[key] = amount;
    }
}
