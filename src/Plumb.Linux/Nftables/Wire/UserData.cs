using System.Text;
using Plumb.Linux.Netlink;

namespace Plumb.Linux.Nftables.Wire;

/// <summary>
/// The bytes that the kernel keeps for user space, in the form that nft gives them: one byte of type, one of length, the value. They
/// hold comments, so that <c>nft list</c> shows what Plumb writes.
/// </summary>
internal static class UserData
{
    public const byte CommentOfSet = 7; // NFTNL_UDATA_SET_COMMENT
    public const byte CommentOfOthers = 0; // NFTNL_UDATA_{TABLE,CHAIN,RULE,SET_ELEM,OBJ}_COMMENT

    private const int MostBytes = 128;

    /// <summary>A comment cut to what nft can print: 127 bytes and the closing NUL.</summary>
    public static void WriteComment(NetlinkWriter wire, ushort attribute, string? comment)
    {
        if (comment is null)
        {
            return;
        }
        Span<byte> bytes = stackalloc byte[MostBytes + 2];
        wire.Bytes(attribute, bytes[..PutComment(bytes, CommentOfOthers, comment)]);
    }

    /// <summary>Writes one comment item and returns its length.</summary>
    public static int PutComment(Span<byte> into, byte type, string comment)
    {
        var text = comment.AsSpan();
        while (Encoding.UTF8.GetByteCount(text) > MostBytes - 1)
        {
            text = text[..^1];
        }
        var length = Encoding.UTF8.GetBytes(text, into[2..]);
        into[0] = type;
        into[1] = (byte)(length + 1);
        into[length + 2] = 0;
        return length + 3;
    }

    /// <summary>The comment inside, or null; bytes in another form than nft's are no comment and no error.</summary>
    public static string? Comment(ReadOnlySpan<byte> data, byte type)
    {
        var value = Find(data, type);
        if (value.IsEmpty)
        {
            return null;
        }
        var end = value.IndexOf((byte)0);
        return Encoding.UTF8.GetString(end < 0 ? value : value[..end]);
    }

    /// <summary>The value of the first item of a type; empty when there is none.</summary>
    public static ReadOnlySpan<byte> Find(ReadOnlySpan<byte> data, byte type)
    {
        while (data.Length >= 2)
        {
            var length = data[1];
            if (length > data.Length - 2)
            {
                break;
            }
            if (data[0] == type)
            {
                return data.Slice(2, length);
            }
            data = data[(length + 2)..];
        }
        return [];
    }
}
