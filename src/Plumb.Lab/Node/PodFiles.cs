using System.Text;
using Plumb.Kubernetes.Objects;
using Plumb.Linux.Addresses;

namespace Plumb.Lab.Node;

/// <summary>The texts of /etc/hosts and /etc/resolv.conf that a node gives to a pod's containers. Pure.</summary>
internal static class PodFiles
{
    private const string Domain = "cluster.local";

    public static string Hosts(Pod pod, IReadOnlyList<IpAddress> addresses, string hostName)
    {
        var text = new StringBuilder(
            """
            # Kubernetes-managed hosts file.
            127.0.0.1	localhost
            ::1	localhost ip6-localhost ip6-loopback
            fe00::0	ip6-localnet
            fe00::0	ip6-mcastprefix
            fe00::1	ip6-allnodes
            fe00::2	ip6-allrouters

            """);
        foreach (var address in addresses)
        {
            text.Append(address).Append('\t');
            if (!string.IsNullOrEmpty(pod.Spec.Subdomain))
            {
                text.Append($"{hostName}.{pod.Spec.Subdomain}.{pod.Metadata.Namespace}.svc.{Domain}\t");
            }
            text.Append(hostName).Append('\n');
        }
        if (pod.Spec.HostAliases.Count > 0)
        {
            text.Append("\n# Entries added by HostAliases.\n");
            foreach (var alias in pod.Spec.HostAliases)
            {
                text.Append(alias.Ip).Append('\t').AppendJoin('\t', alias.Hostnames).Append('\n');
            }
        }
        return text.ToString();
    }

    /// <param name="cluster">The cluster's DNS server, at an address of each family.</param>
    /// <param name="node">The node's own resolv.conf, for pods that ask for it.</param>
    public static string Resolver(Pod pod, IReadOnlyList<IpAddress> cluster, string node)
    {
        var policy = pod.Spec.DnsPolicy ?? "ClusterFirst";
        var (servers, searches, options) = (new List<string>(), new List<string>(), new List<string>());
        if (policy == "ClusterFirstWithHostNet" || (policy == "ClusterFirst" && !pod.Spec.HostNetwork))
        {
            servers.AddRange(cluster.Select(static server => server.ToString()));
            searches.AddRange([$"{pod.Metadata.Namespace}.svc.{Domain}", $"svc.{Domain}", Domain]);
            options.Add("ndots:5");
        }
        else if (policy != "None" && pod.Spec.DnsConfig is null)
        {
            return node;
        }
        if (pod.Spec.DnsConfig is { } config)
        {
            servers.AddRange(config.Nameservers);
            searches.AddRange(config.Searches);
            foreach (var option in config.Options)
            {
                options.RemoveAll(known => known.Split(':')[0] == option.Name);
                options.Add(option.Value is null ? option.Name : $"{option.Name}:{option.Value}");
            }
        }
        var text = new StringBuilder();
        if (searches.Count > 0)
        {
            text.Append("search ").AppendJoin(' ', searches.Distinct()).Append('\n');
        }
        foreach (var server in servers.Distinct())
        {
            text.Append("nameserver ").Append(server).Append('\n');
        }
        if (options.Count > 0)
        {
            text.Append("options ").AppendJoin(' ', options).Append('\n');
        }
        return text.ToString();
    }
}
