using System.Text.Json;
using Plumb.Linux.Addresses;
using Plumb.Linux.Nftables.Language;
using Plumb.Network.Facts;

namespace Plumb.Agent.Cni;

/// <summary>The capability <c>portMappings</c> (CONVENTIONS.md of the CNI repository): <c>[{hostPort, containerPort, protocol, hostIP}]</c>; podman adds <c>range</c>, how many ports in a row.</summary>
internal static class CniPorts
{
    private const int MostPort = ushort.MaxValue;

    /// <exception cref="CniException">An item is not of that form, or two ask for one port.</exception>
    public static IReadOnlyList<HostPort> Read(JsonElement runtimeConfig)
    {
        var ports = new List<HostPort>();
        if (!runtimeConfig.TryGetField("portMappings", out var list) || list.ValueKind == JsonValueKind.Null)
        {
            return ports;
        }
        if (list.ValueKind != JsonValueKind.Array)
        {
            throw Bad("it is not a list");
        }
        foreach (var item in list.EnumerateArray())
        {
            if (item.ValueKind != JsonValueKind.Object)
            {
                throw Bad("an item is not an object");
            }
            Add(item, ports);
        }
        return ports;
    }

    private static void Add(JsonElement item, List<HostPort> ports)
    {
        var (host, container, range) = (Number(item, "hostPort", 0), Number(item, "containerPort", 0), Math.Max(Number(item, "range", 1), 1));
        if (host == 0)
        {
            return; // runtimes list a pod's other ports, too
        }
        if (container == 0 || host + range - 1 > MostPort || container + range - 1 > MostPort)
        {
            throw Bad($"{item.GetRawText()} leads from or to a port that is none");
        }
        var protocol = ProtocolOf(item);
        var address = AddressOf(item);
        for (var i = 0; i < range; i++)
        {
            var port = new HostPort(protocol, (ushort)(host + i), (ushort)(container + i), address);
            if (ports.Exists(port.ConflictsWith))
            {
                throw Bad($"{port} is there twice");
            }
            ports.Add(port);
        }
    }

    private static int Number(JsonElement item, string name, int otherwise) =>
        !item.TryGetField(name, out var value) || value.ValueKind == JsonValueKind.Null ? otherwise
        : value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) && number is >= 0 and <= MostPort ? number
        : throw Bad($"{name} {value.GetRawText()} is no port");

    private static IpProtocol ProtocolOf(JsonElement item) => Text(item, "protocol").ToUpperInvariant() switch
    {
        "" or "TCP" => IpProtocol.Tcp,
        "UDP" => IpProtocol.Udp,
        "SCTP" => IpProtocol.Sctp,
        var other => throw Bad($"protocol {other} is not TCP, UDP or SCTP"),
    };

    private static IpAddress? AddressOf(JsonElement item) =>
        Text(item, "hostIP") is not { Length: > 0 } text ? null
        : IpAddress.TryParse(text, out var address) ? (address.IsUnspecified ? null : address)
        : throw Bad($"hostIP '{text}' is no address");

    private static string Text(JsonElement item, string name) =>
        item.TryGetField(name, out var value) && value.ValueKind != JsonValueKind.Null
            ? value.ValueKind == JsonValueKind.String ? value.GetString()! : throw Bad($"{name} {value.GetRawText()} is not a string")
            : "";

    private static CniException Bad(string what) => new(CniErrorCode.InvalidConfiguration, $"runtimeConfig.portMappings: {what}");
}
