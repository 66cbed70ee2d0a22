using System.Globalization;
using Plumb.Linux.Containers;
using Plumb.Linux.Native;

namespace Plumb.Lab.Images;

/// <summary>From the words of an image or a container to ids, with the image's own /etc/passwd and /etc/group.</summary>
internal static class ImageUser
{
    /// <param name="root">Null: there is no image, hence nobody has a name.</param>
    /// <param name="user">`user`, `uid`, `user:group`, `uid:gid`; empty: root.</param>
    /// <returns>Null: the image knows no user or group of this name.</returns>
    public static ContainerUser? Find(string? root, string user)
    {
        var parts = user.Split(':', 2);
        if (parts[0].Length == 0)
        {
            return ContainerUser.Root;
        }
        var (id, group) = (Number(parts[0]), 0u);
        foreach (var line in Lines(root, "etc/passwd"))
        {
            // name:password:uid:gid:…
            if (line.Length > 3 && (line[0] == parts[0] || line[2] == parts[0]))
            {
                id ??= Number(line[2]);
                group = Number(line[3]) ?? 0;
                break;
            }
        }
        if (id is null)
        {
            return null;
        }
        if (parts.Length == 2)
        {
            var named = Number(parts[1]) ?? Lines(root, "etc/group").Where(line => line.Length > 2 && line[0] == parts[1]).Select(static line => Number(line[2])).FirstOrDefault();
            if (named is not { } found)
            {
                return null;
            }
            group = found;
        }
        return new ContainerUser(id.Value, group, []);
    }

    /// <summary>A user's home, as login(1) would have it; `/` for one that the image does not know.</summary>
    public static string Home(string root, uint user)
    {
        var id = user.ToString(CultureInfo.InvariantCulture);
        return Lines(root, "etc/passwd").Where(line => line.Length > 5 && line[2] == id).Select(static line => line[5]).FirstOrDefault() ?? (user == 0 ? "/root" : "/");
    }

    private static IEnumerable<string[]> Lines(string? root, string name)
    {
        if (root is null)
        {
            return [];
        }
        try
        {
            // A link of the image's leads to a file of the image's.
            using var tree = new TreeWalk(root);
            return tree.Find(name) is { } file && FileStatus.TryOfLink(file)?.Type == FileType.Regular ? [.. File.ReadLines(file).Select(static line => line.Split(':'))] : [];
        }
        catch (SystemCallException circle) when (circle.Errno == Errno.ELOOP)
        {
            return [];
        }
    }

    private static uint? Number(string text) => uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
}
