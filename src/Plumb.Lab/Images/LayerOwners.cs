using System.Globalization;
using System.Text;
using Plumb.Linux.Containers;

namespace Plumb.Lab.Images;

/// <summary>
/// Whose an unpacked image's files are, in a file beside them: who unpacks an image can give nothing away. A record is `uid:gid path`, ended by a zero byte, as names hold
/// all else.
/// </summary>
internal static class LayerOwners
{
    public static void Write(string file, IEnumerable<FileOwner> owners)
    {
        var text = new StringBuilder();
        foreach (var owner in owners)
        {
            text.Append(CultureInfo.InvariantCulture, $"{owner.User}:{owner.Group} {owner.Path}\0");
        }
        File.WriteAllText(file, text.ToString());
    }

    public static IReadOnlyList<FileOwner> Read(string file)
    {
        var owners = new List<FileOwner>();
        foreach (var record in File.ReadAllText(file).Split('\0', StringSplitOptions.RemoveEmptyEntries))
        {
            var (colon, space) = (record.IndexOf(':', StringComparison.Ordinal), record.IndexOf(' ', StringComparison.Ordinal));
            owners.Add(new FileOwner(
                record[(space + 1)..],
                uint.Parse(record.AsSpan(0, colon), CultureInfo.InvariantCulture),
                uint.Parse(record.AsSpan(colon + 1, space - colon - 1), CultureInfo.InvariantCulture)));
        }
        return owners;
    }
}
