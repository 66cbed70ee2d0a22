using Plumb.Dns.Answering;
using Plumb.Dns.Wire;
using Plumb.Dns.Zones;
using Plumb.Kubernetes.Objects;

namespace Plumb.Dns.Tests.Zones;

public sealed class IncrementalTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void After_any_changes_the_names_are_those_of_a_zone_made_from_nothing(int seed)
    {
        var random = new Random(seed);
        var zone = new ClusterZone(ZoneOptions.Default with { PodRanges = [] });
        var empty = zone.Names;
        var (services, slices, pods) = (new Dictionary<ObjectKey, Service>(), new Dictionary<ObjectKey, EndpointSlice>(), new Dictionary<ObjectKey, Pod>());
        for (var round = 0; round < 40; round++)
        {
            for (var i = 0; i < 25; i++)
            {
                Change(random, zone, services, slices, pods);
            }
            var fresh = new ClusterZone(ZoneOptions.Default with { PodRanges = [] });
            // In another order than they came in.
            foreach (var pod in pods.Values)
            {
                fresh.Set(pod);
            }
            foreach (var slice in slices.Values.Reverse())
            {
                fresh.Set(slice);
            }
            foreach (var service in services.Values.Reverse())
            {
                fresh.Set(service);
            }
            Assert.Equal(Dump(fresh), Dump(zone));
        }
        foreach (var key in services.Keys)
        {
            zone.RemoveService(key);
        }
        foreach (var key in slices.Keys)
        {
            zone.RemoveSlice(key);
        }
        foreach (var key in pods.Keys)
        {
            zone.RemovePod(key);
        }
        Assert.Equal(empty, zone.Names);
    }

    [Fact]
    public void One_changed_endpoint_writes_its_own_names_and_its_Services()
    {
        var zone = new ClusterZone(ZoneOptions.Default);
        zone.Set(Headless("kafka"));
        for (var i = 0; i < 10; i++)
        {
            zone.Set(Slice("kafka", i, [.. Enumerable.Range(0, 100).Select(static n => (byte)n)]));
        }
        var before = Contents(zone);
        zone.Set(Slice("kafka", 3, [.. Enumerable.Range(1, 99).Select(static n => (byte)n), 200]));
        var after = Contents(zone);
        var written = before.Keys.Union(after.Keys).Where(name => before.GetValueOrDefault(name) != after.GetValueOrDefault(name)).ToList();
        // The name of the one that went and of the one that came, an address backwards for each, the Service's own and that of its port.
        Assert.Equal(6, written.Count);
    }

    [Fact]
    public void A_name_is_never_seen_without_records_while_its_endpoints_change()
    {
        var zone = new ClusterZone(ZoneOptions.Default);
        zone.Set(Headless("kafka"));
        zone.Set(Slice("kafka", 0, [1]));
        var engine = new AnswerEngine(zone);
        using var stop = new CancellationTokenSource();
        var asked = 0;
        var reader = new Thread(() =>
        {
            var (request, answer) = (Ask.Bytes("kafka.default.svc.cluster.local", RecordType.A), new byte[512]);
            while (!stop.IsCancellationRequested)
            {
                engine.Answer(request, answer, true, out _);
                if (answer[7] is not (1 or 2))
                {
                    asked = -1;
                    return;
                }
                asked++;
            }
        });
        reader.Start();
        for (var i = 0; i < 20_000 && reader.IsAlive; i++)
        {
            zone.Set(Slice("kafka", 0, i % 2 == 0 ? [1, 2] : [2]));
            zone.Set(Slice("kafka", 0, i % 2 == 0 ? [1] : [1, 2]));
        }
        stop.Cancel();
        reader.Join();
        Assert.True(asked > 0);
    }

    private static void Change(Random random, ClusterZone zone, Dictionary<ObjectKey, Service> services, Dictionary<ObjectKey, EndpointSlice> slices, Dictionary<ObjectKey, Pod> pods)
    {
        var name = $"s{random.Next(6)}";
        switch (random.Next(6))
        {
            case 0 or 1:
                var service = random.Next(4) switch
                {
                    0 => Headless(name),
                    1 => Headless(name) with { Spec = new ServiceSpec { ClusterIP = "None", PublishNotReadyAddresses = true } },
                    2 => Headless(name) with { Spec = new ServiceSpec { Type = "ExternalName", ExternalName = $"s{random.Next(6)}.default.svc.cluster.local" } },
                    _ => Headless(name) with
                    {
                        Spec = new ServiceSpec { ClusterIP = $"10.96.0.{random.Next(20, 26)}", Ports = [new ServicePort { Name = random.Next(2) == 0 ? "http" : null, Port = 80 }] },
                    },
                };
                services[service.Key()] = service;
                zone.Set(service);
                break;
            case 2 or 3:
                var slice = Slice(name, random.Next(2), [.. Enumerable.Range(0, random.Next(4)).Select(_ => (byte)random.Next(8))]);
                if (random.Next(5) == 0)
                {
                    // The same slice may come to be another Service's.
                    slice = slice with { Metadata = slice.Metadata with { Name = "wanderer" } };
                }
                slices[slice.Key()] = slice;
                zone.Set(slice);
                break;
            case 4:
                var pod = new Pod { Metadata = new ObjectMeta { Namespace = "default", Name = name }, Status = new PodStatus { PodIP = $"10.244.1.{random.Next(8)}" } };
                pods[pod.Key()] = pod;
                zone.Set(pod);
                break;
            default:
                if (services.Count > 0 && random.Next(2) == 0)
                {
                    var key = services.Keys.ElementAt(random.Next(services.Count));
                    services.Remove(key);
                    zone.RemoveService(key);
                }
                else if (slices.Count > 0)
                {
                    var key = slices.Keys.ElementAt(random.Next(slices.Count));
                    slices.Remove(key);
                    zone.RemoveSlice(key);
                }
                if (pods.Count > 0 && random.Next(4) == 0)
                {
                    var key = pods.Keys.First();
                    pods.Remove(key);
                    zone.RemovePod(key);
                }
                break;
        }
    }

    private static Service Headless(string name) => new()
    {
        Metadata = new ObjectMeta { Namespace = "default", Name = name },
        Spec = new ServiceSpec { ClusterIP = "None", Ports = [new ServicePort { Name = "broker", Port = 9092 }] },
    };

    private static EndpointSlice Slice(string service, int number, byte[] hosts) => new()
    {
        Metadata = new ObjectMeta { Namespace = "default", Name = $"{service}-{number}", Labels = new Dictionary<string, string> { [EndpointSlice.ServiceNameLabel] = service } },
        AddressType = "IPv4",
        Ports = [new EndpointPort { Name = "broker", Port = 9092 }],
        Endpoints = [.. hosts.Select(host => new Endpoint
        {
            Addresses = [$"10.244.{number}.{host}"],
            Hostname = host % 3 == 0 ? null : $"{service}-{number}-{host}",
            Conditions = new EndpointConditions { Ready = host % 5 != 4 },
        })],
    };

    private static Dictionary<string, NodeContent> Contents(ClusterZone zone) =>
        zone.Table.All.ToDictionary(static node => DomainName.FromWire(node.Name).ToString(), static node => node.Content);

    private static string Dump(ClusterZone zone) => string.Join('\n', zone.Table.All
        .SelectMany(static node => node.Content.Sets.SelectMany(static set => set.Records).Select(static r => $"{r} {r.Cause}").DefaultIfEmpty("")
            .Select(text => $"{DomainName.FromWire(node.Name)} {text}"))
        .Order(StringComparer.Ordinal));
}
