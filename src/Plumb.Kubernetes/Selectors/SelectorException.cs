namespace Plumb.Kubernetes.Selectors;

/// <summary>A selector that cannot be understood; the message is the API server's (400 BadRequest).</summary>
public sealed class SelectorException(string message) : Exception(message);
