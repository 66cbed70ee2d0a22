using System.Security.Cryptography;
using System.Text;
using Plumb.Linux.Nftables.Language;
using Plumb.Network.Facts;

namespace Plumb.Network.Services.Iptables;

/// <summary>
/// Names of chains as kube-proxy gives them, so that who knows those finds them: a prefix that says what the chain is for, and 16 letters of a hash of
/// what it is about.
/// </summary>
public static class ChainNames
{
    public const string Services = "KUBE-SERVICES";
    public const string NodePorts = "KUBE-NODEPORTS";
    public const string Postrouting = "KUBE-POSTROUTING";
    public const string MarkMasquerade = "KUBE-MARK-MASQ";
    public const string Forward = "KUBE-FORWARD";
    public const string ExternalServices = "KUBE-EXTERNAL-SERVICES";
    public const string Firewall = "KUBE-PROXY-FIREWALL";

    /// <summary>Prefixes: all endpoints of a port; those of this node; who comes from outside; who may come to a balancer's address; one endpoint.</summary>
    public const string AllEndpoints = "KUBE-SVC-";
    public const string Local = "KUBE-SVL-";
    public const string External = "KUBE-EXT-";
    public const string Guard = "KUBE-FW-";
    public const string Endpoint = "KUBE-SEP-";

    private const int HashLetters = 16;

    /// <summary>What a port of a Service is called in comments: <c>default/website:http</c>, without a colon where the port has no name.</summary>
    public static string PortName(Subject service, string port) =>
        $"{service.Scope}/{service.Name}{(port.Length == 0 ? "" : ":")}{port}";

    /// <summary>The letters for a port of a Service.</summary>
    public static string HashOf(string portName, IpProtocol protocol) => Hash(portName + Word(protocol));

    /// <summary>The letters for one endpoint of it.</summary>
    public static string HashOf(string portName, IpProtocol protocol, Backend backend) => Hash($"{portName}{Word(protocol)}{backend}");

    public static string Word(IpProtocol protocol) => protocol switch
    {
        IpProtocol.Tcp => "tcp",
        IpProtocol.Udp => "udp",
        IpProtocol.Sctp => "sctp",
        _ => throw new ArgumentOutOfRangeException(nameof(protocol), protocol, "no protocol of Services"),
    };

    // SHA-256 in the alphabet of RFC 4648, section 6, of which 80 bits are kept: five bits a letter.
    private static string Hash(string text)
    {
        const string alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        const int bitsOfLetter = 5;
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(text), hash);
        Span<char> letters = stackalloc char[HashLetters];
        var (bits, held, at) = (0u, 0, 0);
        for (var i = 0; i < letters.Length; i++)
        {
            if (held < bitsOfLetter)
            {
                bits = (bits << 8) | hash[at++];
                held += 8;
            }
            held -= bitsOfLetter;
            letters[i] = alphabet[(int)(bits >> held) & 31];
        }
        return new string(letters);
    }
}
