using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;

namespace Plumb.EndToEnd.Cni;

/// <summary>
/// The part of a kubelet that asks for sandboxes: runtime.v1.RuntimeService of the Container Runtime Interface, over gRPC on a unix socket. Its few messages are
/// written and read by hand: a kubelet's own client is Go.
/// </summary>
/// <param name="cgroup">Below which sandboxes' control groups are made.</param>
internal sealed class ContainerRuntimeInterface(string socketPath, string cgroup) : IDisposable
{
    private const int FrameHeader = 5; // compressed or not, then the length (big-endian)

    private readonly HttpClient _http = new(new SocketsHttpHandler
    {
        ConnectCallback = async (_, cancel) =>
        {
            var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            try
            {
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(socketPath), cancel);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        },
    });

    public void Dispose() => _http.Dispose();

    /// <summary>Whether pods' networks can be made, and in the runtime's words why not (empty: they can).</summary>
    public async Task<string> NetworkTroubleAsync()
    {
        var status = Message.Of(await CallAsync("Status", new Message()), 1).Single();
        var network = Message.Of(status, 1).Single(static condition => Message.Text(condition, 1) == "NetworkReady");
        return Message.Number(network, 2) == 1 ? "" : Message.Text(network, 4);
    }

    /// <param name="name">Of the pod, which is in the namespace `default`; its uid, too.</param>
    /// <param name="annotations">Of the pod.</param>
    /// <returns>The sandbox's id.</returns>
    /// <exception cref="RuntimeException">The runtime refused.</exception>
    public async Task<string> RunAsync(string name, IEnumerable<HostPort> ports, params (string Key, string Value)[] annotations)
    {
        var configuration = new Message()
            .With(1, new Message().With(1, name).With(2, name).With(3, "default"))
            .With(2, name)
            .With(8, new Message().With(1, cgroup));
        foreach (var (node, pod, protocol) in ports)
        {
            configuration.With(5, new Message().With(1, (int)protocol).With(2, pod).With(3, node));
        }
        foreach (var (key, value) in annotations)
        {
            configuration.With(7, new Message().With(1, key).With(2, value));
        }
        return Message.Text(await CallAsync("RunPodSandbox", new Message().With(1, configuration)), 1);
    }

    /// <summary>The ids of all sandboxes that there are.</summary>
    public async Task<IReadOnlyList<string>> ListAsync() =>
        [.. Message.Of(await CallAsync("ListPodSandbox", new Message()), 1).Select(static sandbox => Message.Text(sandbox, 1))];

    /// <summary>What the runtime says of a sandbox: its address, as a kubelet writes it into the pod's status.</summary>
    public async Task<string> AddressAsync(string sandbox)
    {
        var status = Message.Of(await CallAsync("PodSandboxStatus", new Message().With(1, sandbox)), 1).Single();
        return Message.Text(Message.Of(status, 5).Single(), 1);
    }

    /// <exception cref="RuntimeException">The runtime could not.</exception>
    public Task StopAsync(string sandbox) => CallAsync("StopPodSandbox", new Message().With(1, sandbox));

    /// <exception cref="RuntimeException">The runtime could not.</exception>
    public Task RemoveAsync(string sandbox) => CallAsync("RemovePodSandbox", new Message().With(1, sandbox));

    private async Task<byte[]> CallAsync(string method, Message message)
    {
        var cancel = TestContext.Current.CancellationToken;
        var body = message.ToArray();
        var frame = new byte[FrameHeader + body.Length];
        System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(1), body.Length);
        body.CopyTo(frame, FrameHeader);
        using var request = new HttpRequestMessage(HttpMethod.Post, $"http://localhost/runtime.v1.RuntimeService/{method}")
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent(frame) { Headers = { ContentType = new MediaTypeHeaderValue("application/grpc") } },
        };
        request.Headers.TE.Add(new TransferCodingWithQualityHeaderValue("trailers"));
        using var response = await _http.SendAsync(request, cancel);
        var answer = await response.Content.ReadAsByteArrayAsync(cancel);
        // Without a body the status stands among the headers.
        var end = response.TrailingHeaders.Contains("grpc-status") ? response.TrailingHeaders : response.Headers;
        return end.GetValues("grpc-status").Single() == "0"
            ? answer[FrameHeader..]
            : throw new RuntimeException(Uri.UnescapeDataString(end.GetValues("grpc-message").Single()));
    }

    /// <summary>A message of Protocol Buffers: fields with a number, each a varint or bytes.</summary>
    private sealed class Message
    {
        private const int Varint = 0, Bytes = 2;

        private readonly List<byte> _octets = [];

        public byte[] ToArray() => [.. _octets];

        public Message With(int field, int value)
        {
            Write((uint)field << 3 | Varint);
            Write((uint)value);
            return this;
        }

        public Message With(int field, string value) => With(field, Encoding.UTF8.GetBytes(value));

        public Message With(int field, Message value) => With(field, value.ToArray());

        private Message With(int field, byte[] value)
        {
            Write((uint)field << 3 | Bytes);
            Write((uint)value.Length);
            _octets.AddRange(value);
            return this;
        }

        private void Write(uint value)
        {
            for (; value >= 0x80; value >>= 7)
            {
                _octets.Add((byte)(value | 0x80));
            }
            _octets.Add((byte)value);
        }

        /// <summary>All values of a field that is bytes.</summary>
        public static IEnumerable<byte[]> Of(byte[] message, int field) => Fields(message).Where(one => one.Field == field).Select(static one => one.Value);

        public static string Text(byte[] message, int field) => Encoding.UTF8.GetString(Of(message, field).LastOrDefault() ?? []);

        public static ulong Number(byte[] message, int field) => Fields(message).LastOrDefault(one => one.Field == field).Number;

        private static List<(int Field, ulong Number, byte[] Value)> Fields(byte[] message)
        {
            var fields = new List<(int, ulong, byte[])>();
            for (var at = 0; at < message.Length;)
            {
                var tag = Read(message, ref at);
                var number = Read(message, ref at);
                var length = (tag & 7) switch { Varint => 0, Bytes => (int)number, var other => throw new FormatException($"wire type {other}") };
                fields.Add(((int)(tag >> 3), number, message[at..(at + length)]));
                at += length;
            }
            return fields;
        }

        private static ulong Read(byte[] message, ref int at)
        {
            ulong value = 0;
            for (var shift = 0; ; shift += 7)
            {
                var octet = message[at++];
                value |= (ulong)(octet & 0x7f) << shift;
                if (octet < 0x80)
                {
                    return value;
                }
            }
        }
    }
}

/// <summary>A port of the node and where in the pod it leads.</summary>
internal readonly record struct HostPort(int Node, int Pod, HostPort.Transport Protocol = HostPort.Transport.Tcp)
{
    /// <summary>As the interface numbers them.</summary>
    public enum Transport { Tcp, Udp, Sctp }
}

/// <summary>A container runtime refused, in its own words.</summary>
internal sealed class RuntimeException(string message) : Exception(message);
