using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace Plumb.Lab.Tests.Images;

/// <summary>Archives as `docker save` writes them, with layers that no tool would make.</summary>
internal static class HandMade
{
    public static byte[] Layer(params TarEntry[] entries)
    {
        using var bytes = new MemoryStream();
        using (var tar = new TarWriter(bytes, TarEntryFormat.Pax, leaveOpen: true))
        {
            foreach (var entry in entries)
            {
                tar.WriteEntry(entry);
            }
        }
        return bytes.ToArray();
    }

    public static TarEntry Text(string name, string text, UnixFileMode mode = (UnixFileMode)0x1a4) =>
        new PaxTarEntry(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(Encoding.UTF8.GetBytes(text)), Mode = mode };

    public static TarEntry Folder(string name) => new PaxTarEntry(TarEntryType.Directory, name) { Mode = (UnixFileMode)0x1ed };

    public static TarEntry Link(string name, string target, TarEntryType type = TarEntryType.SymbolicLink) => new PaxTarEntry(type, name) { LinkName = target };

    public static TarEntry Device(string name) => new PaxTarEntry(TarEntryType.CharacterDevice, name) { DeviceMajor = 1, DeviceMinor = 3 };

    public static TarEntry Of(int owner, TarEntry entry)
    {
        (entry.Uid, entry.Gid) = (owner, owner + 1);
        return entry;
    }

    public static byte[] Zip(byte[] layer)
    {
        using var bytes = new MemoryStream();
        using (var zip = new GZipStream(bytes, CompressionLevel.Fastest, leaveOpen: true))
        {
            zip.Write(layer);
        }
        return bytes.ToArray();
    }

    /// <param name="change">Done to each layer after its digest was written down.</param>
    public static string Docker(string path, Func<byte[], byte[]>? change, params byte[][] layers)
    {
        var configuration = Encoding.UTF8.GetBytes(new JsonObject
        {
            ["config"] = new JsonObject { ["Cmd"] = new JsonArray("/bin/true") },
            ["rootfs"] = new JsonObject { ["diff_ids"] = new JsonArray([.. layers.Select(static layer => (JsonNode)("sha256:" + Convert.ToHexStringLower(SHA256.HashData(layer))))]) },
        }.ToJsonString());
        using var file = System.IO.File.Create(path);
        using var tar = new TarWriter(file);
        Add("config.json", configuration);
        for (var i = 0; i < layers.Length; i++)
        {
            Add($"{i}/layer.tar", change?.Invoke(layers[i]) ?? layers[i]);
        }
        Add("manifest.json", Encoding.UTF8.GetBytes(new JsonArray(new JsonObject
        {
            ["Config"] = "config.json", ["Layers"] = new JsonArray([.. Enumerable.Range(0, layers.Length).Select(static i => (JsonNode)$"{i}/layer.tar")]),
        }).ToJsonString()));
        return path;

        void Add(string name, byte[] content) => tar.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(content) });
    }
}
