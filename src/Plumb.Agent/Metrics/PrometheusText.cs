using System.Globalization;
using System.Text;
using OpenTelemetry;
using OpenTelemetry.Metrics;

namespace Plumb.Agent.Metrics;

/// <summary>Metrics as Prometheus reads them: its text format, version 0.0.4.</summary>
internal static class PrometheusText
{
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    public static void Write(in Batch<Metric> metrics, StringBuilder to)
    {
        foreach (var metric in metrics)
        {
            var name = NameOf(metric);
            to.Append("# HELP ").Append(name).Append(' ').Append(Escaped(metric.Description, isLabel: false)).Append('\n');
            to.Append("# TYPE ").Append(name).Append(' ').Append(TypeOf(metric.MetricType)).Append('\n');
            foreach (ref readonly var point in metric.GetMetricPoints())
            {
                Write(name, metric.MetricType, point, to);
            }
        }
    }

    private static string TypeOf(MetricType type) => type switch
    {
        MetricType.LongSum or MetricType.DoubleSum => "counter",
        MetricType.Histogram => "histogram",
        _ => "gauge",
    };

    // As OpenTelemetry's specification has it: underscores, the unit's whole name, `_total` behind what only grows.
    private static string NameOf(Metric metric)
    {
        var name = new StringBuilder(metric.Name.Length + 16);
        foreach (var letter in metric.Name)
        {
            name.Append(char.IsAsciiLetterOrDigit(letter) ? letter : '_');
        }
        name.Append(metric.Unit switch { "s" => "_seconds", "By" => "_bytes", _ => "" });
        name.Append(metric.MetricType is MetricType.LongSum or MetricType.DoubleSum ? "_total" : "");
        return name.ToString();
    }

    private static void Write(string name, MetricType type, in MetricPoint point, StringBuilder to)
    {
        switch (type)
        {
            case MetricType.Histogram:
                var below = 0L;
                foreach (var bucket in point.GetHistogramBuckets())
                {
                    below += bucket.BucketCount;
                    Line(name, "_bucket", point.Tags, Number(bucket.ExplicitBound), to).Append(below).Append('\n');
                }
                Line(name, "_sum", point.Tags, null, to).Append(Number(point.GetHistogramSum())).Append('\n');
                Line(name, "_count", point.Tags, null, to).Append(point.GetHistogramCount()).Append('\n');
                break;
            case MetricType.LongSum or MetricType.LongSumNonMonotonic:
                Line(name, "", point.Tags, null, to).Append(point.GetSumLong()).Append('\n');
                break;
            case MetricType.DoubleSum or MetricType.DoubleSumNonMonotonic:
                Line(name, "", point.Tags, null, to).Append(Number(point.GetSumDouble())).Append('\n');
                break;
            case MetricType.LongGauge:
                Line(name, "", point.Tags, null, to).Append(point.GetGaugeLastValueLong()).Append('\n');
                break;
            case MetricType.DoubleGauge:
                Line(name, "", point.Tags, null, to).Append(Number(point.GetGaugeLastValueDouble())).Append('\n');
                break;
        }
    }

    private static StringBuilder Line(string name, string suffix, ReadOnlyTagCollection tags, string? bound, StringBuilder to)
    {
        to.Append(name).Append(suffix);
        var separator = '{';
        foreach (var tag in tags)
        {
            Label(tag.Key, Convert.ToString(tag.Value, CultureInfo.InvariantCulture) ?? "");
        }
        if (bound is not null)
        {
            Label("le", bound);
        }
        return to.Append(separator == ',' ? "} " : " ");

        void Label(string key, string value)
        {
            to.Append(separator).Append(key).Append("=\"").Append(Escaped(value, isLabel: true)).Append('"');
            separator = ',';
        }
    }

    private static string Number(double value) =>
        double.IsPositiveInfinity(value) ? "+Inf" : value.ToString("R", CultureInfo.InvariantCulture);

    private static string Escaped(string text, bool isLabel)
    {
        text = text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);
        return isLabel ? text.Replace("\"", "\\\"", StringComparison.Ordinal) : text;
    }
}
