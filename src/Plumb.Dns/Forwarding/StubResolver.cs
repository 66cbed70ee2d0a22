using System.Net;
using System.Net.Sockets;
using Plumb.Dns.Answering;
using Plumb.Dns.Wire;

namespace Plumb.Dns.Forwarding;

/// <summary>What the C library does with a name and a <c>resolv.conf</c> (<c>resolver(3)</c>): candidates by the search list, servers in their order, each asked twice.</summary>
/// <param name="path">The servers and the search list.</param>
/// <param name="open">Makes a socket of UDP or TCP in the namespace from which the servers are asked.</param>
public sealed class StubResolver(SearchPath path, Func<AddressFamily, ProtocolType, Socket> open, TimeProvider time)
{
    private const int Port = 53;
    private const int Rounds = 2;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>Addresses of the first candidate that has any, those of IPv4 first; none: no server knows one.</summary>
    /// <exception cref="IOException">No server answered, or none would say.</exception>
    public async Task<IReadOnlyList<IPAddress>> AddressesAsync(string name, CancellationToken cancel)
    {
        foreach (var (candidate, _) in path.Candidates(name))
        {
            var both = await Task.WhenAll(AskAsync(candidate, RecordType.A, cancel), AskAsync(candidate, RecordType.Aaaa, cancel));
            if (both is not [[], []])
            {
                return [.. both[0], .. both[1]];
            }
        }
        return [];
    }

    private async Task<IPAddress[]> AskAsync(DomainName name, RecordType type, CancellationToken cancel)
    {
        var last = "no server is named";
        for (var round = 0; round < Rounds; round++)
        {
            foreach (var server in path.Servers)
            {
                if (!IPAddress.TryParse(server, out var address))
                {
                    continue;
                }
                using var patience = new CancellationTokenSource(Patience, time);
                using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancel);
                try
                {
                    var question = new ForeignQuestion(name, type, DnssecOk: false, CheckingDisabled: false);
                    var answer = await Exchange.AskAsync(new IPEndPoint(address, Port), question, open, either.Token);
                    if (answer.Code is (int)ResponseCode.NoError or (int)ResponseCode.NoSuchName)
                    {
                        // Aliases stand before what they lead to, in the same answer.
                        return [.. answer.Answers.Where(record => record.Type == type).Select(static record => new IPAddress(record.Data))];
                    }
                    last = $"{server} answered {(ResponseCode)answer.Code}";
                }
                catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
                {
                    last = $"{server} did not answer";
                }
                catch (Exception refused) when (refused is SocketException or IOException)
                {
                    last = $"{server}: {refused.Message}";
                }
            }
        }
        throw new IOException(last);
    }
}
