using Plumb.Linux.Native;
using Plumb.Linux.Netlink;
using Plumb.Linux.State;

namespace Plumb.Linux.Kernel;

/// <summary>Messages for one namespace, each belonging to a change, sent together; refusals find their way back to the change.</summary>
internal sealed class RtnetlinkBatch(KernelNamespace kernel, IWriteSeam seam, List<Refusal> refusals) : IDisposable
{
    private const int FlushBytes = 128 << 10; // below any send buffer

    private readonly NetlinkWriter _writer = new(4096);
    private readonly List<DeltaItem> _owners = [];
    private readonly List<Errno> _tolerated = [];
    private IReadOnlyList<DeltaItem> _together = []; // the changes of a message that belongs to several
    private readonly HashSet<DeltaItem> _refused = new(ReferenceEqualityComparer.Instance);

    /// <summary>Also says that a thing which is to be removed is not there: that is what was wanted.</summary>
    public bool ToleratesMissing { get; init; }

    /// <summary>Where to write the next message, which belongs to <paramref name="item"/>.</summary>
    /// <param name="tolerated">A refusal that leaves things as they are wanted.</param>
    public NetlinkWriter For(DeltaItem item, Errno tolerated = Errno.None)
    {
        if (_writer.LengthBytes > Math.Min(FlushBytes, kernel.Route.MaxBatchBytes / 2))
        {
            Send();
        }
        _owners.Add(item);
        _tolerated.Add(tolerated);
        return _writer;
    }

    /// <summary>Where to write a message that makes several changes: what refuses it refuses them all. The last one of the batch.</summary>
    public NetlinkWriter ForAll(IReadOnlyList<DeltaItem> items)
    {
        var writer = For(items[0]);
        _together = items;
        return writer;
    }

    /// <summary>Names a change that cannot be sent at all.</summary>
    public void Refuse(DeltaItem item, string reason)
    {
        if (_refused.Add(item))
        {
            refusals.Add(new Refusal(item, reason));
        }
    }

    public void Send() => Send(batch => kernel.Route.TryExecute(batch));

    /// <summary>Sends what deletes links, and waits until the kernel tells that they are gone.</summary>
    public void SendUntilGone(HashSet<int> indexes) => Send(batch => LinkRemoval.Execute(kernel, batch, indexes));

    private void Send(Func<NetlinkWriter, IReadOnlyList<NetlinkError>> execute)
    {
        if (_writer.IsEmpty)
        {
            return;
        }
        seam.BeforeWrite(_owners.Count == 1 ? _owners[0].Key.ToString() : $"{kernel.Id}: {_owners.Count} rtnetlink messages, {_owners[0].Key} first");
        foreach (var error in execute(_writer))
        {
            if (error.Errno != _tolerated[error.Index] && !(ToleratesMissing && IsMissing(error.Errno)))
            {
                var last = error.Index == _owners.Count - 1;
                foreach (var item in last && _together.Count != 0 ? _together : [_owners[error.Index]])
                {
                    Refuse(item, error.ToString());
                }
            }
        }
        _writer.Clear();
        _owners.Clear();
        _tolerated.Clear();
        _together = [];
    }

    public void Dispose() => _writer.Dispose();

    private static bool IsMissing(Errno errno) => errno is Errno.ENOENT or Errno.ESRCH or Errno.ENODEV or Errno.EADDRNOTAVAIL or Errno.ENXIO;
}
