using System.CommandLine;
using System.Net;
using System.Text;
using Plumb.CommandLine;
using Plumb.Commands;
using Plumb.Network.Facts;

namespace Plumb.Installing;

/// <summary>`plumb manifests`: what installs Plumb as the network of a cluster, for `kubectl apply -f -`.</summary>
internal sealed class ManifestsCommand : Verb
{
    private const string Install = "plumb.yaml";
    private const string Remove = "uninstall.yaml";

    private readonly Option<string?> _image = new("--image") { HelpName = "NAME", Description = "the image that nodes run (deploy/Containerfile makes it; default localhost/plumb with this version)" };
    private readonly ValueOption<string?> _server = new(
        "--api-server", [], "ADDRESS:PORT", "where agents reach the API: needed where nobody but Plumb serves the Service `kubernetes` (--services nftables or iptables)", Server, null);
    private readonly Flag _uninstall = new("--uninstall", "what takes Plumb off all nodes again");
    private readonly UpOptions _cluster = new();
    private readonly AgentOptions _agent = new();

    public ManifestsCommand()
        : base("manifests", "print what installs Plumb in a cluster, for kubectl apply")
    {
        foreach (var option in (Option[])[_image, _server, _uninstall, _cluster.Overlay, _cluster.Services, _cluster.PodRanges, _cluster.ServiceRanges, _agent.Dns])
        {
            Options.Add(option);
        }
    }

    public override IReadOnlyList<Example> Examples { get; } =
    [
        new("plumb manifests --pod-cidr 10.10.0.0/16 | kubectl apply -f -", "pods' network beside a kube-proxy that is there"),
        new("plumb manifests --services nftables --cluster-dns 10.96.0.10 --api-server 192.168.1.1:6443", "in place of kube-proxy and with DNS on every node"),
        new("plumb manifests --uninstall", "what leaves the nodes as they were"),
    ];

    public override Task<int> RunAsync(Invocation invocation)
    {
        var text = new StringBuilder(Read(invocation.IsOn(_uninstall) ? Remove : Install));
        if (invocation.Parsed.GetValue(_image) is { } image)
        {
            text.Replace($"image: localhost/plumb:{Product.Version}", $"image: {image}");
        }
        if (!invocation.IsOn(_uninstall))
        {
            Choose(invocation, text);
        }
        invocation.Terminal.Out.Write(text.ToString());
        return Task.FromResult(ExitCode.Done);
    }

    /// <summary>A file of deploy/, as it is in the source.</summary>
    internal static string Read(string file)
    {
        using var stream = typeof(ManifestsCommand).Assembly.GetManifestResourceStream(file)!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    // The file has the values of ordinary clusters; each that is written takes the place of one line.
    private void Choose(Invocation invocation, StringBuilder text)
    {
        if (invocation.IsGiven(_cluster.Overlay))
        {
            Set("overlay", "vxlan", invocation.Value(_cluster.Overlay).ToString().ToLowerInvariant());
        }
        if (invocation.IsGiven(_cluster.Services))
        {
            Set("services", "none", invocation.Value(_cluster.Services).ToString().ToLowerInvariant());
        }
        if (invocation.Value(_cluster.PodRanges) is { Count: > 0 } pods)
        {
            Set("pod-cidr", "10.244.0.0/16", string.Join(',', pods));
        }
        if (invocation.Value(_cluster.ServiceRanges) is { Count: > 0 } services)
        {
            Set("service-cidr", "10.96.0.0/12", string.Join(',', services));
        }
        if (invocation.Values(_agent.Dns) is { Length: > 0 } dns)
        {
            Set("cluster-dns", "none", string.Join(',', dns));
        }
        if (invocation.Value(_server) is { } server)
        {
            var end = IPEndPoint.Parse(server);
            text.Replace(
                "        - name: OVERLAY\n",
                $"        - {{name: KUBERNETES_SERVICE_HOST, value: \"{end.Address}\"}}\n        - {{name: KUBERNETES_SERVICE_PORT, value: \"{end.Port}\"}}\n        - name: OVERLAY\n");
        }
        else if (invocation.IsGiven(_cluster.Services) && invocation.Value(_cluster.Services) != ServicesKind.None)
        {
            throw new UsageException("with --services nftables or iptables agents cannot reach the API by its Service before they have asked it: name its own address by --api-server ADDRESS:PORT");
        }

        void Set(string key, string was, string now) => text.Replace($"\n  {key}: {was}\n", $"\n  {key}: {now}\n");
    }

    private static Parsed<string?> Server(string text) => IPEndPoint.TryParse(text, out var parsed) && parsed.Port != 0
        ? parsed.ToString()
        : Parsed<string?>.Wrong($"'{text}' is not an address with its port such as 192.168.1.1:6443");
}
