using Plumb.Api.Streaming;

namespace Plumb.Api.Tests.Replay;

/// <summary>The recorded server had nodes in its store, and no kubelet behind any.</summary>
internal sealed class SilentNodes : IPodRuntime
{
    public Task LogAsync(PodIdentity pod, LogRequest request, Stream output, CancellationToken cancel) => throw Refused();

    public Task<CommandOutcome> ExecAsync(PodIdentity pod, ExecRequest request, CommandStreams streams, CancellationToken cancel) => throw Refused();

    public Task<CommandOutcome> AttachAsync(PodIdentity pod, AttachRequest request, CommandStreams streams, CancellationToken cancel) => throw Refused();

    public ValueTask<Stream> ConnectAsync(PodIdentity pod, int port, CancellationToken cancel) => throw Refused();

    private static PodStreamException Refused() => PodStreamException.Internal("connection refused");
}
