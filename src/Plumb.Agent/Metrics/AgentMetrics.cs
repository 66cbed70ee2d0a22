using System.Diagnostics.Metrics;

namespace Plumb.Agent.Metrics;

/// <summary>What one agent measures of itself: instruments of the meter <c>plumb.agent</c>, for whoever exports them. docs/metrics.md says what each means.</summary>
/// <remarks>Names are OpenTelemetry's; Prometheus sees them with underscores and units. Durations are in seconds.</remarks>
public sealed class AgentMetrics : IDisposable
{
    public const string MeterName = "plumb.agent";

    private static readonly InstrumentAdvice<double> _seconds = new()
    {
        // From one change of one endpoint to a table that is built anew.
        HistogramBucketBoundaries = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    };

    private readonly Meter _meter = new(MeterName);
    private readonly TimeProvider _time;
    private readonly Histogram<double> _sync;
    private readonly Histogram<double> _lag;
    private readonly Histogram<double> _cni;
    private readonly Counter<long> _repairs;
    private readonly Counter<long> _refusals;
    private readonly Counter<long> _apiFailures;
    private volatile NodeGauges _gauges = NodeGauges.None;

    public AgentMetrics(TimeProvider time)
    {
        _time = time;
        _sync = _meter.CreateHistogram("plumb.sync.duration", "s", "a round of the agent: plan what changed and write the difference to the kernel", advice: _seconds);
        _lag = _meter.CreateHistogram("plumb.programming.lag", "s", "from hearing of a change until the kernel has it", advice: _seconds);
        _cni = _meter.CreateHistogram("plumb.cni.request.duration", "s", "calls of the CNI plugin, by command and code of the error (0: none)", advice: _seconds);
        _repairs = _meter.CreateCounter<long>("plumb.repairs", null, "entries of the kernel that somebody changed and the agent restored, or gave way on");
        _refusals = _meter.CreateCounter<long>("plumb.kernel.refusals", null, "entries that the kernel did not take");
        _apiFailures = _meter.CreateCounter<long>("plumb.api.failures", null, "lists and watches that failed and were tried again");
        Gauge("plumb.entries", "entries of the kernel that are planned, by layer of the network", static gauges => gauges.EntriesByLayer, "layer");
        Gauge("plumb.leases", "pods' addresses that are held, by range", static gauges => gauges.LeasesByRange, "range");
        Gauge("plumb.leases.capacity", "pods' addresses that a range has", static gauges => gauges.CapacityByRange, "range");
        Gauge("plumb.nodes", "nodes of the cluster", static gauges => gauges.Nodes);
        Gauge("plumb.pods", "pods that are connected", static gauges => gauges.Pods);
        Gauge("plumb.services", "Services that this node serves", static gauges => gauges.Services);
        Gauge("plumb.conntrack.entries", "connections that the kernel remembers", static gauges => gauges.Connections);
        Gauge("plumb.conntrack.limit", "connections that it can remember: beyond them it drops", static gauges => gauges.MostConnections);
        Gauge("plumb.ready", "1 while pods can be served", static gauges => gauges.IsReady ? 1 : 0);
    }

    public void Dispose() => _meter.Dispose();

    /// <summary>For the others' <c>since</c>.</summary>
    internal long Now => _time.GetTimestamp();

    internal void Synced(long since) => _sync.Record(Since(since));

    internal void Programmed(long since) => _lag.Record(Since(since));

    /// <param name="command">One that the specification names; others are counted together, as callers may invent as many as they like.</param>
    /// <param name="code">Of the CNI specification; 0: it succeeded.</param>
    internal void Called(string? command, int code, long since) =>
        _cni.Record(
            Since(since),
            new KeyValuePair<string, object?>("command", command is "ADD" or "DEL" or "CHECK" or "GC" or "STATUS" or "VERSION" ? command : "other"),
            new KeyValuePair<string, object?>("code", code));

    internal void Repaired(bool gaveWay) => _repairs.Add(1, new KeyValuePair<string, object?>("outcome", gaveWay ? "gave_way" : "restored"));

    internal void Refused() => _refusals.Add(1);

    internal void ApiFailed() => _apiFailures.Add(1);

    /// <summary>What gauges show from now on.</summary>
    internal void Show(NodeGauges gauges) => _gauges = gauges;

    private double Since(long timestamp) => _time.GetElapsedTime(timestamp).TotalSeconds;

    private void Gauge(string name, string description, Func<NodeGauges, long> value) =>
        _meter.CreateObservableGauge(name, () => value(_gauges), null, description);

    private void Gauge(string name, string description, Func<NodeGauges, IReadOnlyDictionary<string, long>> values, string label) =>
        _meter.CreateObservableGauge(
            name, () => values(_gauges).Select(pair => new Measurement<long>(pair.Value, new KeyValuePair<string, object?>(label, pair.Key))), null, description);
}
