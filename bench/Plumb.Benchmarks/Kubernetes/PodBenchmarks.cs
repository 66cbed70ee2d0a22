using System.Text;
using System.Text.Json.Nodes;
using BenchmarkDotNet.Attributes;
using Plumb.Kubernetes.Json;
using Plumb.Kubernetes.Objects;
using Plumb.Kubernetes.Patches;

namespace Plumb.Benchmarks.Kubernetes;

/// <summary>One pod, as every watch and every write of a status handles it.</summary>
public class PodBenchmarks
{
    private readonly GroupVersionKind _kind = new("", "v1", "Pod");
    private readonly JsonObject _object = SamplePod.Of("website", "node-1");
    private readonly StrategicMergePatch _status = new(JsonNode.Parse("""
        {"status":{"phase":"Running","conditions":[{"type":"Ready","status":"False"},{"type":"ContainersReady","status":"False"}],"containerStatuses":[{"name":"httpd","ready":false}]}}
        """)!.AsObject());

    private byte[] _json = [];
    private Pod _pod = null!;

    [GlobalSetup]
    public void Prepare()
    {
        _json = Encoding.UTF8.GetBytes(_object.ToJsonString());
        _pod = KubernetesJson.Read<Pod>(_json);
    }

    [Benchmark]
    public Pod Read() => KubernetesJson.Read<Pod>(_json);

    [Benchmark]
    public byte[] Write() => KubernetesJson.Write(_pod);

    [Benchmark]
    public JsonNode? ReadAsNodes() => JsonNode.Parse(_json);

    [Benchmark]
    public JsonObject StrategicMerge() => _status.Apply(_object, _kind);
}
