namespace Plumb.Lab.Agents;

/// <summary>A node's agent, in the lab's process or in one of its own.</summary>
internal interface INodeAgent : IAsyncDisposable
{
    /// <summary>Id in the lab's pid namespace of an agent that is a process of its own, while it runs.</summary>
    int? ProcessId { get; }
}
