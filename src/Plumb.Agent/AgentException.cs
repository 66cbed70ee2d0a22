namespace Plumb.Agent;

/// <summary>The agent cannot start; the message is one line for the user: what, where, why, and what to do.</summary>
public sealed class AgentException(string message, Exception? cause = null) : Exception(message, cause);
