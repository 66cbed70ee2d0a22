using System.Net;
using System.Net.Sockets;
using System.Text;
using Plumb.Lab.Containers;
using Plumb.Linux.Namespaces;
using Plumb.Linux.Native;

namespace Plumb.Lab.Workloads;

/// <summary>A program of agnhost that serves nobody: it does one thing, says what came of it, and ends.</summary>
internal abstract class Errand
{
    public abstract string Name { get; }

    /// <returns>The exit code.</returns>
    public abstract Task<int> RunAsync(PodFacts pod, Action<LogStream, string> say, TimeProvider time, CancellationToken cancel);

    /// <returns>Null: the arguments name no errand.</returns>
    public static Errand? Of(IReadOnlyList<string> args) => args switch
    {
        ["connect", ..] => new Connect(args),
        ["etc-hosts", ..] => new Print("etc-hosts", static pod => pod.HostsFile),
        ["dns-suffix", ..] => new Print("dns-suffix", static pod => Words(pod, "search", ",")),
        ["dns-server-list", ..] => new Print("dns-server-list", static pod => Words(pod, "nameserver", ",")),
        _ => null,
    };

    private static string Words(PodFacts pod, string keyword, string between) => string.Join(
        between,
        pod.ResolverFile.Split('\n').Where(line => line.StartsWith(keyword + " ", StringComparison.Ordinal)).SelectMany(static line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries).Skip(1)));

    private sealed class Print(string name, Func<PodFacts, string> text) : Errand
    {
        public override string Name => name;

        public override Task<int> RunAsync(PodFacts pod, Action<LogStream, string> say, TimeProvider time, CancellationToken cancel)
        {
            foreach (var line in text(pod).TrimEnd('\n').Split('\n'))
            {
                say(LogStream.Stdout, line);
            }
            return Task.FromResult(0);
        }
    }

    /// <summary>`connect HOST:PORT [--timeout 2s] [--protocol tcp|udp]`: 0, or 1 and one word that says why not.</summary>
    private sealed class Connect(IReadOnlyList<string> args) : Errand
    {
        public override string Name => "connect";

        public override async Task<int> RunAsync(PodFacts pod, Action<LogStream, string> say, TimeProvider time, CancellationToken cancel)
        {
            var target = args.Skip(1).FirstOrDefault(word => !word.StartsWith("--", StringComparison.Ordinal) && !IsValue(word)) ?? "";
            if (!IPEndPoint.TryParse(target, out var to) || to.Port == 0)
            {
                say(LogStream.Stderr, target.Contains(':', StringComparison.Ordinal) ? $"DNS: the built-in connect takes addresses only: {target}" : $"OTHER: {target} is no HOST:PORT");
                return 1;
            }
            var protocol = WorkloadPlan.OptionText(args, "protocol") ?? "tcp";
            using var patience = new CancellationTokenSource(Duration(WorkloadPlan.OptionText(args, "timeout")), time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancel);
            try
            {
                if (protocol == "tcp")
                {
                    using var socket = await pod.Network.ConnectTcpAsync(to, either.Token);
                    return 0;
                }
                if (protocol == "udp")
                {
                    await AskAsync(pod.Network, to, either.Token);
                    return 0;
                }
                say(LogStream.Stderr, $"OTHER: unknown protocol {protocol}");
            }
            catch (OperationCanceledException)
            {
                say(LogStream.Stderr, "TIMEOUT");
            }
            catch (Exception refused) when (refused is SocketException or SystemCallException)
            {
                say(LogStream.Stderr, refused is SocketException { SocketErrorCode: SocketError.ConnectionRefused } ? "REFUSED" : $"OTHER: {refused.Message}");
            }
            return 1;
        }

        private bool IsValue(string word)
        {
            var at = args.IndexOf(word);
            return at > 0 && args[at - 1] is "--timeout" or "--protocol" or "--sctp";
        }

        // A server of UDP is there when it answers; netexec answers this.
        private static async Task AskAsync(NetworkNamespace network, IPEndPoint to, CancellationToken cancel)
        {
            using var socket = network.OpenUdp(to.AddressFamily);
            await socket.ConnectAsync(to, cancel);
            await socket.SendAsync(Encoding.UTF8.GetBytes("hostname"), SocketFlags.None, cancel);
            await socket.ReceiveAsync(new byte[1024], SocketFlags.None, cancel);
        }

        /// <summary>`2s`, `500ms`, `1m`; absent: for ever.</summary>
        private static TimeSpan Duration(string? text) => text switch
        {
            null or "0" => Timeout.InfiniteTimeSpan,
            _ when text.EndsWith("ms", StringComparison.Ordinal) && double.TryParse(text[..^2], out var milliseconds) => TimeSpan.FromMilliseconds(milliseconds),
            _ when text.EndsWith('s') && double.TryParse(text[..^1], out var seconds) => TimeSpan.FromSeconds(seconds),
            _ when text.EndsWith('m') && double.TryParse(text[..^1], out var minutes) => TimeSpan.FromMinutes(minutes),
            _ => TimeSpan.FromSeconds(1),
        };
    }
}

internal static class ListExtensions
{
    public static int IndexOf(this IReadOnlyList<string> words, string word)
    {
        for (var i = 0; i < words.Count; i++)
        {
            if (words[i] == word)
            {
                return i;
            }
        }
        return -1;
    }
}
