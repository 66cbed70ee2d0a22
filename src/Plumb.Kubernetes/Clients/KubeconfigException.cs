namespace Plumb.Kubernetes.Clients;

/// <summary>A kubeconfig, or what a pod is given in its place, cannot be used; the message is one line that names the file.</summary>
public sealed class KubeconfigException(string message) : Exception(message);
