using Plumb.Linux.Addresses;

namespace Plumb.Diagnosis.Capture;

/// <summary>Who has which address: pods, Services, nodes.</summary>
public sealed class CaptureNames
{
    private readonly Dictionary<IpAddress, string> _names = [];

    public IEnumerable<(IpAddress Address, string Name)> All => _names.Select(static one => (one.Key, one.Value));

    /// <summary>The first name that is given to an address stays.</summary>
    public void Add(IpAddress address, string name) => _names.TryAdd(address, name);

    /// <summary>Null: nobody's that is known.</summary>
    public string? Of(IpAddress address) => _names.GetValueOrDefault(address);
}
