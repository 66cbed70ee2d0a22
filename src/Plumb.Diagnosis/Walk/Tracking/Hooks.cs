using Plumb.Diagnosis.Packets;
using Plumb.Diagnosis.Walk.Routing;
using Plumb.Linux.Addresses;
using Plumb.Linux.Nftables;
using Plumb.Linux.State;

namespace Plumb.Diagnosis.Walk.Tracking;

/// <summary>
/// A hook of netfilter: what hangs there runs in order of priority, connection tracking and translation at theirs. Rules may choose at random; then
/// the way divides.
/// </summary>
internal static class Hooks
{
    /// <param name="go">What comes after the hook for those that pass.</param>
    public static IEnumerable<Step> Pass(Traveller traveller, ChainHook hook, Func<Traveller, Step> go)
    {
        var programs = traveller.Space.Programs(traveller.Packet.Family, hook);
        var acts = Acts(programs, hook, traveller.Space.TracksConnections(traveller.Packet.Family), traveller.Space.Translates(traveller.Packet.Family), traveller.Space.VirtualServices.Count > 0);
        return Run(traveller, hook, acts, 0, go);
    }

    private static List<Func<Traveller, ChainHook, IEnumerable<Step>>> Acts(IReadOnlyList<IHookProgram> programs, ChainHook hook, bool tracks, bool translates, bool balances)
    {
        var byPriority = new List<(int Priority, Func<Traveller, ChainHook, IEnumerable<Step>> Act)>();
        foreach (var program in programs)
        {
            if (!program.IsNat)
            {
                byPriority.Add((program.Priority, (traveller, at) => RunOne(traveller, at, program)));
            }
        }
        if (hook is ChainHook.Prerouting or ChainHook.Output && tracks)
        {
            byPriority.Add((ConnectionTracking.Priority, static (traveller, _) => [Passed(ConnectionTracking.Track(traveller))]));
        }
        // nf_nat_inet_fn hangs there as long as there is a chain of that type at some hook.
        if (hook != ChainHook.Forward && (translates || balances))
        {
            IHookProgram[] nat = [.. programs.Where(static program => program.IsNat).OrderBy(static program => program.Priority)];
            var isDestination = hook is ChainHook.Prerouting or ChainHook.Output;
            byPriority.Add((isDestination ? ConnectionTracking.DestinationNat : ConnectionTracking.SourceNat, (traveller, at) => Nat(traveller, at, nat, isDestination)));
        }
        if (balances && Balancer.PriorityAt(hook) is { } at)
        {
            byPriority.Add((at, Balancer.Pass));
        }
        if (hook is ChainHook.Postrouting or ChainHook.Input)
        {
            byPriority.Add((int.MaxValue, static (traveller, _) => [Confirm(traveller)]));
        }
        // Stable: of equals, the one that was there first.
        return [.. byPriority.OrderBy(static act => act.Priority).Select(static act => act.Act)];
    }

    private static IEnumerable<Step> Run(
        Traveller traveller, ChainHook hook, List<Func<Traveller, ChainHook, IEnumerable<Step>>> acts, int from, Func<Traveller, Step> go)
    {
        if (from == acts.Count)
        {
            yield return go(traveller);
            yield break;
        }
        foreach (var step in acts[from](traveller, hook))
        {
            if (step is not Step.On passed)
            {
                yield return step;
                continue;
            }
            foreach (var later in Run(passed.Traveller, hook, acts, from + 1, go))
            {
                yield return later;
            }
        }
    }

    private static Step.On Passed(Traveller traveller) => new(traveller);

    private static IEnumerable<Step> RunOne(Traveller traveller, ChainHook hook, IHookProgram program)
    {
        foreach (var outcome in program.Run(traveller.Packet, traveller.Connection, Place(traveller, hook)))
        {
            yield return Became(traveller, outcome, hook);
        }
    }

    // nf_nat_inet_fn: the rules are for the first packet, each side once; what was decided holds for all that follow.
    private static IEnumerable<Step> Nat(Traveller traveller, ChainHook hook, IHookProgram[] programs, bool isDestination)
    {
        var connection = traveller.Connection;
        if (connection is not { IsTracked: true })
        {
            return [Passed(traveller)];
        }
        var isDecided = connection.IsKnown || connection.IsReply || connection.State != ConnectionState.New
            || (isDestination ? connection.DestinationDecided : connection.SourceDecided);
        // Where no chain has a say it is decided all the same (nf_nat_alloc_null_binding): what comes back in by lo is not asked again.
        return isDecided
            ? [Passed(Translated(traveller, isDestination))]
            : Ask(traveller, hook, programs, 0, isDestination);
    }

    private static IEnumerable<Step> Ask(Traveller traveller, ChainHook hook, IHookProgram[] programs, int from, bool isDestination)
    {
        var connection = traveller.Connection!;
        if (from == programs.Length || (isDestination ? connection.DestinationDecided : connection.SourceDecided))
        {
            var decided = isDestination ? connection with { DestinationDecided = true }
                : ConnectionTracking.Unique(traveller, connection) with { SourceDecided = true };
            yield return Passed(Translated(traveller with { Connection = decided }, isDestination));
            yield break;
        }
        foreach (var step in RunOne(traveller, hook, programs[from]))
        {
            if (step is not Step.On passed)
            {
                yield return step;
                continue;
            }
            foreach (var later in Ask(passed.Traveller, hook, programs, from + 1, isDestination))
            {
                yield return later;
            }
        }
    }

    private static Traveller Translated(Traveller traveller, bool isDestination)
    {
        var connection = traveller.Connection!;
        var packet = ConnectionTracking.Translate(traveller.Packet, connection, isDestination);
        if (packet == traveller.Packet)
        {
            return traveller;
        }
        var by = traveller.Memory.Find(traveller.Space, connection.Zone, connection.Original)?.Rewriters.LastOrDefault();
        var what = connection.IsReply ? "undone for the way back"
            : connection is { IsKnown: false, HasRandomSourcePort: true } ? "another connection has this source: a port at random"
            : "as the connection began";
        var hop = new Hop(traveller.Space.Id, traveller.Stage, what, traveller.Packet, packet)
        {
            Entry = by?.Entry, Text = by?.Text ?? connection.Entry?.Print(), Handle = by?.Handle ?? 0, Stamp = by?.Stamp, IsTranslation = true,
        };
        return traveller with { Packet = packet, Hops = traveller.Hops.Add(hop) };
    }

    private static Step Confirm(Traveller traveller)
    {
        if (traveller.Connection is not { IsTracked: true } connection)
        {
            return Passed(traveller);
        }
        if (connection.IsKnown || connection.State != ConnectionState.New)
        {
            // What a rule has marked stays marked.
            return traveller.Memory.Find(traveller.Space, connection.Zone, connection.Original) is { } known && known.Connection.Mark != connection.Mark
                ? Passed(traveller with { Memory = traveller.Memory.With(traveller.Space.Id, known.Connection with { Mark = connection.Mark }, known.Rewriters) })
                : Passed(traveller);
        }
        if (ConnectionTracking.IsTaken(traveller, connection, connection.Reply))
        {
            // __nf_conntrack_confirm: what nobody could tell apart is not begun.
            return traveller.Drop("its answers would be those of another connection that is known here: conntrack drops it (insert_failed)");
        }
        var rewriters = traveller.Hops.FindAll(hop => hop.Space == traveller.Space.Id && hop.IsTranslation);
        return Passed(traveller with { Memory = traveller.Memory.With(traveller.Space.Id, connection, rewriters) });
    }

    private static Step Became(Traveller traveller, HookOutcome outcome, ChainHook hook)
    {
        var after = traveller with
        {
            Packet = outcome.Packet,
            Connection = outcome.Connection,
            Probability = traveller.Probability * outcome.Probability,
            Changes = outcome.Changes.IsEmpty ? traveller.Changes : traveller.Changes.SetItem(traveller.Space.Id, outcome.Changes),
        };
        for (var i = 0; i < outcome.Steps.Count; i++)
        {
            var step = outcome.Steps[i];
            var isLast = i == outcome.Steps.Count - 1;
            after = after with
            {
                Hops = after.Hops.Add(new Hop(traveller.Space.Id, traveller.Stage, step.What, traveller.Packet, isLast ? outcome.Packet : traveller.Packet)
                {
                    Entry = step.Element ?? step.Entry,
                    Text = step.Text,
                    Handle = step.Handle,
                    Stamp = step.Stamp,
                    Chance = step.Chance,
                    IsTranslation = isLast && Tuples.Of(outcome.Packet) != Tuples.Of(traveller.Packet),
                }),
            };
        }
        var last = outcome.Steps.Count > 0 ? after.Hops[^1] : traveller.Note($"the policy of a chain at {hook.ToString().ToLowerInvariant()}");
        return outcome.Decision switch
        {
            Decision.Accept when outcome.Proxy is { } proxy => Proxied(after, proxy, last),
            Decision.Accept => Passed(after),
            Decision.Drop => End(after, hook, $"a rule{Of(last)} drops it: {Rule(last)}", last, null),
            Decision.Reject => End(after, hook, $"a rule{Of(last)} refuses it: {Rule(last)}", last, outcome.Answer),
            Decision.Queue => new Step.End(after, Ending.Undecided, $"a program decides: {Rule(last)}") { Killer = last },
            _ => new Step.End(after, Ending.Undecided, $"cannot be decided here: {Rule(last)}") { Killer = last },
        };
    }

    // nf_tproxy_get_sock_v4: the socket has it from here on, if routes keep the packet on this host; without one it is dropped.
    private static Step Proxied(Traveller after, (IpAddress Address, ushort Port) proxy, Hop rule)
    {
        var device = after.In is { } name ? after.Space.Index(name) : 0;
        return after.Space.Sockets.Any(socket => socket.Takes(proxy.Address, proxy.Port, after.Packet.Protocol, device))
            ? Passed(after with { Proxy = proxy })
            : new Step.End(after, Ending.Dropped, $"nobody listens where a rule hands it to: {Rule(rule)}") { Killer = rule };
    }

    private static Step.End End(Traveller after, ChainHook hook, string reason, Hop killer, RejectAnswer? answer)
    {
        // A datagram that is dropped on its way out is an error of sendmsg, before any answer could come; TCP tries again, in vain.
        var fails = hook is ChainHook.Output or ChainHook.Postrouting && after.IsOwn && after.Packet.Protocol != Packet.Tcp;
        return new Step.End(after, fails ? Ending.Error : Ending.Dropped, fails ? $"{reason} (EPERM)" : reason)
        {
            Killer = killer,
            Answer = answer is null || fails ? null : Answers.To(after.Packet, answer),
            // nf_send_reset: to a frame of a bridge, from the address that was asked, hardware address and all.
            AnswersBy = answer is { Reset: true } ? after.CameBy : null,
        };
    }

    // Family, table and chain, as `nft list chain` takes them. An element, a policy at a hook: what is told of it says where it is.
    private static string Of(Hop hop) => hop.Entry is { Kind: EntryKind.Chain or EntryKind.IptablesChain } chain ? $" of {chain.Name}" : "";

    private static string Rule(Hop hop) => hop.Text ?? hop.What;

    private static HookPlace Place(Traveller traveller, ChainHook hook) =>
        new(traveller.Space.Id, hook, traveller.In, hook is ChainHook.Prerouting or ChainHook.Input ? null : traveller.Out)
        {
            In = Facts(traveller, traveller.In),
            Out = hook is ChainHook.Prerouting or ChainHook.Input ? null : Facts(traveller, traveller.Out),
            Bridged = new BridgedFacts(traveller.CameBy, traveller.LeavesBy),
            MasqueradeAddress = Masquerade(traveller, hook),
            Sets = traveller.Space.Set,
            Fib = address => Fib(traveller, address),
            Changes = traveller.Changes.GetValueOrDefault(traveller.Space.Id, ElementChanges.None),
        };

    // nf_nat_masquerade_ipv4: as a socket would be given it for the next hop; nf_nat_masquerade_ipv6: for the destination.
    private static IpAddress? Masquerade(Traveller traveller, ChainHook hook) =>
        hook != ChainHook.Postrouting || traveller.Out is not { } device ? null
            : !traveller.IsV4 ? SourceAddress.TowardsV6(traveller.Space, device, traveller.Packet.Destination)
            : SourceAddress.OnDevice(traveller.Space, device, traveller.Route?.NextAddress(traveller.Packet.Destination) ?? traveller.Packet.Destination, RouteScope.Universe);

    private static DeviceFacts? Facts(Traveller traveller, string? device) =>
        device is not null && traveller.Space.Link(device) is { } link ? new DeviceFacts(device, traveller.Space.Index(device), link.Type) : null;

    private static FibAnswer Fib(Traveller traveller, IpAddress address)
    {
        var found = RouteLookup.Find(traveller.Space, new RouteQuestion(IpAddress.Unspecified(address.Family), address, 0, 0, null, null))[0];
        return found.Decider is null ? default : new FibAnswer((byte)found.Type, found.Hop?.Device);
    }
}
