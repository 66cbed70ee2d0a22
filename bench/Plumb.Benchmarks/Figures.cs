using System.Diagnostics;
using System.Globalization;

namespace Plumb.Benchmarks;

/// <summary>What runs print and how they look at processes.</summary>
internal static class Figures
{
    /// <summary>The value below which <paramref name="percent"/> of them are; sorts them.</summary>
    public static double Of(List<double> values, int percent)
    {
        values.Sort();
        return values.Count == 0 ? double.NaN : values[Math.Min(values.Count - 1, values.Count * percent / 100)];
    }

    /// <summary>Processor time that a process has had so far, in milliseconds: unlike time itself it says nearly the same on a machine that is busy with others.</summary>
    public static double CpuMilliseconds(int process)
    {
        using var seen = Process.GetProcessById(process);
        return seen.TotalProcessorTime.TotalMilliseconds;
    }

    public static double CpuMilliseconds() => CpuMilliseconds(Environment.ProcessId);

    public static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);
}
