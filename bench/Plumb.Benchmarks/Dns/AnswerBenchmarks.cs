using BenchmarkDotNet.Attributes;
using Plumb.Dns.Answering;
using Plumb.Dns.Wire;
using Plumb.Dns.Zones;
using Plumb.Kubernetes.Objects;

namespace Plumb.Benchmarks.Dns;

/// <summary>One answer, and one changed slice, beside many names. Neither may depend on how many there are, and an answer allocates nothing.</summary>
public class AnswerBenchmarks
{
    private readonly byte[] _answer = new byte[1232];
    private AnswerEngine _engine = null!;
    private ClusterZone _zone = null!;
    private byte[] _service = null!;
    private byte[] _completed = null!;
    private byte[] _missing = null!;
    private EndpointSlice _one = null!;
    private EndpointSlice _other = null!;

    [Params(10, 10_000)]
    public int Services { get; set; }

    [GlobalSetup]
    public void Prepare()
    {
        _zone = NamesOfServices.Make(Services);
        _zone.Set(new Service { Metadata = new ObjectMeta { Namespace = "default", Name = "kafka" }, Spec = new ServiceSpec { ClusterIP = "None" } });
        _engine = new AnswerEngine(_zone);
        _service = Request("service-7.default.svc.cluster.local");
        _completed = Request("service-7.default.svc.cluster.local.default.svc.cluster.local");
        _missing = Request("nothing.default.svc.cluster.local");
        (_one, _other) = (Slice("10.244.1.5"), Slice("10.244.1.6"));
    }

    [Benchmark]
    public int Service() => Answer(_service);

    [Benchmark]
    public int CompletedSearchPath() => Answer(_completed);

    [Benchmark]
    public int Missing() => Answer(_missing);

    [Benchmark]
    public void OneEndpointChangesAndBack()
    {
        _zone.Set(_one);
        _zone.Set(_other);
    }

    private int Answer(byte[] request)
    {
        _engine.Answer(request, _answer, isUdp: true, out var written);
        return written;
    }

    private static byte[] Request(string name) => [1, 2, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, .. DomainName.Parse(name).Wire, 0, 1, 0, 1];

    private static EndpointSlice Slice(string address) => new()
    {
        Metadata = new ObjectMeta { Namespace = "default", Name = "kafka-1", Labels = new Dictionary<string, string> { [EndpointSlice.ServiceNameLabel] = "kafka" } },
        Endpoints = [new Endpoint { Addresses = [address], Hostname = "kafka-0" }, new Endpoint { Addresses = ["10.244.2.7"], Hostname = "kafka-1" }],
    };
}
