using Plumb.Agent.Storage;
using Plumb.Network.Cluster;

namespace Plumb.Agent.Tests.Storage;

public sealed class NodesRecordTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("plumb-agent-").FullName;
    private readonly OneTimer _time = new();
    private readonly CuttingSeam _seam = new(int.MaxValue);
    private ClusterView _cluster = ClusterView.Empty;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    private string Path => System.IO.Path.Combine(_directory, "nodes.json");

    private int Writes => _seam.Writes.Count(static write => write.StartsWith("rename", StringComparison.Ordinal));

    [Fact]
    public void Many_nodes_that_join_are_two_writes()
    {
        using var record = Record();
        for (var number = 1; number <= 200; number++)
        {
            Join(record, number);
        }
        Assert.Equal(1, Writes);
        Assert.Single(KnownNodes.Read(Path).Nodes);
        _time.Pass();
        record.Look(_cluster, changed: false);
        Assert.Equal(2, Writes);
        Assert.Equal(_cluster.Nodes.Keys, KnownNodes.Read(Path).Nodes.Keys);
        record.Look(_cluster, changed: false);
        Assert.Equal(2, Writes);
    }

    [Fact]
    public void What_changes_of_the_node_itself_is_written_at_once()
    {
        using var record = Record();
        Join(record, 2);
        Join(record, 3);
        Join(record, 1);
        Assert.Equal(2, Writes);
        Assert.Equal(_cluster.Nodes.Keys, KnownNodes.Read(Path).Nodes.Keys);
    }

    [Fact]
    public void What_is_not_written_yet_is_written_at_the_end()
    {
        using var record = Record();
        Join(record, 2);
        record.Finish(_cluster);
        Assert.Equal(1, Writes);
        Join(record, 3);
        record.Finish(_cluster);
        Assert.Equal(2, Writes);
        Assert.Equal(_cluster.Nodes.Keys, KnownNodes.Read(Path).Nodes.Keys);
    }

    private NodesRecord Record() => new(new AgentFiles(_seam, synchronise: false), Path, TestNode.Name, _time, new RecordingLog(), static () => { });

    private void Join(NodesRecord record, int number)
    {
        _cluster = _cluster.With(TestNode.Node(number, $"10.244.{number}.0/24"));
        record.Look(_cluster, changed: true);
    }

    /// <summary>Stands still until the one timer is due.</summary>
    private sealed class OneTimer : TimeProvider
    {
        private TimeSpan _now;
        private TimeSpan _due = Timeout.InfiniteTimeSpan;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => _now.Ticks;

        public void Pass()
        {
            Assert.NotEqual(Timeout.InfiniteTimeSpan, _due);
            _now += _due;
        }

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => new Timer(this);

        private sealed class Timer(OneTimer time) : ITimer
        {
            public bool Change(TimeSpan dueTime, TimeSpan period)
            {
                time._due = dueTime;
                return true;
            }

            public void Dispose()
            {
            }

            public ValueTask DisposeAsync() => ValueTask.CompletedTask;
        }
    }
}
