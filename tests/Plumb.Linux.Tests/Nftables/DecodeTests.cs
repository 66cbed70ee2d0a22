using Plumb.Linux.Netlink;
using Plumb.Linux.Nftables;
using Plumb.Linux.Nftables.Wire;

namespace Plumb.Linux.Tests.Nftables;

/// <summary>The kernel's own messages about a large ruleset, whole, cut and damaged.</summary>
public sealed class DecodeTests
{
    public static TheoryData<string> Files() => WitnessTests.Files();

    [Theory]
    [MemberData(nameof(Files))]
    public void A_message_cut_within_an_attribute_gives_the_typed_exception(string file)
    {
        foreach (var payload in Captured(file))
        {
            var boundaries = Boundaries(payload);
            for (var length = 0; length < payload.Length; length++)
            {
                var bytes = payload.AsSpan(0, length).ToArray();
                if (boundaries.Contains(length))
                {
                    ReadOrRefuse(bytes); // nothing tells that more should follow, unless what is missing is needed
                }
                else
                {
                    Assert.Throws<NetlinkDecodeException>(() => ReadEvery(bytes));
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void A_damaged_message_is_read_or_gives_the_typed_exception(string file)
    {
        var random = new Random(1);
        foreach (var payload in Captured(file))
        {
            for (var i = 0; i < 50; i++)
            {
                var bytes = (byte[])payload.Clone();
                for (var n = random.Next(1, 4); n > 0; n--)
                {
                    bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
                }
                ReadOrRefuse(bytes);
            }
        }
    }

    private static void ReadOrRefuse(byte[] payload)
    {
        try
        {
            ReadEvery(payload);
        }
        catch (NetlinkDecodeException)
        {
            // The one exception that a parser may throw.
        }
    }

    // The first byte of a captured payload says by which parser; it stands before the message's own bytes.
    private static void ReadEvery(byte[] payload)
    {
        if (payload.Length == 0)
        {
            throw new NetlinkDecodeException("struct nfgenmsg", "is missing", payload);
        }
        var message = new NetlinkMessage(0, NetlinkFlags.None, 0, 0, payload.AsSpan(1));
        switch ((NftMessage)payload[0])
        {
            case NftMessage.GetTable:
                TableMessage.Read(message, NftNamespace.Id);
                break;
            case NftMessage.GetChain:
                ChainMessage.Read(message, NftNamespace.Id);
                break;
            case NftMessage.GetRule:
                RuleMessage.Read(message);
                break;
            case NftMessage.GetSet:
                SetMessage.Read(message, NftNamespace.Id);
                break;
            case NftMessage.GetObject:
                ObjectMessage.Read(message, NftNamespace.Id);
                break;
            default:
                ElementMessage.Read(message);
                break;
        }
    }

    private static List<byte[]> Captured(string file)
    {
        using var space = new NftNamespace();
        Assert.Equal("", space.Load(File.ReadAllText(WitnessTests.PathOf(file))));
        var captured = new List<byte[]>();
        foreach (var request in (NftMessage[])[NftMessage.GetTable, NftMessage.GetChain, NftMessage.GetRule, NftMessage.GetSet, NftMessage.GetObject])
        {
            using var wire = new NetlinkWriter();
            using (NftWire.Open(wire, request, 0, NetlinkFlags.Dump))
            {
            }
            captured.AddRange(space.Socket.Dump<byte[]>(wire, message => [(byte)request, .. message.Payload]).Take(60));
        }
        foreach (var set in space.Observe().Select(static observed => observed.Entry).OfType<SetEntry>())
        {
            using var wire = new NetlinkWriter();
            ElementMessage.WriteGet(wire, set.Schema);
            captured.AddRange(space.Socket.Dump<byte[]>(wire, static message => [(byte)NftMessage.GetElement, .. message.Payload]));
        }
        Assert.NotEmpty(captured);
        return captured;
    }

    // Lengths at which a cut falls between two attributes, or only takes padding.
    private static HashSet<int> Boundaries(byte[] payload)
    {
        var boundaries = new HashSet<int> { 1 + NetfilterHeader.Bytes };
        for (var at = 1 + NetfilterHeader.Bytes; at + 4 <= payload.Length;)
        {
            var length = BitConverter.ToUInt16(payload, at);
            for (var end = at + length; end <= at + ((length + 3) & ~3); end++)
            {
                boundaries.Add(end);
            }
            at += (length + 3) & ~3;
        }
        return boundaries;
    }
}
