using System.Globalization;
using Plumb.Linux.Addresses;
using Plumb.Linux.Capture;

namespace Plumb.Diagnosis.Capture;

/// <summary>
/// The part of tcpdump's filter language (pcap-filter(7)) that is about hosts, networks, ports and protocols, asked of the innermost packet: <c>tcp port 80 and not
/// host 10.244.1.5</c>. The rest of the language is tcpdump's own to compile.
/// </summary>
public sealed class FilterExpression
{
    private readonly Func<PacketHeaders, bool> _test;
    private readonly string _text;

    private FilterExpression(string text, Func<PacketHeaders, bool> test) => (_text, _test) = (text, test);

    public bool Matches(in PacketHeaders headers) => _test(headers);

    public override string ToString() => _text;

    /// <param name="problem">In one line; says which word it is about.</param>
    /// <returns>Null: it is not of this part of the language, or of none.</returns>
    public static FilterExpression? TryParse(string text, out string problem)
    {
        ArgumentNullException.ThrowIfNull(text);
        var words = text.Replace("(", " ( ", StringComparison.Ordinal).Replace(")", " ) ", StringComparison.Ordinal).Replace("!", " not ", StringComparison.Ordinal)
            .Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        var reader = new Reader(words);
        var test = reader.ReadAlternatives();
        problem = reader.Problem ?? (reader.IsAtEnd ? "" : $"'{reader.Word}' is not understood here");
        return problem.Length == 0 ? new FilterExpression(text, test) : null;
    }

    // Operators of the same rank from the left, as pcap-filter(7) says; `and` and `or` have one rank there, and so here.
    private sealed class Reader(string[] words)
    {
        private int _at;
        private int _depth;

        public string? Problem { get; private set; }

        public bool IsAtEnd => _at == words.Length;

        public string Word => IsAtEnd ? "" : words[_at];

        public Func<PacketHeaders, bool> ReadAlternatives()
        {
            var left = ReadTerm();
            while (Problem is null && Word is "and" or "or" or "&&" or "||")
            {
                var isAnd = words[_at++] is "and" or "&&";
                var (first, second) = (left, ReadTerm());
                left = isAnd ? headers => first(headers) && second(headers) : headers => first(headers) || second(headers);
            }
            return left;
        }

        private Func<PacketHeaders, bool> ReadTerm()
        {
            const int deepest = 64;
            if (Word == "not")
            {
                _at++;
                var denied = ReadTerm();
                return headers => !denied(headers);
            }
            if (Word != "(")
            {
                return ReadPrimitive();
            }
            if (++_depth > deepest)
            {
                return Fail("too many parentheses");
            }
            _at++;
            var inside = ReadAlternatives();
            if (Problem is null && Word != ")")
            {
                return Fail(IsAtEnd ? "a ')' is missing at the end" : $"a ')' is missing before '{Word}'");
            }
            _at++;
            _depth--;
            return inside;
        }

        private Func<PacketHeaders, bool> ReadPrimitive()
        {
            if (IsAtEnd)
            {
                return Fail("the expression ends where a condition is expected");
            }
            byte[]? protocols = Word switch
            {
                "tcp" => [PacketHeaders.Tcp],
                "udp" => [PacketHeaders.Udp],
                "sctp" => [PacketHeaders.Sctp],
                "icmp" => [PacketHeaders.Icmp],
                "icmp6" => [PacketHeaders.IcmpV6],
                _ => null,
            };
            IpFamily? family = Word switch { "ip" => IpFamily.V4, "ip6" => IpFamily.V6, _ => null };
            if (protocols is not null || family is not null)
            {
                _at++;
                bool Is(PacketHeaders headers) => protocols is null ? headers.Source.Family == family : protocols.Contains(headers.Protocol);
                if (Word is not ("src" or "dst" or "host" or "net" or "port" or "portrange"))
                {
                    return Is;
                }
                var qualified = ReadQualified();
                return headers => Is(headers) && qualified(headers);
            }
            return ReadQualified();
        }

        private Func<PacketHeaders, bool> ReadQualified()
        {
            var side = Word is "src" or "dst" ? words[_at++] : null;
            var kind = Word is "host" or "net" or "port" or "portrange" ? words[_at++] : side is not null ? "host" : null;
            if (kind is null)
            {
                return Fail($"'{Word}' is no condition on hosts, networks, ports or protocols");
            }
            if (IsAtEnd)
            {
                return Fail($"'{kind}' says nothing of which");
            }
            var value = words[_at++];
            if (kind is "host" or "net")
            {
                var prefix = default(IpPrefix);
                var isOne = IpAddress.TryParse(value, out var address);
                if (!isOne && (kind == "host" || !IpPrefix.TryParse(value, out prefix)))
                {
                    return Fail($"'{value}' is no {(kind == "host" ? "address" : "network, such as 10.244.0.0/16")}");
                }
                bool IsIn(IpAddress one) => isOne ? one == address : prefix.Contains(one);
                return Sided(side, headers => IsIn(headers.Source), headers => IsIn(headers.Destination));
            }
            var dash = kind == "portrange" ? value.IndexOf('-', StringComparison.Ordinal) : -1;
            if ((kind == "portrange" && dash < 0) || !TryPort(dash < 0 ? value : value[..dash], out var low) || !TryPort(dash < 0 ? value : value[(dash + 1)..], out var high))
            {
                return Fail($"'{value}' is no {(kind == "port" ? "port, 0 to 65535" : "range of ports, such as 8000-8080")}");
            }
            static bool HasPorts(PacketHeaders headers) => headers.Protocol is PacketHeaders.Tcp or PacketHeaders.Udp or PacketHeaders.Sctp;
            return Sided(
                side,
                headers => HasPorts(headers) && headers.SourcePort >= low && headers.SourcePort <= high,
                headers => HasPorts(headers) && headers.DestinationPort >= low && headers.DestinationPort <= high);
        }

        private static Func<PacketHeaders, bool> Sided(string? side, Func<PacketHeaders, bool> source, Func<PacketHeaders, bool> destination) => side switch
        {
            "src" => source,
            "dst" => destination,
            _ => headers => source(headers) || destination(headers),
        };

        private static bool TryPort(string text, out ushort port) => ushort.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out port);

        private Func<PacketHeaders, bool> Fail(string problem)
        {
            Problem ??= problem;
            return static _ => false;
        }
    }
}
