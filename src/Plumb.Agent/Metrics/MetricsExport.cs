using System.Text;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;

namespace Plumb.Agent.Metrics;

/// <summary>Carries an agent's metrics to whoever wants them: Prometheus, who asks; and a collector of OpenTelemetry, which is told.</summary>
public sealed class MetricsExport : IDisposable
{
    private static readonly TimeSpan DefaultInterval = TimeSpan.FromSeconds(60);

    private readonly MeterProvider _provider;
    private readonly Page _page = new();
    private readonly BaseExportingMetricReader _asked;
    private readonly BaseExportingMetricReader? _told;
    private readonly SemaphoreSlim _one = new(1);
    private readonly Func<Task> _refresh;

    /// <param name="refresh">Brings gauges up to date.</param>
    /// <param name="environment">OpenTelemetry's own variables: <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> and those beside it.</param>
    public MetricsExport(string node, Func<Task> refresh, Func<string, string?> environment)
    {
        _refresh = refresh;
        _asked = new BaseExportingMetricReader(_page);
        var builder = Sdk.CreateMeterProviderBuilder()
            .ConfigureResource(resource => resource.AddService("plumb-agent", serviceInstanceId: node))
            .AddMeter(AgentMetrics.MeterName)
            .AddReader(_asked);
        if (IsTold(environment))
        {
            _told = new BaseExportingMetricReader(new OtlpMetricExporter(new OtlpExporterOptions()));
            builder.AddReader(_told);
        }
        _provider = builder.Build();
    }

    /// <summary>Whether somebody named a collector.</summary>
    public static bool IsTold(Func<string, string?> environment) =>
        environment("OTEL_EXPORTER_OTLP_ENDPOINT") is { Length: > 0 } || environment("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT") is { Length: > 0 };

    /// <summary>All metrics as they are now, in Prometheus's text format.</summary>
    public async Task<string> TextAsync(CancellationToken cancel)
    {
        await _refresh();
        await _one.WaitAsync(cancel);
        try
        {
            _page.Text.Clear();
            _asked.Collect();
            return _page.Text.ToString();
        }
        finally
        {
            _one.Release();
        }
    }

    /// <summary>Tells the collector, if there is one, until cancelled. One that does not answer is told the next time.</summary>
    public async Task RunAsync(TimeProvider time, Func<string, string?> environment, CancellationToken cancel)
    {
        if (_told is null)
        {
            return;
        }
        var interval = int.TryParse(environment("OTEL_METRIC_EXPORT_INTERVAL"), out var milliseconds) && milliseconds > 0
            ? TimeSpan.FromMilliseconds(milliseconds)
            : DefaultInterval;
        using var timer = new PeriodicTimer(interval, time);
        while (await timer.WaitForNextTickAsync(cancel))
        {
            await _refresh();
            await Task.Run(() => _told.Collect(), cancel);
        }
    }

    public void Dispose()
    {
        _provider.Dispose();
        _one.Dispose();
    }

    private sealed class Page : BaseExporter<Metric>
    {
        public StringBuilder Text { get; } = new();

        public override ExportResult Export(in Batch<Metric> batch)
        {
            PrometheusText.Write(batch, Text);
            return ExportResult.Success;
        }
    }
}
