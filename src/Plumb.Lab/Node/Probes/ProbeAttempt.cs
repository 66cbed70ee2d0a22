using System.Net;
using System.Net.Sockets;
using Plumb.Api.Streaming;
using Plumb.Kubernetes.Objects;
using Plumb.Lab.Containers;
using Plumb.Linux.Addresses;
using Plumb.Linux.Namespaces;
using Plumb.Linux.Native;

namespace Plumb.Lab.Node.Probes;

/// <summary>One attempt of a probe, made as the kubelet makes it: from the node's own network to the pod's address, or as a command in the container.</summary>
internal sealed class ProbeAttempt(NetworkNamespace node, IpAddress pod, Kubernetes.Objects.Container spec, IContainer container)
{
    private const int MostRedirects = 10;

    /// <returns>Null when it succeeded, else why not, in the kubelet's words.</returns>
    public Task<string?> RunAsync(Probe probe, CancellationToken timeout) => probe switch
    {
        { HttpGet: { } http } => GetAsync(http, timeout),
        { TcpSocket: { } tcp } => ConnectAsync(tcp, timeout),
        { Exec: { } exec } => ExecAsync(exec, timeout),
        { Grpc: { } grpc } => GrpcAsync(grpc, probe.TimeoutSeconds ?? 1, timeout),
        _ => Task.FromResult<string?>("missing probe handler"),
    };

    /// <summary>A hook of a container's life (postStart, preStop).</summary>
    /// <inheritdoc cref="RunAsync(Probe, CancellationToken)"/>
    public Task<string?> RunAsync(LifecycleHandler hook, CancellationToken timeout) => hook switch
    {
        { HttpGet: { } http } => GetAsync(http, timeout),
        { TcpSocket: { } tcp } => ConnectAsync(tcp, timeout),
        { Exec: { } exec } => ExecAsync(exec, timeout),
        _ => Task.FromResult<string?>(null),
    };

    private async Task<string?> GrpcAsync(GrpcAction action, int seconds, CancellationToken timeout)
    {
        var server = new UriBuilder("http", pod.ToString(), action.Port).Uri;
        using var handler = Handler();
        using var http = new HttpMessageInvoker(handler);
        try
        {
            return await GrpcHealth.CheckAsync(http, server, action.Service ?? "", timeout);
        }
        catch (HttpRequestException failed)
        {
            return $"failed to connect service \"{server.Authority}\": {Words(failed.InnerException ?? failed, server.Authority)}";
        }
        catch (OperationCanceledException)
        {
            return $"timeout: failed to connect service \"{server.Authority}\" within {seconds}s: context deadline exceeded";
        }
    }

    // Probes ask whether somebody answers, not who: the kubelet skips verification, too.
    [System.Diagnostics.CodeAnalysis.SuppressMessage("Security", "CA5359", Justification = "as above")]
    private SocketsHttpHandler Handler()
    {
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            ConnectCallback = async (context, cancel) =>
                new NetworkStream(await node.ConnectTcpAsync(new IPEndPoint(Address(context.DnsEndPoint.Host), context.DnsEndPoint.Port), cancel), ownsSocket: true),
        };
        handler.SslOptions.RemoteCertificateValidationCallback = static (_, _, _, _) => true;
        return handler;
    }

    private async Task<string?> GetAsync(HttpGetAction action, CancellationToken timeout)
    {
        var scheme = action.Scheme is "HTTPS" ? "https" : "http";
        if (Port(action.Port) is not { } port)
        {
            return $"couldn't find port \"{action.Port}\" in container {spec.Name}";
        }
        var path = action.Path is { Length: > 0 } given ? given : "/";
        var uri = new Uri($"{scheme}://{(string.IsNullOrEmpty(action.Host) ? pod.ToString() : action.Host)}:{port}{(path[0] == '/' ? "" : "/")}{path}");
        using var handler = Handler();
        using var http = new HttpClient(handler);
        try
        {
            for (var redirects = 0; ; redirects++)
            {
                using var request = new HttpRequestMessage(HttpMethod.Get, uri);
                request.Headers.TryAddWithoutValidation("User-Agent", "kube-probe/1.34");
                request.Headers.TryAddWithoutValidation("Accept", "*/*");
                foreach (var header in action.HttpHeaders)
                {
                    request.Headers.Remove(header.Name);
                    request.Headers.TryAddWithoutValidation(header.Name, header.Value);
                }
                using var answer = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, timeout);
                var status = (int)answer.StatusCode;
                if (status is not (301 or 302 or 303 or 307 or 308) || answer.Headers.Location is not { } location)
                {
                    return status is >= 200 and < 400 ? null : $"HTTP probe failed with statuscode: {status}";
                }
                var next = new Uri(uri, location);
                // Whoever sends the probe elsewhere has answered it.
                if (next.Host != uri.Host)
                {
                    return null;
                }
                if (redirects == MostRedirects)
                {
                    return $"Get \"{next}\": stopped after {MostRedirects} redirects";
                }
                uri = next;
            }
        }
        catch (HttpRequestException failed)
        {
            return $"Get \"{uri}\": {Words(failed.InnerException ?? failed, $"{uri.Host}:{port}")}";
        }
        catch (OperationCanceledException)
        {
            return $"Get \"{uri}\": context deadline exceeded (Client.Timeout exceeded while awaiting headers)";
        }
    }

    private async Task<string?> ConnectAsync(TcpSocketAction action, CancellationToken timeout)
    {
        if (Port(action.Port) is not { } port)
        {
            return $"couldn't find port \"{action.Port}\" in container {spec.Name}";
        }
        var to = new IPEndPoint(string.IsNullOrEmpty(action.Host) ? pod.ToIPAddress() : Address(action.Host), port);
        try
        {
            using var socket = await node.ConnectTcpAsync(to, timeout);
            return null;
        }
        catch (OperationCanceledException)
        {
            return $"dial tcp {to}: i/o timeout";
        }
        catch (Exception failed) when (failed is SocketException or SystemCallException)
        {
            return Words(failed, to.ToString());
        }
    }

    private async Task<string?> ExecAsync(ExecAction action, CancellationToken timeout)
    {
        using var said = new MemoryStream();
        try
        {
            var outcome = await container.ExecAsync(new ExecRequest(spec.Name, action.Command, Terminal: false), new CommandStreams(null, said, said, null), timeout);
            return outcome.ExitCode == 0 ? null : System.Text.Encoding.UTF8.GetString(said.GetBuffer(), 0, (int)said.Length).Trim();
        }
        catch (OperationCanceledException)
        {
            return $"command timed out: \"{string.Join(' ', action.Command)}\" timed out";
        }
        catch (PodStreamException refused)
        {
            return refused.Message;
        }
    }

    private int? Port(Kubernetes.Json.IntOrString port)
    {
        if (int.TryParse(port.ToString(), out var number))
        {
            return number;
        }
        foreach (var known in spec.Ports)
        {
            if (known.Name == port.ToString())
            {
                return known.Number;
            }
        }
        return null;
    }

    private static IPAddress Address(string host) =>
        host == "localhost" ? IPAddress.Loopback
        : IPAddress.TryParse(host, out var address) ? address
        : throw new SocketException((int)SocketError.HostNotFound);

    private static string Words(Exception failed, string to) => failed switch
    {
        SocketException { SocketErrorCode: SocketError.ConnectionRefused } => $"dial tcp {to}: connect: connection refused",
        SocketException { SocketErrorCode: SocketError.HostUnreachable } => $"dial tcp {to}: connect: no route to host",
        SocketException { SocketErrorCode: SocketError.NetworkUnreachable } => $"dial tcp {to}: connect: network is unreachable",
        _ => $"dial tcp {to}: {failed.Message}",
    };
}
