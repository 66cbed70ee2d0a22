namespace Plumb.Cni.Compiler;

/// <summary>The program uses something that is not of the subset.</summary>
internal sealed class RefusedException(string message) : Exception(message);
