using Plumb.CommandLine;
using Plumb.Diagnosis.Snapshots;
using Plumb.Linux.State;
using Plumb.Scenes;

namespace Plumb.Snapshots;

/// <summary>Takes a snapshot of a scene. Kernels first: what is said of them shall be of one moment, as nearly as can be.</summary>
internal static class SnapshotTaking
{
    public static async Task<SnapshotResult> TakeAsync(IScene scene, string name, Stream to, TimeProvider time, CancellationToken cancel)
    {
        var header = new SnapshotHeader(SnapshotWriter.Format, Product.Version, KernelRelease(), time.GetUtcNow(), name) { Network = scene.Network };
        using var writer = new SnapshotWriter(to, header);
        var (missing, objects, entries, spaces) = (new List<string>(), 0, 0, 0);
        var parameters = new List<EntryKey>();
        foreach (var node in scene.Parties.Nodes)
        {
            if (await scene.PlanAsync(node) is { } plan)
            {
                parameters.AddRange(plan.Entries.Where(static entry => entry.Kind == EntryKind.Sysctl).Select(static entry => entry.Key));
                writer.Write(plan);
            }
        }
        var ofPlans = parameters.ToLookup(static key => key.Namespace, static key => key.Name);
        var read = scene.World.Known.AsParallel().AsOrdered().WithMergeOptions(ParallelMergeOptions.NotBuffered).WithCancellation(cancel)
            .Select(space => (Id: space, Seen: scene.World.Find(space) is { } seen ? new SnapshotSpace(seen, ofPlans[space]) : null));
        foreach (var (id, seen) in read)
        {
            if (seen is null)
            {
                missing.Add($"the namespace {id}: it ended before it could be read");
                continue;
            }
            using (seen)
            {
                writer.Write(seen);
                (spaces, entries) = (spaces + 1, entries + seen.Entries);
            }
        }
        foreach (var party in scene.Parties.All)
        {
            writer.Write(new SnapshotParty((SnapshotPartyKind)party.Kind, party.Name, party.Node, party.Space, [.. party.Addresses])
            {
                Scope = party.Scope,
                Resolver = party.Kind == PartyKind.Pod ? scene.ResolverOf(party) : null,
            });
        }
        await foreach (var found in scene.ObjectsAsync(cancel))
        {
            writer.Write(found);
            objects++;
        }
        if (scene.Untold is { } untold)
        {
            missing.Add(untold);
        }
        foreach (var what in missing)
        {
            writer.Miss(what);
        }
        writer.Complete();
        return new SnapshotResult(name, null, null, spaces, entries, objects, missing);
    }

    private static string KernelRelease() => File.ReadAllText("/proc/sys/kernel/osrelease").Trim();
}

/// <summary>What `plumb snapshot` prints.</summary>
/// <param name="File">Where it is; null: it went to standard output.</param>
/// <param name="Namespaces">How many network namespaces were read.</param>
/// <param name="Entries">What they hold: links, addresses, routes, rules and so on.</param>
/// <param name="Missing">What could not be read, a line for each.</param>
internal sealed record SnapshotResult(string Name, string? File, long? Bytes, int Namespaces, int Entries, int Objects, IReadOnlyList<string> Missing);
