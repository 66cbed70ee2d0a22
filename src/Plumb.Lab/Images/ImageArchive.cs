using System.Formats.Tar;
using System.Security.Cryptography;
using System.Text.Json;

namespace Plumb.Lab.Images;

/// <summary>An image as other tools write it, in a directory: OCI's image layout, or what was in an archive of `docker save`.</summary>
/// <param name="Layers">Files with layers, the lowest first.</param>
internal sealed record ImageArchive(byte[] Configuration, IReadOnlyList<string> Layers)
{
    private const int MostIndexes = 8;

    /// <summary>The image's identity: the digest of its configuration, which names its layers.</summary>
    public string Digest => "sha256:" + Convert.ToHexStringLower(SHA256.HashData(Configuration));

    public static bool IsLayout(string directory) => File.Exists(Path.Combine(directory, "oci-layout")) || File.Exists(Path.Combine(directory, "index.json"));

    /// <summary>Takes the files out of an archive that holds a layout or a docker image. They are plain files; anything else in there is passed over.</summary>
    /// <exception cref="ImageException">It is no such archive.</exception>
    public static void Extract(string archive, string directory)
    {
        try
        {
            using var file = File.OpenRead(archive);
            using var plain = file.ReadByte() == 0x1f && file.ReadByte() == 0x8b ? new System.IO.Compression.GZipStream(file, System.IO.Compression.CompressionMode.Decompress) : (Stream)file;
            file.Seek(0, SeekOrigin.Begin);
            using var tar = new TarReader(plain);
            while (tar.GetNextEntry() is { } entry)
            {
                var names = entry.Name.Split('/', StringSplitOptions.RemoveEmptyEntries).Where(static name => name != ".").ToArray();
                if (names.Contains(".."))
                {
                    throw new ImageException($"{archive}: the entry '{entry.Name}' leads out of the archive; it is not unpacked");
                }
                var place = Path.Combine([directory, .. names]);
                if (entry.EntryType is TarEntryType.RegularFile or TarEntryType.V7RegularFile)
                {
                    Directory.CreateDirectory(Path.GetDirectoryName(place)!);
                    using var content = File.Create(place);
                    entry.DataStream?.CopyTo(content);
                }
                else if (entry.EntryType is TarEntryType.SymbolicLink or TarEntryType.HardLink)
                {
                    Alias(directory, place, entry);
                }
            }
        }
        catch (Exception broken) when (broken is EndOfStreamException or InvalidDataException or FormatException)
        {
            throw new ImageException($"{archive} is cut off or no tar archive: {broken.Message}", broken);
        }
    }

    /// <exception cref="ImageException">What should be there is missing or damaged.</exception>
    public static ImageArchive Open(string directory, string where)
    {
        try
        {
            return File.Exists(Path.Combine(directory, "manifest.json")) && !IsLayout(directory) ? Docker(directory, where)
                : File.Exists(Path.Combine(directory, "index.json")) ? Layout(directory, where)
                : throw new ImageException($"{where} holds no image: neither index.json of an OCI layout nor manifest.json of `docker save` is in it");
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            throw new ImageException($"{where}: its index is not what it should be: {broken.Message}", broken);
        }
    }

    /// <summary>Old archives name equal layers by links to one of them.</summary>
    private static void Alias(string directory, string place, TarEntry entry)
    {
        var target = Path.GetFullPath(entry.EntryType == TarEntryType.HardLink ? Path.Combine(directory, entry.LinkName) : Path.Combine(Path.GetDirectoryName(place)!, entry.LinkName));
        if (!target.StartsWith(directory + "/", StringComparison.Ordinal))
        {
            throw new ImageException($"the entry '{entry.Name}' links to '{entry.LinkName}', out of the archive; it is not unpacked");
        }
        if (File.Exists(target))
        {
            Directory.CreateDirectory(Path.GetDirectoryName(place)!);
            File.Copy(target, place, overwrite: true);
        }
    }

    private static ImageArchive Docker(string directory, string where)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(directory, "manifest.json")));
        var image = document.RootElement.EnumerateArray().First();
        return new ImageArchive(
            File.ReadAllBytes(FileOf(directory, image.GetProperty("Config").GetString()!, where)),
            [.. image.GetProperty(nameof(Layers)).EnumerateArray().Select(layer => FileOf(directory, layer.GetString()!, where))]);
    }

    private static ImageArchive Layout(string directory, string where)
    {
        var index = File.ReadAllBytes(Path.Combine(directory, "index.json"));
        for (var depth = 0; depth < MostIndexes; depth++)
        {
            using var document = JsonDocument.Parse(index);
            if (!document.RootElement.TryGetProperty("manifests", out var manifests))
            {
                var root = document.RootElement;
                return new ImageArchive(
                    Blob(directory, root.GetProperty("config"), where),
                    [.. root.GetProperty("layers").EnumerateArray().Select(layer => BlobPath(directory, layer.GetProperty("digest").GetString()!, where))]);
            }
            index = Blob(directory, Choose(manifests, where), where);
        }
        throw new ImageException($"{where}: its indexes lead to indexes without end");
    }

    /// <summary>The image for this machine; one that says nothing of machines is for all.</summary>
    private static JsonElement Choose(JsonElement manifests, string where)
    {
        var architecture = System.Runtime.InteropServices.RuntimeInformation.OSArchitecture is System.Runtime.InteropServices.Architecture.Arm64 ? "arm64" : "amd64";
        JsonElement? found = null;
        var others = new List<string>();
        foreach (var manifest in manifests.EnumerateArray())
        {
            if (!manifest.TryGetProperty("platform", out var platform))
            {
                found ??= manifest;
            }
            else if (platform.GetProperty("architecture").GetString() == architecture && platform.GetProperty("os").GetString() == "linux")
            {
                return manifest;
            }
            else
            {
                others.Add(platform.GetProperty("architecture").GetString() ?? "");
            }
        }
        return found ?? throw new ImageException($"{where} holds no image for linux/{architecture}{(others.Count > 0 ? $", only for {string.Join(", ", others)}" : "")}");
    }

    private static byte[] Blob(string directory, JsonElement descriptor, string where)
    {
        var digest = descriptor.GetProperty("digest").GetString()!;
        var content = File.ReadAllBytes(BlobPath(directory, digest, where));
        var found = "sha256:" + Convert.ToHexStringLower(SHA256.HashData(content));
        return found == digest ? content : throw new ImageException($"{where} is damaged: the digest of {digest} is {found}");
    }

    private static string BlobPath(string directory, string digest, string where) =>
        digest.Split(':') is ["sha256", { Length: 64 } hash] && hash.All(char.IsAsciiHexDigitLower)
            ? FileOf(directory, $"blobs/sha256/{hash}", where)
            : throw new ImageException($"{where}: '{digest}' is no digest of SHA-256");

    private static string FileOf(string directory, string name, string where)
    {
        var place = Path.GetFullPath(Path.Combine(directory, name));
        return !place.StartsWith(directory + "/", StringComparison.Ordinal) ? throw new ImageException($"{where}: '{name}' leads out of it")
            : File.Exists(place) ? place
            : throw new ImageException($"{where} is not whole: '{name}' is missing");
    }
}
