namespace Plumb.Linux.Netlink;

/// <summary>
/// Bytes from the kernel (or from a file) that do not have the form they should: too short, or of the wrong length. No other
/// exception leaves a parser, whatever it is given.
/// </summary>
public sealed class NetlinkDecodeException : FormatException
{
    private const int BytesShown = 32;

    public NetlinkDecodeException(string what, string problem, ReadOnlySpan<byte> bytes)
        : base($"{what}: {problem} [{Hex(bytes)}]") => What = what;

    /// <summary>The attribute or header by its kernel name (<c>IFLA_MTU</c>, <c>struct ifinfomsg</c>).</summary>
    public string What { get; }

    private static string Hex(ReadOnlySpan<byte> bytes) =>
        bytes.Length <= BytesShown
            ? Convert.ToHexStringLower(bytes)
            : $"{Convert.ToHexStringLower(bytes[..BytesShown])}… {bytes.Length} bytes";
}
