using Plumb.CommandLine;
using Plumb.Linux.Addresses;

namespace Plumb.Installing;

/// <summary>What an agent is told that a lab chooses by itself.</summary>
internal sealed class AgentOptions
{
    public const string Nobody = "none";

    /// <summary>Where an agent is asked if nobody says otherwise.</summary>
    public const string DefaultSocket = "/run/plumb/cni.sock";

    public ListOption Dns { get; } = new(
        "--cluster-dns", [], "ADDRESS", "answer DNS on this node itself, at this address of a Service; ADDRESS,ADDRESS for both families; none or left out: somebody else does",
        static text => text.Split(',').FirstOrDefault(static one => one != Nobody && !IpAddress.TryParse(one, out _)) is { } wrong ? $"'{wrong}' is no address such as 10.96.0.10" : null);

    public IpAddress[] DnsOf(Invocation invocation) =>
        [.. invocation.Values(Dns).SelectMany(static text => text.Split(',')).Where(static text => text != Nobody).Select(IpAddress.Parse)];
}
