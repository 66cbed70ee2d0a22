using Plumb.Kubernetes.Objects;
using Plumb.Linux.Addresses;
using Plumb.Linux.Iptables;
using Plumb.Linux.Nftables.Language;
using Plumb.Linux.State;
using Plumb.Network.Facts;
using Plumb.Network.Services.Iptables;

namespace Plumb.Diagnosis.Explain;

/// <summary>
/// Which port of which Service one of kube-proxy's chains is for. Its name ends in a hash of that; what comments say, and what an API has, are
/// only guesses at what was hashed. A name whose hash it is, is no guess any more.
/// </summary>
internal sealed class ServiceChains
{
    private const int HashLetters = 16;
    private static readonly IpProtocol[] Protocols = [IpProtocol.Tcp, IpProtocol.Udp, IpProtocol.Sctp];
    private static readonly string[] OfPorts = [ChainNames.AllEndpoints, ChainNames.Local, ChainNames.External, ChainNames.Guard, "KUBE-XLB-"];

    private readonly Dictionary<string, string> _ports = new(StringComparer.Ordinal);
    private readonly HashSet<string> _names = new(StringComparer.Ordinal);

    /// <param name="services">Of the API; none where there is none.</param>
    public ServiceChains(ObservedState observed, IReadOnlyList<Service> services)
    {
        foreach (var (_, held) in observed.Entries)
        {
            switch (held.Entry)
            {
                case IptablesChainEntry chain:
                    foreach (var rule in chain.Rules)
                    {
                        Add(rule);
                    }
                    break;
                case IptablesRuleEntry rule:
                    Add(rule.Text);
                    break;
                default:
                    break;
            }
        }
        foreach (var service in services)
        {
            foreach (var port in service.Spec.Ports)
            {
                Add($"{service.Metadata.Namespace}/{service.Metadata.Name}", port.Name ?? "");
            }
        }
    }

    /// <summary><c>Service port default/website:http (tcp)</c>, or an endpoint of one; null: the chain is for no Service, or nobody knows which.</summary>
    public string? SubjectOf(IptablesChainEntry chain)
    {
        if (chain.Name.Length <= HashLetters)
        {
            return null;
        }
        var (prefix, hash) = (chain.Name[..^HashLetters], chain.Name[^HashLetters..]);
        return prefix == ChainNames.Endpoint ? OfEndpoint(chain, hash)
            : OfPorts.Contains(prefix) ? _ports.TryGetValue(hash, out var port) ? $"Service port {port}" : null
            : null;
    }

    private string? OfEndpoint(IptablesChainEntry chain, string hash)
    {
        foreach (var rule in chain.Rules)
        {
            if (Argument(rule, "--to-destination") is not { } to || TryEndpoint(to) is not { } backend)
            {
                continue;
            }
            foreach (var name in RuleText.CommentOf(rule) is { } comment && PortName(comment) is { } said ? [said, .. _names] : (IEnumerable<string>)_names)
            {
                foreach (var protocol in Protocols)
                {
                    if (ChainNames.HashOf(name, protocol, backend) == hash)
                    {
                        return $"endpoint {backend} of Service port {name} ({ChainNames.Word(protocol)})";
                    }
                }
            }
        }
        return null;
    }

    private void Add(string rule)
    {
        if (RuleText.CommentOf(rule) is { } comment && PortName(comment) is { } name)
        {
            AddName(name);
        }
    }

    private void Add(string service, string port) => AddName(port.Length == 0 ? service : $"{service}:{port}");

    private void AddName(string name)
    {
        if (!_names.Add(name))
        {
            return;
        }
        foreach (var protocol in Protocols)
        {
            _ports[ChainNames.HashOf(name, protocol)] = $"{name} ({ChainNames.Word(protocol)})";
        }
    }

    /// <summary>The word of a comment that looks like <c>NAMESPACE/NAME</c> or <c>NAMESPACE/NAME:PORT</c>.</summary>
    private static string? PortName(string comment)
    {
        foreach (var word in comment.Split(' '))
        {
            var slash = word.IndexOf('/');
            if (slash > 0 && slash == word.LastIndexOf('/') && slash < word.Length - 1 && word.All(static c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '-' or '.' or '/' or ':'))
            {
                return word;
            }
        }
        return null;
    }

    private static string? Argument(string rule, string option)
    {
        string? before = null;
        foreach (var word in RuleText.Words(rule))
        {
            if (before == option)
            {
                return word;
            }
            before = word;
        }
        return null;
    }

    private static Backend? TryEndpoint(string text)
    {
        var colon = text.LastIndexOf(':');
        return colon > 0 && IpAddress.TryParse(text[..colon].Trim('[', ']'), out var address) && ushort.TryParse(text.AsSpan(colon + 1), out var port)
            ? new Backend(address, port)
            : null;
    }
}
