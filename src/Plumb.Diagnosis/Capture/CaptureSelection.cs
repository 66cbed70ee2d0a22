using Plumb.Linux.Addresses;
using Plumb.Linux.Capture;

namespace Plumb.Diagnosis.Capture;

/// <summary>Whose packets are wanted.</summary>
/// <param name="Source">Addresses of one side; empty: everybody's.</param>
/// <param name="Destination">Addresses of the other, with those into which they are translated; empty: everybody's.</param>
/// <param name="Expression">And only those; null: all.</param>
public sealed record CaptureSelection(IReadOnlySet<IpAddress> Source, IReadOnlySet<IpAddress> Destination, FilterExpression? Expression)
{
    /// <summary>Whether a packet goes between the two sides, in either direction.</summary>
    public bool Wants(in PacketHeaders headers) =>
        (IsOf(Source, headers.Source) && IsOf(Destination, headers.Destination)) || (IsOf(Source, headers.Destination) && IsOf(Destination, headers.Source));

    private static bool IsOf(IReadOnlySet<IpAddress> side, IpAddress address) => side.Count == 0 || side.Contains(address);
}
