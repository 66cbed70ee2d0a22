namespace Plumb.Api.Streaming;

/// <summary>
/// The container runtimes of all nodes, as the API server sees them: what a real one reaches through each node's kubelet (its port 10250).
/// The implementation picks the node by <see cref="PodIdentity.Node"/>.
/// </summary>
/// <remarks>
/// Every method refuses with a <see cref="PodStreamException"/>; its text is what the user of kubectl reads. Any other exception is a bug and is
/// answered as an internal error. A cancelled token means that the client went away: logs and port-forward end, an exec'd process is killed.
/// </remarks>
public interface IPodRuntime
{
    /// <summary>Writes the asked part of a container's log; with <see cref="LogRequest.Follow"/> until the container has ended or the token is cancelled.</summary>
    /// <param name="output">Nothing may be written before the container is known to exist; a flush with nothing written starts the answer.</param>
    Task LogAsync(PodIdentity pod, LogRequest request, Stream output, CancellationToken cancel);

    /// <summary>Runs a command beside the container's own and returns when it has ended and all its output has been written.</summary>
    Task<CommandOutcome> ExecAsync(PodIdentity pod, ExecRequest request, CommandStreams streams, CancellationToken cancel);

    /// <summary>Connects to the container's own process. Returns when that ends, and always as a success, as a kubelet does; a cancelled token only lets go of it.</summary>
    Task<CommandOutcome> AttachAsync(PodIdentity pod, AttachRequest request, CommandStreams streams, CancellationToken cancel);

    /// <summary>Opens a TCP connection to a port of the pod's own loopback address, from inside the pod's network namespace.</summary>
    /// <returns>A duplex stream; disposing it closes the connection. Of a NetworkStream each direction is closed by itself.</returns>
    ValueTask<Stream> ConnectAsync(PodIdentity pod, int port, CancellationToken cancel);

    /// <summary>A node's own addresses on the wire; null: an object may tell of one that nobody runs.</summary>
    IReadOnlyList<System.Net.IPAddress>? AddressesOf(string node) => null;

    /// <summary>Opens a TCP connection to a port of a node, at one of its own addresses.</summary>
    /// <returns>As <see cref="ConnectAsync"/>.</returns>
    ValueTask<Stream> ConnectToNodeAsync(string name, System.Net.IPEndPoint to, CancellationToken cancel) => throw PodStreamException.NotFound($"node \"{name}\" is not known");
}

/// <summary>A pod as the API server resolved it from the object in its store.</summary>
/// <param name="Node">`spec.nodeName`; empty while the pod is not scheduled.</param>
/// <param name="Containers">The names in `spec.containers` and then those in `spec.initContainers` and `spec.ephemeralContainers`, in order.</param>
public sealed record PodIdentity(string Namespace, string Name, string Uid, string Node, IReadOnlyList<string> Containers)
{
    /// <summary>How many of <see cref="Containers"/>, from the first, are main containers: a request that names none means the only one of these.</summary>
    public int MainContainers { get; init; } = Containers.Count;
}

/// <summary>What `kubectl logs` asks for (PodLogOptions, core/v1).</summary>
/// <param name="Previous">The log of the container's instance before the present one.</param>
/// <param name="Since">Only lines written at or after this time. `sinceSeconds` is turned into it on the way.</param>
/// <param name="TailLines">Only the last so many lines, counted before following. Null: all.</param>
/// <param name="LimitBytes">Ends after so many bytes, inside a line if need be. Null: no limit.</param>
/// <param name="Timestamps">Each line begins with its RFC 3339 time (nanoseconds, UTC) and a space.</param>
public sealed record LogRequest(
    string Container, bool Follow, bool Previous, DateTimeOffset? Since, long? TailLines, long? LimitBytes, bool Timestamps)
{
    public LogSource Source { get; init; } = LogSource.All;
}

public enum LogSource { All, Stdout, Stderr }

public sealed record ExecRequest(string Container, IReadOnlyList<string> Command, bool Terminal);

public sealed record AttachRequest(string Container, bool Terminal);

/// <summary>
/// The client's side of a command. Streams that the client did not ask for are null: discard what would go there. None may be used after the runtime's
/// method has returned.
/// </summary>
/// <param name="Stdin">Reads what the client types; 0 bytes at its end.</param>
/// <param name="Stdout">Also carries standard error when there is a terminal.</param>
/// <param name="Resizes">Window sizes in the order in which the client had them; null without a terminal.</param>
public sealed record CommandStreams(Stream? Stdin, Stream? Stdout, Stream? Stderr, System.Threading.Channels.ChannelReader<TerminalSize>? Resizes);

/// <summary>In characters.</summary>
public readonly record struct TerminalSize(ushort Columns, ushort Rows);

/// <param name="ExitCode">0–255; 128 + signal number for a command that a signal ended.</param>
public readonly record struct CommandOutcome(int ExitCode);
