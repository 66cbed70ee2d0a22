using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Numerics;
using Plumb.Linux.Addresses;
using Plumb.Linux.Namespaces;
using Plumb.Linux.Nftables.Language;
using Plumb.Network.Facts;

namespace Plumb.Network.Tests.Services;

/// <summary>SCTP by packets made by hand: not every kernel has sockets for it.</summary>
public sealed class SctpTests
{
    private const ushort ClientPort = 40_000;

    [Theory]
    [InlineData("client", ServicesKind.Nftables)]
    [InlineData("node-1", ServicesKind.Nftables)]
    [InlineData("client", ServicesKind.Iptables)]
    [InlineData("node-1", ServicesKind.Iptables)]
    public async Task The_first_packet_of_an_association_is_sent_to_an_endpoint_and_its_port(string client, ServicesKind services)
    {
        using var world = new ServiceWorld(services: services);
        world.Apply(
            """
            apiVersion: v1
            kind: Service
            metadata: {name: signal}
            spec: {clusterIP: 10.96.14.7, clusterIPs: [10.96.14.7], ports: [{port: 36412, protocol: SCTP}]}
            ---
            apiVersion: discovery.k8s.io/v1
            kind: EndpointSlice
            metadata: {name: signal-a, labels: {kubernetes.io/service-name: signal}}
            addressType: IPv4
            ports: [{port: 9899, protocol: SCTP}]
            endpoints: [{addresses: [10.244.2.2], nodeName: node-2}]
            """);
        using var server = world["far"].OpenRaw(AddressFamily.InterNetwork, IpProtocol.Sctp);
        using var sender = world[client].OpenRaw(AddressFamily.InterNetwork, IpProtocol.Sctp);
        var packet = new byte[256];
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        patience.CancelAfter(TimeSpan.FromSeconds(10));
        var received = server.ReceiveAsync(packet, patience.Token).AsTask();
        do
        {
            // As an endpoint does that hears nothing (RFC 9260, 5.1: T1-init): a new link's carrier comes a moment after it.
            await sender.SendToAsync(Init(36412), new IPEndPoint(IPAddress.Parse("10.96.14.7"), 0));
        }
        while (await Task.WhenAny(received, Task.Delay(TimeSpan.FromSeconds(1), patience.Token)) != received);
        var length = await received;

        var sctp = packet.AsSpan((packet[0] & 0xf) * 4, length - ((packet[0] & 0xf) * 4));
        Assert.Equal(9899, BinaryPrimitives.ReadUInt16BigEndian(sctp[2..]));
        Assert.True(IpAddress.TryRead(packet.AsSpan(12, 4), out var source));
        // Of a pod of this node the own address, of the node that by which it reaches the other.
        Assert.Equal(world.AddressOf(client), source);
        if (client == "client")
        {
            Assert.Equal(ClientPort, BinaryPrimitives.ReadUInt16BigEndian(sctp));
        }
    }

    // RFC 9260, 3.1 and 3.3.2: common header and an INIT chunk without parameters.
    private static byte[] Init(ushort port)
    {
        var packet = new byte[12 + 20];
        BinaryPrimitives.WriteUInt16BigEndian(packet, ClientPort);
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(2), port);
        packet[12] = 1; // INIT
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(14), 20);
        BinaryPrimitives.WriteUInt32BigEndian(packet.AsSpan(16), 0x1234_5678); // initiate tag
        BinaryPrimitives.WriteUInt32BigEndian(packet.AsSpan(20), 65_536); // receiver window, bytes
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(24), 1); // streams out
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(26), 1); // streams in
        BinaryPrimitives.WriteUInt32BigEndian(packet.AsSpan(28), 1); // first number
        var checksum = uint.MaxValue;
        foreach (var octet in packet)
        {
            checksum = BitOperations.Crc32C(checksum, octet);
        }
        BinaryPrimitives.WriteUInt32LittleEndian(packet.AsSpan(8), ~checksum);
        return packet;
    }
}
