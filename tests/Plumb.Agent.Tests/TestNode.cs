using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Plumb.Agent.Cni;
using Plumb.Linux.Addresses;
using Plumb.Linux.State;
using Plumb.Linux.Json;
using Plumb.Network.Cluster;

namespace Plumb.Agent.Tests;

/// <summary>A node with a kernel that is not real: for what does not depend on one.</summary>
internal sealed class TestNode : IDisposable
{
    public const string Name = "node-1";

    private readonly string _directory = Directory.CreateTempSubdirectory("plumb-agent-").FullName;

    public TestNode()
    {
        Kernel.Give(new LinkEntry(Id, "eth0", new LinkType.Other("device")) { MtuBytes = 1500, Mac = MacAddress.Parse("02:00:00:00:00:01"), Up = true });
        Kernel.Give(new AddressEntry(Id, "eth0", IpPrefix.Parse("192.168.1.11/24")));
    }

    public static NamespaceId Id { get; } = new(Name);

    public FakeKernel Kernel { get; } = new(Id);

    public RecordingLog Log { get; } = new();

    public string PodRange { get; init; } = "10.244.1.0/24";

    public string LeaseDirectory => Path.Combine(_directory, "state", "leases");

    public string Configuration => Path.Combine(_directory, "net.d", "10-plumb.conflist");

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    public Task<NodeAgent> StartAsync(IWriteSeam? writes = null, Func<NodeAgentOptions, NodeAgentOptions>? change = null)
    {
        Directory.CreateDirectory(Path.Combine(_directory, "state"));
        var options = new NodeAgentOptions
        {
            NodeName = Name,
            Network = null!,
            StateDirectory = Path.Combine(_directory, "state"),
            SocketPath = Socket,
            CniConfigurationDirectory = Path.Combine(_directory, "net.d"),
            Log = Log,
            TroublePatience = TimeSpan.FromMilliseconds(50),
            Nodes = [Node(1, PodRange), Node(2, "10.244.2.0/24"), Node(3, "10.244.3.0/24")],
        };
        options = change?.Invoke(options) ?? options;
        return NodeAgent.StartAsync(options, Kernel.Open(writes ?? IWriteSeam.None), writes ?? IWriteSeam.None, TestContext.Current.CancellationToken);
    }

    public static ClusterNode Node(int number, string range) => new($"node-{number}")
    {
        Addresses = [IpAddress.V4(192, 168, 1, (byte)(10 + number))],
        PodRanges = [IpPrefix.Parse(range)],
    };

    /// <summary>What a runtime's call is when it reaches the agent.</summary>
    public static byte[] Call(string verb, string container, string version = "1.1.0", JsonObject? configuration = null, string name = "eth0")
    {
        configuration ??= [];
        configuration["cniVersion"] = version;
        configuration["name"] ??= "plumb";
        return new CniCall(
            new Dictionary<string, string>
            {
                ["CNI_COMMAND"] = verb,
                ["CNI_CONTAINERID"] = container,
                ["CNI_IFNAME"] = name,
                ["CNI_NETNS"] = FakeKernel.Path(container),
                ["CNI_ARGS"] = $"IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=pod-{container}",
            },
            Encoding.UTF8.GetBytes(configuration.ToJsonString())).ToBytes();
    }

    public async Task<(bool Succeeded, JsonNode? Body)> CniAsync(string verb, string container, string version = "1.1.0", JsonObject? configuration = null, string name = "eth0")
    {
        var cancel = TestContext.Current.CancellationToken;
        using var http = Client();
        using var answer = await http.PostAsync(new Uri("http://agent/cni"), new ByteArrayContent(Call(verb, container, version, configuration, name)), cancel);
        var body = await answer.Content.ReadAsByteArrayAsync(cancel);
        return (answer.IsSuccessStatusCode, body.Length == 0 ? null : JsonNode.Parse(body));
    }

    public async Task<string> AddAsync(string container)
    {
        Kernel.MakeNamespace(container);
        var (succeeded, body) = await CniAsync("ADD", container);
        Assert.True(succeeded, body?.ToJsonString());
        return (string)body!["ips"]![0]!["address"]!;
    }

    /// <summary>What <c>GET /observed</c> answers.</summary>
    public async Task<ObservedState> ObservedAsync()
    {
        using var http = Client();
        using var body = new MemoryStream(await http.GetByteArrayAsync(new Uri("http://agent/observed"), TestContext.Current.CancellationToken));
        return StateJson.ReadObserved(body);
    }

    public async Task<System.Net.HttpStatusCode> StatusOfAsync(HttpMethod method, string path)
    {
        using var http = Client();
        using var request = new HttpRequestMessage(method, new Uri("http://agent" + path));
        using var answer = await http.SendAsync(request, TestContext.Current.CancellationToken);
        return answer.StatusCode;
    }

    public async Task<(System.Net.HttpStatusCode Status, string Text)> SetServicesAsync(string kind)
    {
        using var http = Client();
        using var answer = await http.PostAsync(new Uri("http://agent/services?kind=" + kind), content: null, TestContext.Current.CancellationToken);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    public async Task<(System.Net.HttpStatusCode Status, string Text)> SetBandwidthAsync(string container, string body)
    {
        using var http = Client();
        using var content = new StringContent(body);
        using var answer = await http.PutAsync(new Uri($"http://agent/bandwidth?container={container}&interface=eth0"), content, TestContext.Current.CancellationToken);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    public async Task<JsonDocument> StateAsync()
    {
        using var http = Client();
        return JsonDocument.Parse(await http.GetByteArrayAsync(new Uri("http://agent/state"), TestContext.Current.CancellationToken));
    }

    public string Socket => Path.Combine(_directory, "cni.sock");

    private HttpClient Client() => new(new SocketsHttpHandler
    {
        ConnectCallback = async (_, cancel) =>
        {
            var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(Socket), cancel);
            return new NetworkStream(socket, ownsSocket: true);
        },
    });
}

internal sealed class RecordingLog : ILogger
{
    private readonly System.Threading.Channels.Channel<string> _lines = System.Threading.Channels.Channel.CreateUnbounded<string>();

    /// <summary>Waits for a line that contains the text.</summary>
    public async Task<string> LineAsync(string containing)
    {
        while (true)
        {
            var line = await _lines.Reader.ReadAsync(TestContext.Current.CancellationToken);
            if (line.Contains(containing, StringComparison.Ordinal))
            {
                return line;
            }
        }
    }

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        _lines.Writer.TryWrite($"{formatter(state, exception)}{(exception is null ? "" : $": {exception.Message}")}");
}
