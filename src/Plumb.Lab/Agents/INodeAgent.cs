using Plumb.Linux.Addresses;
using Plumb.Linux.State;
using Plumb.Network.Facts;

namespace Plumb.Lab.Agents;

/// <summary>A node's agent, in the lab's process or in one of its own.</summary>
internal interface INodeAgent : IAsyncDisposable
{
    /// <summary>Id in the lab's pid namespace of an agent that is a process of its own, while it runs.</summary>
    int? ProcessId { get; }

    /// <summary>Completes when the node sends no new connections to these addresses any more; with false when it did not before either.</summary>
    Task<bool> DepartedAsync(ValueList<IpAddress> addresses, CancellationToken cancel);

    /// <summary>Goes over to another way of serving Services, with no connection lost.</summary>
    /// <returns>What is left of the old way, a line for each.</returns>
    /// <exception cref="LabException">It cannot be; all is as it was.</exception>
    Task<IReadOnlyList<string>> SetServicesAsync(ServicesKind services, CancellationToken cancel);
}
