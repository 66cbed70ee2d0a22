using Plumb.Linux.Addresses;
using Plumb.Linux.Nftables.Language;
using Plumb.Network.Cluster;

namespace Plumb.Network.Tests.Planning;

/// <summary>Services and slices at random, few enough to meet one another: shared node ports, addresses that are given on, slices without a Service.</summary>
internal static class RandomServices
{
    public static Subject Name(Random random) => new(SubjectKind.Service, "default", $"service-{random.Next(4)}");

    public static Subject SliceName(Random random) => new(SubjectKind.EndpointSlice, "default", $"slice-{random.Next(6)}");

    public static ClusterService Service(Random random, Subject subject)
    {
        var addresses = new List<IpAddress> { IpAddress.V4(10, 96, 0, (byte)random.Next(1, 7)) };
        if (random.Next(3) == 0)
        {
            addresses.Insert(random.Next(2), IpAddress.Parse($"fd00:10:96::{random.Next(1, 7)}"));
        }
        var ports = new List<ClusterServicePort>();
        for (var count = random.Next(1, 4); count > 0; count--)
        {
            var (name, protocol) = random.Next(3) switch { 0 => ("http", IpProtocol.Tcp), 1 => ("dns", IpProtocol.Udp), _ => ("", IpProtocol.Sctp) };
            var port = new ClusterServicePort(name, protocol, (ushort)random.Next(80, 83), (ushort)(random.Next(2) == 0 ? 0 : random.Next(31100, 31104)));
            if (!ports.Exists(other => other.Name == name || (other.Protocol == protocol && other.Port == port.Port)))
            {
                ports.Add(port);
            }
        }
        return new ClusterService(subject)
        {
            ClusterIPs = [.. addresses],
            Ports = [.. ports],
            ExternalIPs = random.Next(4) == 0 ? [IpAddress.V4(192, 168, 1, (byte)random.Next(200, 203))] : [],
            BalancerAddresses = random.Next(4) == 0 ? [IpAddress.V4(192, 168, 1, (byte)random.Next(210, 213))] : [],
            SourceRanges = random.Next(4) == 0 ? [IpPrefix.Parse("192.168.1.64/26")] : [],
            IsLocalInside = random.Next(3) == 0,
            IsLocalOutside = random.Next(3) == 0,
            AffinitySeconds = random.Next(3) switch { 0 => 10_800, 1 => 60, _ => null },
        };
    }

    /// <summary>As it was, with an endpoint more or less or another, or all anew.</summary>
    public static ServiceSlice Slice(Random random, Subject subject, ServiceSlice? was)
    {
        var family = was?.Family ?? (random.Next(4) == 0 ? IpFamily.V6 : IpFamily.V4);
        var endpoints = new List<SliceEndpoint>(was?.Endpoints ?? []);
        if (was is null || random.Next(4) == 0)
        {
            endpoints.Clear();
        }
        for (var count = random.Next(4); count > 0; count--)
        {
            if (endpoints.Count != 0 && random.Next(2) == 0)
            {
                endpoints.RemoveAt(random.Next(endpoints.Count));
            }
            else
            {
                endpoints.Insert(random.Next(endpoints.Count + 1), Endpoint(random, family));
            }
        }
        return (was ?? new ServiceSlice(subject, Name(random))
        {
            Family = family,
            Ports = [new("http", IpProtocol.Tcp, 8080), new("dns", IpProtocol.Udp, 5353), new("", IpProtocol.Sctp, 9)],
        }) with { Endpoints = [.. endpoints], Service = was is null || random.Next(5) == 0 ? Name(random) : was.Service };
    }

    private static SliceEndpoint Endpoint(Random random, IpFamily family)
    {
        var host = random.Next(2, 12);
        return new SliceEndpoint(
            family == IpFamily.V4 ? IpAddress.V4(10, 244, (byte)random.Next(1, 3), (byte)host) : IpAddress.Parse($"fd00:10:244:1::{host}"),
            random.Next(4) switch
            {
                0 => EndpointState.None,
                1 => EndpointState.Serving | EndpointState.Terminating,
                _ => EndpointState.Ready | EndpointState.Serving,
            },
            random.Next(3) == 0 ? "" : $"node-{random.Next(1, 3)}",
            random.Next(2) == 0 ? [] : [random.Next(2) == 0 ? "zone-a" : "zone-b"],
            random.Next(2) == 0 ? [] : [$"node-{random.Next(1, 3)}"]);
    }
}
