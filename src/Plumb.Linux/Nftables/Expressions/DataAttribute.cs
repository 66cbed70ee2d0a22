using Plumb.Linux.Netlink;

namespace Plumb.Linux.Nftables.Expressions;

/// <summary>The attribute in which nf_tables carries a constant: bytes (NFTA_DATA_VALUE) or a verdict (NFTA_DATA_VERDICT).</summary>
internal static class DataAttribute
{
    private const ushort NFTA_DATA_VALUE = 1;
    private const ushort NFTA_DATA_VERDICT = 2;
    private const ushort NFTA_VERDICT_CODE = 1;
    private const ushort NFTA_VERDICT_CHAIN = 2;

    public static void Write(NetlinkWriter wire, ushort type, ReadOnlySpan<byte> value)
    {
        using (wire.Nest(type))
        {
            wire.Bytes(NFTA_DATA_VALUE, value);
        }
    }

    public static void Write(NetlinkWriter wire, ushort type, Verdict verdict)
    {
        using (wire.Nest(type))
        using (wire.Nest(NFTA_DATA_VERDICT))
        {
            wire.U32BigEndian(NFTA_VERDICT_CODE, (uint)(int)verdict.Code);
            if (verdict.Chain is { } chain)
            {
                wire.Text(NFTA_VERDICT_CHAIN, chain);
            }
        }
    }

    /// <exception cref="NetlinkDecodeException">Neither a value nor a verdict is inside.</exception>
    public static (Octets Value, Verdict? Verdict) Read(NetlinkAttribute attribute, string name)
    {
        foreach (var inner in attribute.Nested(name))
        {
            switch (inner.Type)
            {
                case NFTA_DATA_VALUE:
                    return (new Octets(inner.Value), null);
                case NFTA_DATA_VERDICT:
                    return (default, ReadVerdict(inner));
                default:
                    break;
            }
        }
        throw new NetlinkDecodeException(name, "holds neither NFTA_DATA_VALUE nor NFTA_DATA_VERDICT", attribute.Value);
    }

    public static Octets ReadValue(NetlinkAttribute attribute, string name)
    {
        var (value, verdict) = Read(attribute, name);
        return verdict is null ? value : throw new NetlinkDecodeException(name, "holds a verdict instead of a value", attribute.Value);
    }

    public static Verdict ReadVerdict(NetlinkAttribute attribute)
    {
        VerdictCode? code = null;
        string? chain = null;
        foreach (var inner in attribute.Nested("NFTA_DATA_VERDICT"))
        {
            switch (inner.Type)
            {
                case NFTA_VERDICT_CODE:
                    code = (VerdictCode)(int)inner.U32BigEndian("NFTA_VERDICT_CODE");
                    break;
                case NFTA_VERDICT_CHAIN:
                    chain = inner.Text("NFTA_VERDICT_CHAIN");
                    break;
                default:
                    break;
            }
        }
        return code is { } known
            ? new Verdict(known, chain)
            : throw new NetlinkDecodeException("NFTA_VERDICT_CODE", "is missing", attribute.Value);
    }
}
