namespace Plumb.Lab.Containers;

/// <summary>A run that never began.</summary>
/// <param name="reason">`StartError`, `CreateContainerConfigError`: what kubectl shows as the container's state.</param>
internal sealed class ContainerStartException(string reason, string message) : Exception(message)
{
    public string Reason { get; } = reason;
}
