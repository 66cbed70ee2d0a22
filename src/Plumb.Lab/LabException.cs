namespace Plumb.Lab;

/// <summary>The lab cannot do what was asked. The message is one line for the user: what, where, why, and what to do.</summary>
public sealed class LabException(string message, Exception? cause = null) : Exception(message, cause);
