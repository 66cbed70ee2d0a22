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
        IOException? silent = null;
        foreach (var (candidate, _) in path.Candidates(name))
        {
            var (v4, v6) = (TryAskAsync(candidate, RecordType.A, cancel), TryAskAsync(candidate, RecordType.Aaaa, cancel));
            IPAddress[] found = [.. (await v4).Found, .. (await v6).Found];
            if (found.Length > 0)
            {
                return found;
            }
            silent ??= (await v4).Silent ?? (await v6).Silent;
        }
        return silent is null ? [] : throw silent;
    }

    // What one family or one candidate cannot be told keeps nobody from the others.
    private async Task<(IPAddress[] Found, IOException? Silent)> TryAskAsync(DomainName name, RecordType type, CancellationToken cancel)
    {
        try
        {
            return (await AskAsync(name, type, cancel), null);
        }
        catch (IOException silent)
        {
            return ([], silent);
        }
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
                        return [.. answer.Answers.Where(record => record.Type == type && record.Data.Length == (type == RecordType.A ? 4 : 16)).Select(static record => new IPAddress(record.Data))];
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
