namespace Plumb.Lab.Node.Volumes;

/// <summary>Something that a pod refers to is not there, in a kubelet's words. It may come yet.</summary>
internal sealed class MissingSourceException(string message) : Exception(message);
