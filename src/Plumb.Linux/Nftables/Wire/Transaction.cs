using Plumb.Linux.Netlink;
using Plumb.Linux.Nftables.Expressions;
using Plumb.Linux.Nftables.Text;
using Plumb.Linux.State;

namespace Plumb.Linux.Nftables.Wire;

/// <summary>
/// One transaction of nf_tables: all of it happens at one moment or nothing does. It remembers which bytes speak of which entry, so
/// that the kernel's refusal names an entry.
/// </summary>
internal sealed class Transaction : IDisposable
{
    private readonly NetlinkWriter _wire = new(64 << 10);
    private readonly ExpressionWriter _expressions;

    // Which entry each message is about; for messages of many elements, where each begins within it.
    private readonly List<EntryKey?> _subjects = [];
    private readonly Dictionary<int, List<(int OffsetBytes, EntryKey Key)>> _elements = [];
    private readonly Dictionary<int, (TableFamily Family, Rule Rule)> _rules = [];
    private uint _nextSetId = 1;

    public Transaction(uint? generation = null)
    {
        _expressions = new ExpressionWriter(_wire);
        NftWire.Frame(_wire, NftWire.NFNL_MSG_BATCH_BEGIN, generation);
        _subjects.Add(null);
    }

    public bool IsEmpty => _wire.MessageCount <= 1;

    public int LengthBytes => _wire.LengthBytes;

    /// <summary>Bytes that the closing frame takes.</summary>
    public const int EndBytes = 20;

    public void Dispose() => _wire.Dispose();

    public void Add(Desired desired)
    {
        var comment = desired.Stamp?.Text;
        switch (desired.Entry)
        {
            case TableEntry table:
                TableMessage.WriteNew(_wire, table, comment);
                break;
            case ObjectEntry item:
                ObjectMessage.WriteNew(_wire, item, comment);
                break;
            case SetEntry set:
                SetMessage.WriteNew(_wire, set, comment, _nextSetId++);
                break;
            case ChainEntry chain:
                ChainMessage.WriteNew(_wire, chain, comment);
                break;
            default:
                throw new ArgumentException($"{desired.Entry.Key} is not added by one message");
        }
        _subjects.Add(desired.Entry.Key);
    }

    public void AddRules(ChainEntry chain)
    {
        foreach (var rule in chain.Rules)
        {
            foreach (var expression in rule.Expressions)
            {
                if (expression.Inline is { } set)
                {
                    AddAnonymous(chain, set);
                }
            }
            _rules[_wire.MessageCount] = (chain.Table.Family, rule);
            RuleMessage.WriteNew(_expressions, chain, rule);
            _subjects.Add(chain.Key);
        }
    }

    public void FlushRules(ChainEntry chain)
    {
        RuleMessage.WriteFlush(_wire, chain);
        _subjects.Add(chain.Key);
    }

    public void Delete(Entry entry)
    {
        switch (entry)
        {
            case TableEntry table:
                TableMessage.WriteDelete(_wire, table.Table);
                break;
            case ObjectEntry item:
                ObjectMessage.WriteDelete(_wire, item);
                break;
            case SetEntry set:
                SetMessage.WriteDelete(_wire, set.Schema);
                break;
            case ChainEntry chain:
                ChainMessage.WriteDelete(_wire, chain);
                break;
            default:
                throw new ArgumentException($"{entry.Key} is not deleted by one message");
        }
        _subjects.Add(entry.Key);
    }

    /// <summary>Adds or deletes elements of one set from <paramref name="from"/> on, and returns how many fitted below <paramref name="limitBytes"/>.</summary>
    public int Elements(SetSchema set, ReadOnlySpan<(ElementEntry Entry, string? Comment)> elements, bool deletes, int limitBytes)
    {
        const int mostOfOne = 600;
        // Headers of the message and of its list, the names of table and set among them.
        const int mostOfHeaders = 600;
        var done = 0;
        while (done < elements.Length && _wire.LengthBytes + mostOfHeaders + mostOfOne < limitBytes)
        {
            var message = _wire.MessageCount;
            var start = _wire.LengthBytes;
            var places = new List<(int, EntryKey)>();
            using (ElementMessage.Open(_wire, deletes ? NftMessage.DeleteElement : NftMessage.NewElement, set, set.Name, setId: null))
            using (ElementMessage.OpenList(_wire))
            {
                while (done < elements.Length
                    && _wire.LengthBytes - start < ElementMessage.ListBytes
                    && _wire.LengthBytes + mostOfOne < limitBytes)
                {
                    var (entry, comment) = elements[done++];
                    places.Add((_wire.LengthBytes - start, entry.Key));
                    ElementMessage.WriteElement(_wire, set, entry.Element, comment, deletes);
                }
            }
            _subjects.Add(places[0].Item2);
            _elements[message] = places;
        }
        return done;
    }

    /// <summary>Sends it.</summary>
    /// <exception cref="NftablesException">The kernel refused something; nothing was done.</exception>
    /// <exception cref="NetlinkBatchTooLargeException">It does not fit the socket; nothing was sent.</exception>
    public void Commit(NetlinkSocket socket, IWriteSeam? seam = null)
    {
        if (IsEmpty)
        {
            return;
        }
        NftWire.Frame(_wire, NftWire.NFNL_MSG_BATCH_END);
        _subjects.Add(null);
        seam?.BeforeWrite($"nf_tables: {_wire.MessageCount - 2} messages, {_wire.LengthBytes} bytes");
        var errors = socket.TryExecute(_wire, acknowledged: _wire.MessageCount - 2);
        if (errors.Count > 0)
        {
            var rule = _rules.TryGetValue(errors[0].Index, out var refused) ? RuleText.Of(refused.Family, refused.Rule, static _ => null) : null;
            throw new NftablesException(errors, Subject(errors[0]), rule);
        }
    }

    private void AddAnonymous(ChainEntry chain, AnonymousSet set)
    {
        var id = _nextSetId++;
        SetMessage.WriteNew(_wire, chain.Namespace, chain.Table, set, id);
        _subjects.Add(chain.Key);
        var schema = set.Schema with { Table = chain.Table };
        for (var done = 0; done < set.Elements.Count;)
        {
            var start = _wire.LengthBytes;
            using (ElementMessage.Open(_wire, NftMessage.NewElement, schema, set.KernelName, id))
            using (ElementMessage.OpenList(_wire))
            {
                while (done < set.Elements.Count && _wire.LengthBytes - start < ElementMessage.ListBytes)
                {
                    ElementMessage.WriteElement(_wire, schema, set.Elements[done++], comment: null, deletes: false);
                }
            }
            _subjects.Add(chain.Key);
        }
        _expressions.AnonymousIds.Enqueue(id);
    }

    private EntryKey? Subject(NetlinkError error)
    {
        if (error.OffsetBytes is { } offset && _elements.TryGetValue(error.Index, out var places))
        {
            var at = places.FindLastIndex(place => place.OffsetBytes <= offset);
            return at >= 0 ? places[at].Key : null;
        }
        return error.Index < _subjects.Count ? _subjects[error.Index] : null;
    }
}
