using System.Text.Json;

namespace Plumb.Lab.Images;

/// <summary>An image that containers can run from.</summary>
/// <param name="Digest">`sha256:…`; empty for a directory that is a root file system and no more.</param>
/// <param name="Root">The root directory.</param>
public sealed record Image(string Digest, string Root, ImageConfiguration Configuration)
{
    /// <summary>A file that says whose the image's files are; null: they are whose they are.</summary>
    public string? Owners { get; init; }
}

/// <summary>Unpacked images in the user's cache. Each is a directory, made as a whole or not at all; names are links to them.</summary>
public sealed class ImageStore(string directory)
{
    private const string RootName = "rootfs";
    private const string ConfigurationName = "config.json";
    private const string OwnersName = "owners";
    private const string Left = ".left";

    /// <summary>`$XDG_CACHE_HOME/plumb/images`, else `~/.cache/plumb/images`, else one in the directory for temporary files.</summary>
    public static ImageStore OfUser()
    {
        var cache = Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } set && Path.IsPathRooted(set) ? set
            : Environment.GetEnvironmentVariable("HOME") is { Length: > 1 } home && Directory.Exists(home) ? Path.Combine(home, ".cache")
            : Path.Combine(Path.GetTempPath(), $"plumb-cache-{Environment.UserName}");
        return new ImageStore(Path.Combine(cache, "plumb", "images"));
    }

    /// <summary>Makes what is at a path usable. A root file system is used where it is; anything else is unpacked, once.</summary>
    /// <param name="source">A root file system, an OCI layout, or an archive of an OCI layout or of `docker save`.</param>
    /// <returns>The image's directory: <see cref="Load"/> reads it.</returns>
    /// <exception cref="ImageException">It is none of these.</exception>
    public string Take(string source, out int skipped)
    {
        skipped = 0;
        source = Path.GetFullPath(source);
        if (Directory.Exists(source))
        {
            return ImageArchive.IsLayout(source) ? Unpack(ImageArchive.Open(source, source), source, out skipped) : source;
        }
        if (!File.Exists(source))
        {
            throw new ImageException($"there is no folder or archive '{source}'");
        }
        Directory.CreateDirectory(directory);
        var temporary = Directory.CreateDirectory(Path.Combine(directory, $".archive-{Guid.NewGuid():N}")).FullName;
        try
        {
            ImageArchive.Extract(source, temporary);
            return Unpack(ImageArchive.Open(temporary, source), source, out skipped);
        }
        finally
        {
            Directory.Delete(temporary, recursive: true);
        }
    }

    /// <summary>Keeps an image under a name, for labs to come.</summary>
    public void Name(string name, string image)
    {
        Directory.CreateDirectory(NamesPath);
        var link = Path.Combine(NamesPath, Uri.EscapeDataString(name));
        var before = new FileInfo(link).LinkTarget;
        File.Delete(link);
        File.CreateSymbolicLink(link, image);
        if (before is not null)
        {
            Leave(before);
        }
        Sweep();
    }

    /// <returns>False: there is none of this name.</returns>
    /// <exception cref="ImageException">A lab runs containers from it.</exception>
    public bool Forget(string name)
    {
        var link = Path.Combine(NamesPath, Uri.EscapeDataString(name));
        if (new FileInfo(link).LinkTarget is not { } image)
        {
            return false;
        }
        if (IsHeld(image) && Named().Count(one => one.Path == image) == 1)
        {
            throw new ImageException($"a lab uses the image {name}; end that first (plumb down)");
        }
        File.Delete(link);
        Leave(image);
        Sweep();
        return true;
    }

    /// <summary>Keeps an image's files where they are until this is disposed of, or the process ends.</summary>
    public static IDisposable? Hold(string image) =>
        // The kernel's own note that somebody reads there (flock(2), LOCK_SH): it cannot be left behind.
        File.Exists(Path.Combine(image, ConfigurationName)) ? new FileStream(Path.Combine(image, ConfigurationName), FileMode.Open, FileAccess.Read, FileShare.Read) : null;

    public IReadOnlyList<(string Name, string Path)> Named()
    {
        if (!Directory.Exists(NamesPath))
        {
            return [];
        }
        var named = new List<(string, string)>();
        foreach (var link in Directory.GetFileSystemEntries(NamesPath).Order(StringComparer.Ordinal))
        {
            if (new FileInfo(link).LinkTarget is { } image && Directory.Exists(image))
            {
                named.Add((Uri.UnescapeDataString(Path.GetFileName(link)), image));
            }
        }
        return named;
    }

    /// <param name="image">What <see cref="Take"/> gave.</param>
    /// <exception cref="ImageException">It is not there any more.</exception>
    public static Image Load(string image)
    {
        var root = Path.Combine(image, RootName);
        var configuration = Path.Combine(image, ConfigurationName);
        return !Directory.Exists(image) ? throw new ImageException($"the image's directory {image} is gone")
            : Directory.Exists(root) && File.Exists(configuration)
                ? new Image("sha256:" + Path.GetFileName(image), root, ImageConfiguration.Read(File.ReadAllBytes(configuration), image)) { Owners = Path.Combine(image, OwnersName) is var owners && File.Exists(owners) ? owners : null }
                : new Image("", image, new ImageConfiguration());
    }

    private string NamesPath => Path.Combine(directory, "names");

    /// <summary>Nobody calls it by a name any more.</summary>
    private void Leave(string image)
    {
        if (image.StartsWith(directory + "/", StringComparison.Ordinal) && Directory.Exists(image))
        {
            File.WriteAllBytes(image + Left, []);
        }
    }

    /// <summary>Removes those that were left and that no lab uses: some had to wait for one.</summary>
    private void Sweep()
    {
        var named = Named();
        foreach (var left in Directory.GetFiles(directory, "*" + Left))
        {
            var image = left[..^Left.Length];
            if (named.Any(one => one.Path == image))
            {
                File.Delete(left);
            }
            else if (!IsHeld(image))
            {
                if (Directory.Exists(image))
                {
                    Directory.Delete(image, recursive: true);
                }
                File.Delete(left);
            }
        }
    }

    private static bool IsHeld(string image)
    {
        var configuration = Path.Combine(image, ConfigurationName);
        if (!File.Exists(configuration))
        {
            return false;
        }
        try
        {
            using var alone = new FileStream(configuration, FileMode.Open, FileAccess.Read, FileShare.None);
            return false;
        }
        catch (IOException)
        {
            return true;
        }
    }

    private string Unpack(ImageArchive archive, string where, out int skipped)
    {
        skipped = 0;
        var place = Path.Combine(directory, archive.Digest["sha256:".Length..]);
        if (Directory.Exists(place))
        {
            File.Delete(place + Left);
            return place;
        }
        var configuration = ImageConfiguration.Read(archive.Configuration, where);
        if (configuration.LayerDigests.Count != archive.Layers.Count)
        {
            throw new ImageException($"{where}: {archive.Layers.Count} layers, and {configuration.LayerDigests.Count} in the image's configuration");
        }
        Directory.CreateDirectory(directory);
        var temporary = Directory.CreateDirectory(Path.Combine(directory, $".image-{Guid.NewGuid():N}")).FullName;
        try
        {
            var root = Directory.CreateDirectory(Path.Combine(temporary, RootName)).FullName;
            var tree = new RootTree(root);
            for (var i = 0; i < archive.Layers.Count; i++)
            {
                using var layer = File.OpenRead(archive.Layers[i]);
                LayerStream.Unpack(layer, configuration.LayerDigests[i], tree, $"{where}: layer {i + 1}");
            }
            tree.Finish();
            skipped = tree.Skipped;
            LayerOwners.Write(Path.Combine(temporary, OwnersName), tree.Owners);
            File.WriteAllBytes(Path.Combine(temporary, ConfigurationName), archive.Configuration);
            Directory.Move(temporary, place);
            return place;
        }
        catch (IOException) when (Directory.Exists(place))
        {
            // Another command has unpacked the same one meanwhile.
            return place;
        }
        finally
        {
            if (Directory.Exists(temporary))
            {
                Directory.Delete(temporary, recursive: true);
            }
        }
    }
}
