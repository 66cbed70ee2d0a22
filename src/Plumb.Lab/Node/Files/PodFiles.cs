using System.Text;
using Plumb.Kubernetes.Objects;
using Plumb.Linux.Addresses;

namespace Plumb.Lab.Node.Files;

/// <summary>The text of /etc/hosts that a node gives to a pod's containers. Pure.</summary>
internal static class PodFiles
{
    private const string Domain = "cluster.local";

    private const int MostHostNameCharacters = 63;

    /// <summary>What `hostname` says in the pod: sethostname(2) takes 64 characters, and a label of DNS has 63.</summary>
    public static string HostName(Pod pod, string node)
    {
        if (pod.Spec.HostNetwork)
        {
            return node;
        }
        var name = string.IsNullOrEmpty(pod.Spec.Hostname) ? pod.Metadata.Name : pod.Spec.Hostname;
        name = name.Length > MostHostNameCharacters ? name[..MostHostNameCharacters].TrimEnd('-', '.') : name;
        return pod.Spec.SetHostnameAsFQDN && !string.IsNullOrEmpty(pod.Spec.Subdomain) ? $"{name}.{pod.Spec.Subdomain}.{pod.Metadata.Namespace}.svc.{Domain}" : name;
    }

    public static string Hosts(Pod pod, IReadOnlyList<IpAddress> addresses, string hostName)
    {
        var text = new StringBuilder(
            $"""
            # Kubernetes-managed hosts file{(pod.Spec.HostNetwork ? " (host network)" : "")}.
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
            if (!string.IsNullOrEmpty(pod.Spec.Subdomain) && !pod.Spec.SetHostnameAsFQDN)
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
}
