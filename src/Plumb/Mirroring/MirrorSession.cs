using System.Text.Json;
using Plumb.Lab;
using Plumb.Lab.Running;
using Plumb.Network;
using Plumb.Network.Facts;
using Plumb.Scenes;

namespace Plumb.Mirroring;

/// <summary>A mirror that this process holds: the agents of both nodes have their part of it in their kernels until this is disposed of, or the process ends.</summary>
internal sealed class MirrorSession : IDisposable
{
    private const int Attempts = 10;

    private readonly LabClient _lab;
    private readonly Party _pod;
    private readonly string _to;
    private readonly HeldRequest _target;
    private readonly HeldRequest _source;

    private MirrorSession(LabClient lab, Party pod, string to, MirrorNumbers numbers, HeldRequest target, HeldRequest source) =>
        (_lab, _pod, _to, Numbers, _target, _source) = (lab, pod, to, numbers, target, source);

    public MirrorNumbers Numbers { get; }

    public string Device => Devices.Mirror(Numbers.Number);

    /// <param name="vni">Null: one that is free.</param>
    /// <exception cref="LabException">An agent does not want to, or the id is taken.</exception>
    public static MirrorSession Begin(LabScene scene, Party pod, string to, int? vni, MirrorDirection direction)
    {
        var lab = scene.Client;
        for (var attempt = 1; ; attempt++)
        {
            var numbers = MirrorNumbers.Free(Taken(scene), vni);
            var query = $"mirrors?number={numbers.Number}&vni={numbers.Vni}&direction={direction}&pod={Uri.EscapeDataString(pod.FullName)}"
                + $"&holder={Uri.EscapeDataString($"process {Environment.ProcessId}")}";
            HeldRequest? target = null;
            try
            {
                // First the end, so that the first copy finds it.
                target = lab.HoldAtNode(to, $"{query}&role=target&peer={pod.Node}");
                return new MirrorSession(lab, pod, to, numbers, target, lab.HoldAtNode(pod.Node, $"{query}&role=source&peer={to}"));
            }
            catch (LabException)
            {
                if (target is not null)
                {
                    // At once, so that it is not taken for somebody else's below.
                    lab.TellNode(to, "DELETE", $"mirrors?number={numbers.Number}");
                    target.Dispose();
                }
                // Somebody else may have taken the same numbers a moment before.
                if (attempt == Attempts || MirrorNumbers.AreFree(Taken(scene), numbers))
                {
                    throw;
                }
            }
        }
    }

    /// <summary>Completes with the reason when an agent ends it.</summary>
    public async Task<string> OverAsync(CancellationToken cancel)
    {
        var (source, target) = (_source.OverAsync(cancel), _target.OverAsync(cancel));
        var first = await Task.WhenAny(source, target);
        return await first ?? $"the agent of {(first == source ? _pod.Node : _to)} has ended";
    }

    /// <summary>Packets so far; null: an agent does not say.</summary>
    public MirrorCount? Count() => Count("GET", "mirrors");

    /// <summary>Takes it out: first where the copies are made, so that the last has arrived when they are counted.</summary>
    /// <returns>Null: an agent has taken its part out before, or has ended.</returns>
    public MirrorCount? End() => Count("DELETE", $"mirrors?number={Numbers.Number}");

    public void Dispose()
    {
        _source.Dispose();
        _target.Dispose();
    }

    private static List<MirrorNumbers> Taken(LabScene scene) =>
        [.. scene.Parties.Nodes.SelectMany(node => All(scene.Client.TellNode(node, "GET", "mirrors"), node)).Select(static part => part.Numbers)];

    private MirrorCount? Count(string method, string path)
    {
        var (source, target) = (Ask(_pod.Node, method, path), Ask(_to, method, path));
        return source is not null && target is not null ? new MirrorCount(source.Sent, target.Received) : null;
    }

    private MirrorPart? Ask(string node, string method, string path)
    {
        try
        {
            return All(_lab.TellNode(node, method, path), node).Find(part => part.Numbers == Numbers);
        }
        catch (LabException)
        {
            // Its agent has ended, which whoever waits is told by the connection; the next one finds what it left.
            return null;
        }
    }

    private static List<MirrorPart> All(ReadOnlyMemory<byte>? said, string node)
    {
        if (said is not { Length: > 0 } json)
        {
            return [];
        }
        try
        {
            using var document = JsonDocument.Parse(json);
            return [.. document.RootElement.EnumerateArray().Select(static part => new MirrorPart(
                new MirrorNumbers(part.GetProperty("number").GetInt32(), part.GetProperty("vni").GetInt32()),
                part.GetProperty("sent").GetInt64() + part.GetProperty("notSent").GetInt64(),
                part.GetProperty("received").GetInt64()))];
        }
        catch (Exception unknown) when (unknown is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw new LabException($"the agent of {node} answers in another version's way", unknown);
        }
    }

    /// <param name="Sent">With those that did not get as far as the wire.</param>
    private sealed record MirrorPart(MirrorNumbers Numbers, long Sent, long Received);
}

internal readonly record struct MirrorCount(long Mirrored, long Received)
{
    public long Lost => Math.Max(0, Mirrored - Received);
}

/// <summary>By what a mirror is told from others.</summary>
internal readonly record struct MirrorNumbers(int Number, int Vni)
{
    /// <param name="vni">That is asked for; null: the first that is free.</param>
    /// <exception cref="LabException">There is none.</exception>
    public static MirrorNumbers Free(IReadOnlyCollection<MirrorNumbers> taken, int? vni)
    {
        if (vni is { } asked && taken.Any(other => other.Vni == asked))
        {
            throw new LabException($"--vxlan-id: {asked} is another mirror's; leave it out, and one that is free is taken");
        }
        for (var number = 0; number < Mirror.Most; number++)
        {
            if (taken.All(other => other.Number != number))
            {
                var free = Mirror.FirstVni + number;
                while (taken.Any(other => other.Vni == free))
                {
                    free++;
                }
                return new MirrorNumbers(number, vni ?? free);
            }
        }
        throw new LabException($"{Mirror.Most} mirrors run already: end one first");
    }

    public static bool AreFree(IReadOnlyCollection<MirrorNumbers> taken, MirrorNumbers wanted) =>
        taken.All(other => other.Number != wanted.Number && other.Vni != wanted.Vni);
}
