namespace Plumb.Agent.Storage;

internal static class FileContents
{
    private const int BlockBytes = 1 << 16;

    /// <summary>Whether two files hold the same bytes; read in blocks, as an executable has millions of them.</summary>
    public static bool AreSame(string path, string other)
    {
        using var one = File.OpenHandle(path);
        using var two = File.OpenHandle(other);
        var length = RandomAccess.GetLength(one);
        if (length != RandomAccess.GetLength(two))
        {
            return false;
        }
        byte[] ones = new byte[BlockBytes], twos = new byte[BlockBytes];
        for (long at = 0; at < length;)
        {
            var read = RandomAccess.Read(one, ones, at);
            if (read == 0 || !ones.AsSpan(0, read).SequenceEqual(Read(two, twos.AsSpan(0, read), at)))
            {
                return false;
            }
            at += read;
        }
        return true;
    }

    private static Span<byte> Read(Microsoft.Win32.SafeHandles.SafeFileHandle file, Span<byte> to, long at)
    {
        var read = 0;
        while (read < to.Length && RandomAccess.Read(file, to[read..], at + read) is var more and > 0)
        {
            read += more;
        }
        return to[..read];
    }
}
