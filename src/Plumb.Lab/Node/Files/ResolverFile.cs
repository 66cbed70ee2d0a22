using System.Text;
using Plumb.Kubernetes.Objects;
using Plumb.Linux.Addresses;

namespace Plumb.Lab.Node.Files;

/// <summary>
/// The /etc/resolv.conf of a pod: its <c>dnsPolicy</c>, what its <c>dnsConfig</c> adds, and what resolvers can bear of both
/// (Kubernetes, "DNS for Services and Pods"; KEP-2595 for the limits of the search list). Pure.
/// </summary>
/// <param name="Cut">Texts of the events (DNSConfigForming) that tell what was left out, in a kubelet's words.</param>
internal sealed record ResolverFile(string Text, IReadOnlyList<string> Cut)
{
    // resolv.conf(5): MAXNS.
    private const int MostServers = 3;
    private const int MostSearches = 32;
    private const int MostSearchCharacters = 2048;

    // A resolver of glibc 2.28 aborts at a longer one.
    private const int MostNameCharacters = 253;
    private const string Domain = "cluster.local";

    /// <param name="cluster">Where the cluster's DNS server answers.</param>
    /// <param name="node">The node's own resolv.conf.</param>
    public static ResolverFile Of(Pod pod, IReadOnlyList<IpAddress> cluster, string node)
    {
        var policy = pod.Spec.DnsPolicy ?? "ClusterFirst";
        var lines = policy switch
        {
            "None" => new Lines([], [], []),
            "ClusterFirstWithHostNet" => ClusterFirst(pod, cluster, Lines.Read(node)),
            "ClusterFirst" when !pod.Spec.HostNetwork => ClusterFirst(pod, cluster, Lines.Read(node)),
            _ => Lines.Read(node),
        };
        if (pod.Spec.DnsConfig is { } config)
        {
            lines.Servers.AddRange(config.Nameservers);
            lines.Searches.AddRange(config.Searches);
            foreach (var option in config.Options)
            {
                lines.Set(option.Name ?? "", option.Value);
            }
        }
        var cut = new List<string>();
        var servers = Fitting(lines.Servers, cut);
        var searches = FittingSearches(lines.Searches, cut);
        return new ResolverFile(Write(servers, searches, lines.Options), cut);
    }

    private static Lines ClusterFirst(Pod pod, IReadOnlyList<IpAddress> cluster, Lines node) => new(
        [.. cluster.Select(static server => server.ToString())],
        [$"{pod.Metadata.Namespace}.svc.{Domain}", $"svc.{Domain}", Domain, .. node.Searches],
        [("ndots", "5")]);

    private static List<string> Fitting(List<string> servers, List<string> cut)
    {
        var fitting = servers.Distinct().Take(MostServers).ToList();
        if (servers.Distinct().Count() > MostServers)
        {
            cut.Add($"Nameserver limits were exceeded, some nameservers have been omitted, the applied nameserver line is: {string.Join(' ', fitting)}");
        }
        return fitting;
    }

    private static List<string> FittingSearches(List<string> searches, List<string> cut)
    {
        var wanted = searches.Distinct().ToList();
        var fitting = wanted.Take(MostSearches).Where(static name => name.Length <= MostNameCharacters).ToList();
        while (fitting.Sum(static name => name.Length + 1) - 1 > MostSearchCharacters)
        {
            fitting.RemoveAt(fitting.Count - 1);
        }
        if (fitting.Count != wanted.Count)
        {
            cut.Add($"Search Line limits were exceeded, some search paths have been omitted, the applied search line is: {string.Join(' ', fitting)}");
        }
        return fitting;
    }

    private static string Write(List<string> servers, List<string> searches, List<(string Name, string? Value)> options)
    {
        var text = new StringBuilder();
        if (searches.Count > 0)
        {
            text.Append("search ").AppendJoin(' ', searches).Append('\n');
        }
        foreach (var server in servers)
        {
            text.Append("nameserver ").Append(server).Append('\n');
        }
        if (options.Count > 0)
        {
            text.Append("options ").AppendJoin(' ', options.Select(static option => string.IsNullOrEmpty(option.Value) ? option.Name : $"{option.Name}:{option.Value}")).Append('\n');
        }
        return text.ToString();
    }

    private sealed record Lines(List<string> Servers, List<string> Searches, List<(string Name, string? Value)> Options)
    {
        /// <summary>Of a node's file: of several lines "search" and "options" the last one counts, as for a kubelet. What cannot be read is passed over.</summary>
        public static Lines Read(string file)
        {
            var (servers, searches, options) = (new List<string>(), new List<string>(), new List<(string, string?)>());
            foreach (var line in file.Split('\n'))
            {
                switch (line.Split([' ', '\t', '\r'], StringSplitOptions.RemoveEmptyEntries))
                {
                    case ["nameserver", var server, ..]:
                        servers.Add(server);
                        break;
                    case ["search", .. var names]:
                        searches = [.. names.Select(static name => name == "." ? name : name.TrimEnd('.'))];
                        break;
                    case ["options", .. var words]:
                        options = [.. words.Select(static word => word.Split(':', 2)).Select(static parts => (parts[0], parts.ElementAtOrDefault(1)))];
                        break;
                }
            }
            return new Lines(servers, searches, options);
        }

        /// <summary>An option takes the place of one of the same name.</summary>
        public void Set(string name, string? value)
        {
            var at = Options.FindIndex(known => known.Name == name);
            if (at >= 0)
            {
                Options[at] = (name, value);
            }
            else
            {
                Options.Add((name, value));
            }
        }
    }
}
