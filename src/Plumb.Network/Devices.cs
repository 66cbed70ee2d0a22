using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Plumb.Linux.Addresses;

namespace Plumb.Network;

/// <summary>
/// Names and hardware addresses of the devices that Plumb makes. They follow from what everybody knows (a node's address, a
/// pod's address, a container's id), so that no node has to ask another and a restart finds what it left.
/// </summary>
public static class Devices
{
    /// <summary>The bridge of a node's pods; the name that plugins have used since Flannel.</summary>
    public const string Bridge = "cni0";

    /// <summary>A pod's own end of its veth pair, unless the runtime asks for another name.</summary>
    public const string PodEnd = "eth0";

    public const string Loopback = "lo";

    /// <summary>
    /// The tunnel. A name of its own, because <c>flannel.1</c>, <c>vxlan.calico</c> and <c>cilium_vxlan</c> each belong to an
    /// agent that removes or rewrites what it finds under them; and without a dot, which <c>sysctl</c> would take for a slash.
    /// </summary>
    public const string Vxlan = "plumb-vxlan";

    /// <summary>The tunnel that carries copies of a pod's packets, at both of its ends.</summary>
    public static string Mirror(int number) => $"plumb-mir{number}";

    /// <summary><c>veth</c> and eight hexadecimal digits: the container id's own first ones if it has such, so that a person can match them by eye.</summary>
    /// <param name="containerId">CNI_CONTAINERID</param>
    /// <param name="podEnd">CNI_IFNAME: a container's second interface needs another name on the node.</param>
    public static string NodeEnd(string containerId, string podEnd) => "veth" + ShortId(containerId, podEnd);

    /// <summary><c>ifb</c> and the same digits: in which what a pod sends waits for its turn.</summary>
    public static string Queue(string containerId, string podEnd) => "ifb" + ShortId(containerId, podEnd);

    /// <summary>Eight hexadecimal digits for a container's interface.</summary>
    public static string ShortId(string containerId, string podEnd)
    {
        const int digits = 8;
        if (podEnd == PodEnd && containerId.Length >= digits && IsLowerHex(containerId.AsSpan(0, digits)))
        {
            return containerId[..digits];
        }
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes($"{containerId}/{podEnd}"));
        return Convert.ToHexStringLower(hash, 0, digits / 2);
    }

    /// <summary>A pod's: <c>0a:58</c> and its IPv4 address, as the reference bridge plugin has always done.</summary>
    public static MacAddress PodMac(IpAddress pod) => FromAddress(0x58, pod);

    /// <summary>The bridge's: <c>0a:57</c> and the node's address. Explicit, because a bridge otherwise takes the lowest of its ports' and changes with them.</summary>
    public static MacAddress BridgeMac(IpAddress node) => FromAddress(0x57, node);

    /// <summary>The tunnel's end: <c>0a:56</c> and the node's address, so that every node knows every other's.</summary>
    public static MacAddress TunnelMac(IpAddress node) => FromAddress(0x56, node);

    private static MacAddress FromAddress(byte second, IpAddress address)
    {
        if (address.Family == IpFamily.V4)
        {
            return MacAddress.FromIPv4(0x0a, second, address);
        }
        // 128 bits do not fit into 32: a hash of them does, as likely to be unique as 32 random bits.
        var hash = SHA256.HashData(address.ToBytes());
        return MacAddress.FromNumber((0x0aUL << 40) | ((ulong)second << 32) | BinaryPrimitives.ReadUInt32BigEndian(hash));
    }

    private static bool IsLowerHex(ReadOnlySpan<char> text)
    {
        foreach (var c in text)
        {
            if (!char.IsAsciiHexDigitLower(c))
            {
                return false;
            }
        }
        return true;
    }
}
