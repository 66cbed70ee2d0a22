using System.Text.Json.Nodes;
using BenchmarkDotNet.Attributes;
using Plumb.Api.Storage;
using Plumb.Benchmarks.Kubernetes;

namespace Plumb.Benchmarks.Api;

/// <summary>One write beside many objects, and beside watchers. Only <see cref="ListAll"/> may grow with the cluster.</summary>
public class StoreBenchmarks
{
    private readonly ObjectStore _store = new();
    private StoreKey _more;
    private StoredObject _one = null!;
    private JsonObject _pod = null!;
    private int _turn;

    [Params(10, 10_000)]
    public int Pods { get; set; }

    [GlobalSetup]
    public void Prepare()
    {
        for (var i = 0; i < Pods; i++)
        {
            _one = _store.Insert(Key($"website-{i}"), SamplePod.Of($"website-{i}", $"node-{i % 10}"));
        }
        _more = Key("one-more");
        _pod = SamplePod.Of("one-more", "node-1");
    }

    [Benchmark]
    public long CreateAndDelete() => _store.Remove(_store.Insert(_more, _pod)).ResourceVersion;

    [Benchmark]
    public long Update()
    {
        var root = _one.ToNode();
        root["status"]!["phase"] = _turn++ % 2 == 0 ? "Pending" : "Running";
        _one = _store.Replace(_one, root);
        return _one.ResourceVersion;
    }

    [Benchmark]
    public StoredObject Get() => _store.Get(_one.Key);

    [Benchmark]
    public int ListAll() => _store.List(GroupResource.Pods).Count;

    private static StoreKey Key(string name) => new(GroupResource.Pods, "default", name);
}

/// <summary>One write, told to many who watch: each node's agent and kubelet asks for its own pods only.</summary>
public class WatchBenchmarks
{
    private readonly ObjectStore _store = new();
    private readonly List<Subscription> _watchers = [];
    private StoredObject _one = null!;
    private int _turn;

    [Params(1, 100)]
    public int Watchers { get; set; }

    [Params(true, false)]
    public bool OnePodsNodeOnly { get; set; }

    [GlobalSetup]
    public void Prepare()
    {
        _one = _store.Insert(new StoreKey(GroupResource.Pods, "default", "website"), SamplePod.Of("website", "node-0"));
        for (var i = 0; i < Watchers; i++)
        {
            var node = $"node-{i}";
            _watchers.Add(_store.Subscribe(GroupResource.Pods, null, OnePodsNodeOnly ? pod => pod.NodeName == node : null));
        }
    }

    [Benchmark]
    public int UpdateAndHear()
    {
        var root = _one.ToNode();
        root["status"]!["phase"] = _turn++ % 2 == 0 ? "Pending" : "Running";
        _one = _store.Replace(_one, root);
        var heard = 0;
        foreach (var watcher in _watchers)
        {
            while (watcher.Changes.TryRead(out _))
            {
                heard++;
            }
        }
        return heard == (OnePodsNodeOnly ? 1 : Watchers) ? heard : throw new InvalidOperationException($"{heard} heard of it");
    }
}
