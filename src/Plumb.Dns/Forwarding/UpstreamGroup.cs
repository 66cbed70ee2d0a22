using System.Net;
using System.Net.Sockets;
using Plumb.Dns.Wire;

namespace Plumb.Dns.Forwarding;

/// <summary>Servers of which any may answer. The first is asked first; while it thinks too long, the next one is asked, too, and whoever answers first has answered.</summary>
internal sealed class UpstreamGroup(IReadOnlyList<IPEndPoint> servers, ForwardOptions options, TimeProvider time)
{
    private const int Rounds = 2;

    // How long a server that did not answer is asked last.
    private static readonly TimeSpan Penalty = TimeSpan.FromSeconds(10);

    private readonly long[] _silentUntil = new long[servers.Count];

    public bool Has(IPAddress server)
    {
        foreach (var known in servers)
        {
            if (known.Address.Equals(server))
            {
                return true;
            }
        }
        return false;
    }

    /// <summary>The first answer; that of a server that fails or refuses only when no other has a better one. Null when nobody answers in time.</summary>
    public async Task<Message?> AskAsync(ForeignQuestion question, CancellationToken ending)
    {
        using var deadline = new CancellationTokenSource(options.Deadline, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, ending);
        var asked = new List<Task<Message?>>();
        var order = Order();
        Message? poor = null;
        for (var next = 0; !either.IsCancellationRequested && (next < order.Length || asked.Count > 0);)
        {
            if (next < order.Length)
            {
                asked.Add(AskAsync(order[next++], question, either.Token));
            }
            // With nobody left to ask, whoever has been asked may think until the end.
            var waited = next < order.Length ? Task.Delay(options.Patience, time, either.Token) : Task.Delay(Timeout.InfiniteTimeSpan, time, either.Token);
            while (asked.Count > 0)
            {
                var first = await Task.WhenAny([.. asked, waited]);
                if (first == waited)
                {
                    break;
                }
                asked.Remove((Task<Message?>)first);
                var answer = await (Task<Message?>)first;
                if (answer is not null && IsGood(answer))
                {
                    await either.CancelAsync();
                    return answer;
                }
                poor ??= answer;
                if (next < order.Length)
                {
                    break;
                }
            }
        }
        await either.CancelAsync();
        return poor;
    }

    private static bool IsGood(Message answer) => answer.Code is (int)ResponseCode.NoError or (int)ResponseCode.NoSuchName;

    private async Task<Message?> AskAsync(int server, ForeignQuestion question, CancellationToken cancel)
    {
        var since = time.GetTimestamp();
        try
        {
            var answer = await Exchange.AskAsync(servers[server], question, cancel);
            Volatile.Write(ref _silentUntil[server], 0);
            return answer;
        }
        catch (Exception none) when (none is SocketException or IOException or OperationCanceledException)
        {
            // Another one may have been quicker; that is no offence.
            if (none is not OperationCanceledException || time.GetElapsedTime(since) > options.Patience)
            {
                Volatile.Write(ref _silentUntil[server], time.GetTimestamp() + (long)(Penalty.TotalSeconds * time.TimestampFrequency));
            }
            return null;
        }
    }

    // As told, the silent ones last; and all once more.
    private int[] Order()
    {
        var now = time.GetTimestamp();
        var order = new int[servers.Count * Rounds];
        var at = 0;
        foreach (var silent in (ReadOnlySpan<bool>)[false, true])
        {
            for (var i = 0; i < servers.Count; i++)
            {
                if (Volatile.Read(ref _silentUntil[i]) > now == silent)
                {
                    order[at++] = i;
                }
            }
        }
        order.AsSpan(0, servers.Count).CopyTo(order.AsSpan(servers.Count));
        return order;
    }
}
