using System.Runtime.InteropServices;
using Plumb.Linux.Netlink;
using Plumb.Linux.Nftables.Wire;
using Plumb.Linux.State;

namespace Plumb.Linux.Nftables;

/// <summary>How a change is to be sent that is longer than the socket takes.</summary>
public enum TooLarge
{
    /// <summary><see cref="NetlinkBatchTooLargeException"/>; nothing is sent.</summary>
    Refuse,

    /// <summary>
    /// Elements may come in transactions of their own: first all new structure, then added elements in the order given, changed ones,
    /// removed ones in the reverse order, and last the structure that goes. A changed element is deleted and added in one of them.
    /// </summary>
    SplitElements,
}

/// <summary>nf_tables of one network namespace: observed as entries, changed by a delta.</summary>
public static class NftablesKernel
{
    /// <summary>Everything that the namespace's nf_tables hold, in the kernel's order, as of one moment.</summary>
    /// <param name="socket">Of <see cref="NetlinkFamily.Netfilter"/>, opened in that namespace.</param>
    /// <exception cref="NetlinkDumpInterruptedException">It changed again and again while it was read.</exception>
    /// <exception cref="NetlinkDecodeException">The kernel's answer is malformed.</exception>
    public static IReadOnlyList<Observed> Observe(NetlinkSocket socket, NamespaceId space) => Observe(socket, space, out _);

    /// <param name="generation">To be given to <see cref="Apply"/>, which then refuses to work on another state than this.</param>
    public static IReadOnlyList<Observed> Observe(NetlinkSocket socket, NamespaceId space, out uint generation)
    {
        ArgumentNullException.ThrowIfNull(socket);
        (var entries, generation) = new RulesetReader(socket, space).Read();
        return entries;
    }

    /// <summary>What one network namespace holds, but for what is in sets with a name: <see cref="Elements"/> and <see cref="Find"/> tell that.</summary>
    /// <inheritdoc cref="Observe(NetlinkSocket, NamespaceId)"/>
    public static IReadOnlyList<Observed> ObserveRules(NetlinkSocket socket, NamespaceId space)
    {
        ArgumentNullException.ThrowIfNull(socket);
        return new RulesetReader(socket, space) { ReadsElements = false }.Read().Entries;
    }

    /// <summary>What is in one set.</summary>
    /// <exception cref="NetlinkException">There is no such set any more.</exception>
    public static IReadOnlyList<Observed> Elements(NetlinkSocket socket, NamespaceId space, SetEntry set)
    {
        ArgumentNullException.ThrowIfNull(socket);
        var elements = new List<Observed>();
        new RulesetReader(socket, space).ReadElements(set, elements);
        return elements;
    }

    /// <summary>The element that a look-up would find, by one question, however many there are (<c>nft get element</c>); null: none, or no such set any more.</summary>
    /// <param name="set">Not one of intervals.</param>
    /// <exception cref="NetlinkException">The kernel refuses to tell.</exception>
    public static Observed? Find(NetlinkSocket socket, NamespaceId space, SetEntry set, Octets key)
    {
        ArgumentNullException.ThrowIfNull(socket);
        return new RulesetReader(socket, space).FindElement(set, key);
    }

    /// <summary>Which tables there are, without what is in them.</summary>
    public static IReadOnlyList<TableId> Tables(NetlinkSocket socket, NamespaceId space)
    {
        ArgumentNullException.ThrowIfNull(socket);
        return new RulesetReader(socket, space).ReadTables();
    }

    /// <summary>Whether an entry is of a kind that is applied here.</summary>
    public static bool Handles(EntryKind kind) => kind is EntryKind.Table or EntryKind.Chain or EntryKind.Set or EntryKind.Element or EntryKind.Object;

    /// <summary>Makes all changes in one transaction, in the order that the kernel needs.</summary>
    /// <param name="items">Of one namespace and of nf_tables' kinds only.</param>
    /// <param name="generation">What <see cref="Observe(NetlinkSocket, NamespaceId, out uint)"/> gave; null: whatever it is now.</param>
    /// <param name="seam">Passed before each transaction.</param>
    /// <exception cref="NftablesException">The kernel refused; the entry is named and nothing of that transaction was done.</exception>
    /// <exception cref="NetlinkBatchTooLargeException">The change does not fit one transaction and may not be split.</exception>
    public static void Apply(
        NetlinkSocket socket,
        IReadOnlyList<DeltaItem> items,
        uint? generation = null,
        TooLarge tooLarge = TooLarge.Refuse,
        IWriteSeam? seam = null)
    {
        ArgumentNullException.ThrowIfNull(socket);
        ArgumentNullException.ThrowIfNull(items);
        if (items.Count == 0)
        {
            return;
        }
        var order = new DeltaOrder(WithDependents(socket, items));
        using (var whole = new Transaction(generation))
        {
            if (Fill(whole, order, socket.MaxBatchBytes - Transaction.EndBytes))
            {
                whole.Commit(socket, seam);
                return;
            }
        }
        if (tooLarge == TooLarge.Refuse)
        {
            throw new NetlinkBatchTooLargeException(Measure(order), socket.MaxBatchBytes);
        }
        ApplyInParts(socket, order, generation, seam);
    }

    private static bool Fill(Transaction transaction, DeltaOrder order, int limitBytes)
    {
        Remove(transaction, order, limitBytes, out var fits);
        Build(transaction, order);
        fits &= Elements(transaction, order.AddElements, deletes: false, limitBytes) == order.AddElements.Count;
        return fits && transaction.LengthBytes <= limitBytes;
    }

    private static void Remove(Transaction transaction, DeltaOrder order, int limitBytes, out bool fits)
    {
        order.DeleteTables.ForEach(transaction.Delete);
        order.AddTables.ForEach(transaction.Add);
        order.Flush.ForEach(transaction.FlushRules);
        var deleted = order.DeleteElements.ConvertAll(static element => (element, (string?)null));
        fits = Elements(transaction, deleted, deletes: true, limitBytes) == deleted.Count;
        order.DeleteChains.ForEach(transaction.Delete);
        order.DeleteSets.ForEach(transaction.Delete);
        order.DeleteObjects.ForEach(transaction.Delete);
    }

    private static void Build(Transaction transaction, DeltaOrder order)
    {
        order.AddObjects.ForEach(transaction.Add);
        order.AddSets.ForEach(transaction.Add);
        order.AddChains.ForEach(transaction.Add);
        order.AddRules.ForEach(transaction.AddRules);
    }

    /// <summary>Writes elements, run by run of one set, and returns how many fitted.</summary>
    private static int Elements(Transaction transaction, List<(ElementEntry Entry, string? Comment)> elements, bool deletes, int limitBytes)
    {
        var all = CollectionsMarshal.AsSpan(elements);
        for (var from = 0; from < all.Length;)
        {
            var set = all[from].Entry.Set;
            var to = from + 1;
            while (to < all.Length && SameSet(all[to].Entry.Set, set))
            {
                to++;
            }
            var written = transaction.Elements(set, all[from..to], deletes, limitBytes);
            from += written;
            if (from < to)
            {
                return from;
            }
        }
        return all.Length;
    }

    private static bool SameSet(SetSchema a, SetSchema b) => ReferenceEquals(a, b) || (a.Name == b.Name && a.Table == b.Table);

    private static int Measure(DeltaOrder order)
    {
        using var whole = new Transaction();
        Fill(whole, order, int.MaxValue);
        return whole.LengthBytes + Transaction.EndBytes;
    }

    private static void ApplyInParts(NetlinkSocket socket, DeltaOrder order, uint? generation, IWriteSeam? seam)
    {
        var limit = socket.MaxBatchBytes - Transaction.EndBytes;
        var replaced = new HashSet<EntryKey>();
        foreach (var element in order.DeleteElements)
        {
            replaced.Add(element.Key);
        }
        var changed = order.AddElements.FindAll(element => replaced.Contains(element.Entry.Key));
        var added = changed.Count == 0 ? order.AddElements : order.AddElements.FindAll(element => !replaced.Contains(element.Entry.Key));
        foreach (var (entry, _) in changed)
        {
            replaced.Remove(entry.Key);
        }
        // What was added last leads to what was added before it, and goes first. Verdicts hold chains: they go with those.
        var removed = order.DeleteElements.FindAll(element => replaced.Contains(element.Key) && element.Element.Verdict?.Chain is null);
        removed.Reverse();
        var holding = order.DeleteElements.FindAll(element => replaced.Contains(element.Key) && element.Element.Verdict?.Chain is not null);

        // 1. Structure: what goes whole or comes in the place of something, and everything new that elements may point at.
        using (var structure = new Transaction(generation))
        {
            order.DeleteTables.ForEach(structure.Delete);
            order.AddTables.ForEach(structure.Add);
            Unless(order.IsRemoved, order.Flush, structure.FlushRules);
            Unless(order.IsRemoved, order.DeleteChains, structure.Delete);
            Unless(order.IsRemoved, order.DeleteSets, structure.Delete);
            Unless(order.IsRemoved, order.DeleteObjects, structure.Delete);
            Build(structure, order);
            structure.Commit(socket, seam);
        }

        // 2. New elements, 3. changed ones, 4. those that go.
        SendElements(socket, added, deletes: false, seam);
        SendChanged(socket, changed, limit, seam);
        SendElements(socket, removed.ConvertAll(static element => (element, (string?)null)), deletes: true, seam);

        // 5. Structure that goes, with what holds it.
        using (var going = new Transaction())
        {
            Unless(order.IsReplaced, order.Flush, going.FlushRules);
            var leaving = holding.ConvertAll(static element => (element, (string?)null));
            if (Elements(going, leaving, deletes: true, limit) < leaving.Count)
            {
                throw new NetlinkBatchTooLargeException(Measure(order), socket.MaxBatchBytes);
            }
            Unless(order.IsReplaced, order.DeleteChains, going.Delete);
            Unless(order.IsReplaced, order.DeleteSets, going.Delete);
            Unless(order.IsReplaced, order.DeleteObjects, going.Delete);
            going.Commit(socket, seam);
        }
    }

    private static void Unless<T>(Func<Entry, bool> excluded, List<T> entries, Action<T> write) where T : Entry
    {
        foreach (var entry in entries)
        {
            if (!excluded(entry))
            {
                write(entry);
            }
        }
    }

    private static void SendElements(
        NetlinkSocket socket, List<(ElementEntry Entry, string? Comment)> elements, bool deletes, IWriteSeam? seam)
    {
        while (elements.Count > 0)
        {
            using var part = new Transaction();
            var done = Elements(part, elements, deletes, socket.MaxBatchBytes - Transaction.EndBytes);
            part.Commit(socket, seam);
            elements = elements[done..];
        }
    }

    private static void SendChanged(
        NetlinkSocket socket, List<(ElementEntry Entry, string? Comment)> elements, int limitBytes, IWriteSeam? seam)
    {
        // Each is written twice, its deletion shorter than its addition.
        const int mostOfOne = 1200;
        var atOnce = Math.Max(1, limitBytes / mostOfOne);
        for (var from = 0; from < elements.Count; from += atOnce)
        {
            var some = elements.GetRange(from, Math.Min(atOnce, elements.Count - from));
            using var part = new Transaction();
            Elements(part, some, deletes: true, limitBytes);
            Elements(part, some, deletes: false, limitBytes);
            part.Commit(socket, seam);
        }
    }
    private static IReadOnlyList<DeltaItem> WithDependents(NetlinkSocket socket, IReadOnlyList<DeltaItem> items) =>
        Dependents.AreNeeded(items) ? Dependents.Add(items, Observe(socket, items[0].Key.Namespace)) : items;
}
