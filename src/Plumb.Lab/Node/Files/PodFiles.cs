using System.Text;
using Plumb.Kubernetes.Objects;
using Plumb.Linux.Addresses;

namespace Plumb.Lab.Node.Files;

/// <summary>The text of /etc/hosts that a node gives to a pod's containers. Pure.</summary>
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
}
