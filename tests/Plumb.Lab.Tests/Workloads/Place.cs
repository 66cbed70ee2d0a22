using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Plumb.Kubernetes.Objects;
using Plumb.Lab.Containers;
using Plumb.Linux.Namespaces;

namespace Plumb.Lab.Tests.Workloads;

/// <summary>A pod's sandbox without a cluster: a network namespace whose loopback device is up and also has the pod's address.</summary>
internal sealed class Place : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("plumb-place-");

    public Place(string name = "website-1", string address = "10.244.1.5")
    {
        Network = NetworkNamespace.Create();
        Run("ip", "link", "set", "lo", "up");
        Run("ip", "address", "add", address + "/32", "dev", "lo");
        Address = IPAddress.Parse(address);
        Pod = new PodFacts(new ObjectKey("Pod", "default", name), "u-1", "node-1", Network, [Linux.Addresses.IpAddress.Parse(address)]);
    }

    public NetworkNamespace Network { get; }

    public IPAddress Address { get; }

    public PodFacts Pod { get; init; }

    public string Files => _directory.FullName;

    public HttpClient Client() => new(new SocketsHttpHandler
    {
        ConnectCallback = async (context, cancel) =>
            new NetworkStream(await Network.ConnectTcpAsync(new IPEndPoint(IPAddress.Parse(context.DnsEndPoint.Host), context.DnsEndPoint.Port), cancel), ownsSocket: true),
    });

    public string Run(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo("nsenter", [$"--net={Network.ProcPath}", program, .. arguments]) { RedirectStandardOutput = true };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
        return output;
    }

    public void Dispose()
    {
        Network.Dispose();
        _directory.Delete(recursive: true);
    }
}
