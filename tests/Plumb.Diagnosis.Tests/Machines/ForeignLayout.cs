using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Plumb.Linux.Addresses;
using Plumb.Linux.Namespaces;
using Plumb.Linux.Processes;

namespace Plumb.Diagnosis.Tests.Machines;

/// <summary>
/// A network as somebody else's tools would make it: each host a process in a namespace, the rest by a shell script of <c>ip</c> and <c>iptables</c>.
/// In the script <c>$NAME</c> is the process of a host, and <c>on NAME command…</c> runs there.
/// </summary>
internal sealed class ForeignLayout : IDisposable
{
    public const ushort OpenPort = 8080;

    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(700);

    private readonly Dictionary<string, SpawnedProcess> _hosts = [];
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("plumb-cni-");

    /// <param name="pods">Hosts of which CNI's cache says that they are pods, in the namespace <c>shop</c>.</param>
    public ForeignLayout(string script, IReadOnlyList<string> hosts, IReadOnlyList<string> pods)
    {
        Directory.CreateDirectory(CniFolder + "/results");
        foreach (var host in hosts)
        {
            using var network = NetworkNamespace.Create();
            _hosts[host] = Spawn.Start(new SpawnRequest("busybox")
            {
                Arguments = ["httpd", "-f", "-p", $"{OpenPort}", "-h", _folder.FullName],
                Namespaces = new SpawnNamespaces { Network = network },
            });
        }
        foreach (var pod in pods)
        {
            File.WriteAllText(
                $"{CniFolder}/results/net-{pod}0123456789ab-eth0",
                """
                {"kind": "cniCacheV1", "containerId": "POD0123456789ab", "ifName": "eth0", "networkName": "net",
                 "cniArgs": [["IgnoreUnknown", "1"], ["K8S_POD_NAMESPACE", "shop"], ["K8S_POD_NAME", "POD"]],
                 "result": {"cniVersion": "1.0.0", "interfaces": [{"name": "eth0", "sandbox": "PATH"}], "ips": []}}
                """.Replace("POD\"", $"{pod}\"", StringComparison.Ordinal).Replace("POD0", $"{pod}0", StringComparison.Ordinal).Replace("PATH", PathOf(pod), StringComparison.Ordinal));
        }
        Run(script);
    }

    public string CniFolder => _folder.FullName + "/cni";

    public string PathOf(string host) => $"/proc/{_hosts[host].Pid}/ns/net";

    public int ProcessOf(string host) => _hosts[host].Pid;

    /// <summary>What somebody there sees who connects: <c>answered</c>, <c>refused</c>, or <c>silence</c>.</summary>
    public async Task<string> ConnectAsync(string from, IpAddress to, ushort port, CancellationToken cancel)
    {
        using var network = NetworkNamespace.Open(PathOf(from));
        using var socket = network.OpenTcp(to.Family == IpFamily.V4 ? AddressFamily.InterNetwork : AddressFamily.InterNetworkV6);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(Patience);
        try
        {
            await socket.ConnectAsync(new IPEndPoint(to.ToIPAddress(), port), limit.Token);
            return "answered";
        }
        catch (SocketException)
        {
            return "refused";
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return "silence";
        }
    }

    public void Dispose()
    {
        foreach (var host in _hosts.Values)
        {
            host.Kill();
            host.Dispose();
        }
        _folder.Delete(recursive: true);
    }

    private void Run(string script)
    {
        const string prelude = """
            set -e
            on() { eval "pid=\$$1"; shift; nsenter -t "$pid" -n "$@"; }
            cable() { eval "here=\$$1 there=\$$3"; nsenter -t "$here" -n ip link add "$2" type veth peer name "$4" netns "$there"; on "$1" ip link set "$2" up; on "$3" ip link set "$4" up; }

            """;
        var start = new ProcessStartInfo("sh", ["-c", prelude + script]) { RedirectStandardError = true };
        start.Environment["XTABLES_LOCKFILE"] = $"{_folder.FullName}/xtables.lock";
        foreach (var (name, host) in _hosts)
        {
            start.Environment[name] = host.Pid.ToString();
        }
        using var shell = Process.Start(start)!;
        var complaint = shell.StandardError.ReadToEnd();
        shell.WaitForExit();
        Assert.True(shell.ExitCode == 0, complaint);
    }
}
