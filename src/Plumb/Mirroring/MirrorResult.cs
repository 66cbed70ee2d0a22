using Plumb.Output;

namespace Plumb.Mirroring;

/// <param name="Device">On both nodes.</param>
/// <param name="Direction">Seen from the pod: both, ingress, egress.</param>
/// <param name="Mirrored">Packets that were copied; null: nobody knows, because an agent took its part out before it was asked.</param>
/// <param name="Received">Copies that came to the other node.</param>
/// <param name="Ended">Why it ended, where nobody here wanted it to; null: somebody did.</param>
internal sealed record MirrorResult(
    string Pod, string From, string To, string Device, int VxlanId, string Direction, double Seconds, long? Mirrored, long? Received, long? Lost, string? Ended)
{
    public void Write(TextWriter to, Style style)
    {
        if (Ended is not null)
        {
            to.WriteLine(style.Warning($"the mirror of {Pod} has ended: {Ended}"));
        }
        to.WriteLine(Mirrored is null ? $"how many packets were mirrored is not known ({Seconds:0.0} s)"
            : $"{Mirrored} packets mirrored, {(Lost == 0 ? "0" : style.Warning($"{Lost}"))} lost ({Seconds:0.0} s)");
    }
}
