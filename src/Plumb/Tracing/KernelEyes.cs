using Plumb.Linux.Bpf;
using Plumb.Linux.Native;

namespace Plumb.Tracing;

/// <summary>The kernel's trace points, where they may be had: they are opened before the command enters the lab's user namespace, where nobody may, and taken along.</summary>
internal static class KernelEyes
{
    private const string Variable = "PLUMB_TRACE_POINTS";

    /// <summary>Them, or what is missing, in a line.</summary>
    public static (PacketTracePoints? Points, string? Blind) Open()
    {
        try
        {
            if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } numbers)
            {
                Environment.SetEnvironmentVariable(Variable, null);
                return (PacketTracePoints.Adopt(numbers), null);
            }
            var points = PacketTracePoints.Open();
            Environment.SetEnvironmentVariable(Variable, points.Bequeath());
            return (points, null);
        }
        catch (SystemCallException refused) when (refused.Errno is Errno.EPERM or Errno.EACCES)
        {
            return (null, "the kernel's trace points (reasons of drops) are for real root (CAP_BPF and CAP_PERFMON): not watched");
        }
        catch (Exception lacking) when (lacking is SystemCallException or NotSupportedException or FormatException)
        {
            return (null, $"the kernel's trace points (reasons of drops) are not watched: {lacking.Message}");
        }
    }
}
