using Plumb.Linux.Addresses;

namespace Plumb.Diagnosis.Rules;

internal static class EndpointText
{
    /// <summary>Address and port as people write them; the port only where there is one.</summary>
    public static string Of(IpAddress address, ushort port) =>
        port == 0 ? address.ToString() : address.Family == IpFamily.V4 ? $"{address}:{port}" : $"[{address}]:{port}";
}
