using System.Net.Sockets;
using System.Text;
using Plumb.Kubernetes.Json;
using Plumb.Lab.Containers;
using Plumb.Lab.Node;
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

    /// <summary>`connect HOST:PORT [--timeout 2s] [--protocol tcp|udp|sctp]`: 0, or 1 and one word that says why not.</summary>
    private sealed class Connect(IReadOnlyList<string> args) : Errand
    {
        public override string Name => "connect";

        public override async Task<int> RunAsync(PodFacts pod, Action<LogStream, string> say, TimeProvider time, CancellationToken cancel)
        {
            var target = args.Skip(1).FirstOrDefault(word => !word.StartsWith("--", StringComparison.Ordinal) && !IsValue(word)) ?? "";
            if (PodDialer.Read(target) is not { } to)
            {
                return Fail($"UNKNOWN: {target} is no HOST:PORT");
            }
            if (PodDialer.ProtocolOf(Agnhost.OptionText(args, "protocol")) is not { } protocol)
            {
                return Fail($"OTHER: unknown protocol {Agnhost.OptionText(args, "protocol")}");
            }
            var patient = GoDuration.TryParse(Agnhost.OptionText(args, "timeout"), out var given) && given > TimeSpan.Zero ? TimeSpan.FromSeconds(Math.Min(given.TotalSeconds, ContainerSpecs.MostSeconds)) : Timeout.InfiniteTimeSpan;
            using var patience = new CancellationTokenSource(patient, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancel);
            try
            {
                using var socket = await new PodDialer(pod, time).ConnectAsync(protocol, to.Host, to.Port, either.Token);
                if (protocol != PodProtocol.Tcp)
                {
                    // Such a server is there when it answers; netexec answers this.
                    await socket.SendAsync(Encoding.UTF8.GetBytes((Agnhost.OptionText(args, protocol == PodProtocol.Udp ? "udp-data" : "sctp-data") ?? "hostname") + "\n"), either.Token);
                    await socket.ReceiveAsync(new byte[1024], either.Token);
                }
                return 0;
            }
            catch (OperationCanceledException)
            {
                return Fail("TIMEOUT");
            }
            catch (NameException unknown)
            {
                return Fail($"DNS: {unknown.Message}");
            }
            catch (Exception refused) when (refused is SocketException or SystemCallException)
            {
                return Fail(refused switch
                {
                    SocketException { SocketErrorCode: SocketError.ConnectionRefused } => "REFUSED",
                    SocketException { SocketErrorCode: SocketError.TimedOut } => "TIMEOUT",
                    _ => $"OTHER: {refused.Message}",
                });
            }

            int Fail(string words)
            {
                say(LogStream.Stderr, words);
                return 1;
            }
        }

        private bool IsValue(string word)
        {
            var at = args.IndexOf(word);
            return at > 0 && args[at - 1] is "--timeout" or "--protocol" or "--udp-data" or "--sctp-data";
        }
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
