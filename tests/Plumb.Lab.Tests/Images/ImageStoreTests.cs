using System.Diagnostics;
using System.Formats.Tar;
using Plumb.Lab.Images;
using static Plumb.Lab.Tests.Images.HandMade;

namespace Plumb.Lab.Tests.Images;

public sealed class ImageStoreTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("plumb-images-").FullName;
    private readonly ImageStore _store;

    public ImageStoreTests() => _store = new ImageStore(Path.Combine(_directory, "cache"));

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void Layouts_and_archives_of_other_tools_are_the_same_image()
    {
        var layout = BusyBox(_directory);
        Run("skopeo", "copy", "-q", $"oci:{layout}:test", $"docker-archive:{_directory}/docker.tar:busybox:test");
        Run("skopeo", "copy", "-q", $"oci:{layout}:test", $"oci-archive:{_directory}/oci.tar:busybox:test");
        var paths = new[] { layout, $"{_directory}/docker.tar", $"{_directory}/oci.tar" }.Select(path => _store.Take(path, out _)).ToArray();
        Assert.Equal(paths[0], paths[2]);
        foreach (var path in paths)
        {
            var image = ImageStore.Load(path);
            Assert.Equal(["/bin/sh", "-c"], image.Configuration.Entrypoint);
            Assert.Equal(["echo $GREETING from $(pwd)"], image.Configuration.Command);
            Assert.Contains("GREETING=hello", image.Configuration.Environment);
            Assert.Equal("/srv", image.Configuration.WorkingDirectory);
            Assert.True(File.Exists(image.Root + "/bin/busybox"));
            Assert.Equal("busybox", new FileInfo(image.Root + "/bin/sh").LinkTarget);
            // Removed by the second layer.
            Assert.False(File.Exists(image.Root + "/gone"));
        }
        _store.Name("busybox", paths[0]);
        _store.Name("other", paths[0]);
        Assert.Equal(["busybox", "other"], _store.Named().Select(static one => one.Name));
        Assert.True(_store.Forget("busybox"));
        Assert.True(Directory.Exists(paths[0]));
        Assert.True(_store.Forget("other"));
        Assert.False(Directory.Exists(paths[0]));
        Assert.False(_store.Forget("other"));
    }

    [Fact]
    public void Files_that_no_name_leads_to_any_more_go_when_no_lab_uses_them()
    {
        var (first, second) = (_store.Take(BusyBox(_directory), out _), Path.Combine(_directory, "cache", new string('f', 64)));
        Directory.CreateDirectory(second);
        File.Copy(Path.Combine(first, "config.json"), Path.Combine(second, "config.json"));
        _store.Name("shop", first);
        using (ImageStore.Hold(first))
        {
            Assert.Contains("a lab uses the image shop", Assert.Throws<ImageException>(() => _store.Forget("shop")).Message, StringComparison.Ordinal);
            _store.Name("shop", second);
            Assert.True(File.Exists(Path.Combine(first, "rootfs", "bin", "busybox")));
        }
        _store.Name("other", second);
        Assert.False(Directory.Exists(first));
        Assert.True(_store.Forget("shop"));
        Assert.True(Directory.Exists(second));
        Assert.True(_store.Forget("other"));
        Assert.Equal(["names"], Directory.GetFileSystemEntries(Path.Combine(_directory, "cache")).Select(Path.GetFileName));
    }

    [Fact]
    public void Whose_files_are_is_kept_beside_them_as_the_last_layer_says()
    {
        var image = _store.Take(
            Docker(
                Path.Combine(_directory, "owned.tar"),
                null,
                Layer(
                    Of(1000, Folder("home")), Of(1000, Text("home/taken", "")), Of(1000, Text("home/hidden", "")), Of(1000, Text("home/a b", "")), Of(5, Link("home/same", "home/a b", TarEntryType.HardLink)),
                    Folder("srv"), Of(1000, Folder("srv/gone")), Of(1000, Text("srv/gone/file", "")), Of(7, Link("etc", "srv"))),
                Layer(Text("home/taken", ""), Text("home/.wh.hidden", ""), Link("srv/gone", "/home"))),
            out _);
        Assert.Equal(
            [new("etc", 7, 8), new("home", 1000, 1001), new("home/a b", 1000, 1001), new("home/same", 1000, 1001)],
            LayerOwners.Read(ImageStore.Load(image).Owners!).OrderBy(static owner => owner.Path, StringComparer.Ordinal));
    }

    [Fact]
    public void Users_are_read_from_the_image_s_own_file_whatever_links_to_it()
    {
        var root = Directory.CreateDirectory(Path.Combine(_directory, "root")).FullName;
        Directory.CreateDirectory(root + "/etc");
        Directory.CreateDirectory(root + "/usr/lib");
        File.WriteAllText(root + "/usr/lib/passwd", "web:x:1234:99::/srv:/bin/sh\n");
        File.WriteAllText(_directory + "/outside", "web:x:4321:99::/out:/bin/sh\n");
        foreach (var (target, user) in (IEnumerable<(string, uint?)>)[("../usr/lib/passwd", 1234), ("/usr/lib/passwd", 1234), ("../../../usr/lib/passwd", 1234), (_directory + "/outside", null), ("../../outside", null), ("passwd", null)])
        {
            File.Delete(root + "/etc/passwd");
            File.CreateSymbolicLink(root + "/etc/passwd", target);
            Assert.Equal((target, user), (target, ImageUser.Find(root, "web")?.User));
        }
        Directory.Delete(root + "/etc", recursive: true);
        File.CreateSymbolicLink(root + "/etc", "..");
        File.WriteAllText(_directory + "/passwd", "web:x:4321:99::/out:/bin/sh\n");
        Assert.Null(ImageUser.Find(root, "web"));
    }

    [Fact]
    public void Whiteouts_take_away_what_lower_layers_have_and_nothing_of_their_own()
    {
        var root = Root(
            null,
            Layer(Folder("d"), Text("d/a", "1"), Text("d/b", "1"), Folder("e"), Text("e/x", "1"), Text("f", "1")),
            Layer(Text("d/.wh.a", ""), Text("e/y", "2"), Text("e/.wh..wh..opq", ""), Text(".wh.f", ""), Text("d/c", "2")));
        Assert.Equal(["b", "c"], Directory.GetFileSystemEntries(root + "/d").Select(static path => Path.GetFileName(path)).Order());
        Assert.Equal(["y"], Directory.GetFileSystemEntries(root + "/e").Select(static path => Path.GetFileName(path)));
        Assert.False(File.Exists(root + "/f"));
    }

    [Fact]
    public void A_layer_may_be_zipped_and_has_modes_and_hard_links()
    {
        var root = Root(Zip, Layer(Folder("bin"), Text("bin/a", "text", (UnixFileMode)0x1ed), Link("bin/b", "bin/a", TarEntryType.HardLink)));
        Assert.Equal((UnixFileMode)0x1ed, File.GetUnixFileMode(root + "/bin/b"));
        Assert.Equal(Linux.Native.FileStatus.TryOfLink(root + "/bin/a")!.Value.Identity, Linux.Native.FileStatus.TryOfLink(root + "/bin/b")!.Value.Identity);
    }

    [Fact]
    public void Absolute_names_and_links_stay_within_the_image()
    {
        var outside = Directory.CreateDirectory(Path.Combine(_directory, "outside")).FullName;
        var root = Root(
            null,
            Layer(Text("/etc/passwd", "ours"), Link("out", outside), Text("out/written", "x"), Link("up", "../../../../.."), Text("up/high", "x"), Link("etc/shadow", "/etc/passwd")),
            // The last part of a name is replaced, not followed.
            Layer(Text("etc/shadow", "own"), Link("hard", "/etc/passwd", TarEntryType.HardLink)));
        Assert.Empty(Directory.GetFileSystemEntries(outside));
        Assert.Equal("x", File.ReadAllText(root + outside + "/written"));
        Assert.Equal("x", File.ReadAllText(root + "/high"));
        Assert.Equal(("ours", "own", "ours"), (File.ReadAllText(root + "/etc/passwd"), File.ReadAllText(root + "/etc/shadow"), File.ReadAllText(root + "/hard")));
    }

    [Fact]
    public void A_directory_that_becomes_a_link_takes_its_modes_with_it()
    {
        const UnixFileMode closed = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
        var outside = Directory.CreateDirectory(Path.Combine(_directory, "outside", "keys"), closed).FullName;
        _ = Root(null, Layer(Folder("a"), Folder("a/keys"), Link("a", Path.GetDirectoryName(outside)!)));
        Assert.Equal(closed, File.GetUnixFileMode(outside));
    }

    [Theory]
    [InlineData("a/.wh.")]
    [InlineData(".wh..")]
    [InlineData(".wh...")]
    public void A_whiteout_hides_a_name_and_nothing_else(string name) =>
        Assert.Contains("hides nothing", Assert.Throws<ImageException>(() => Root(null, Layer(Text("a/b", "1")), Layer(Text(name, "")))).Message, StringComparison.Ordinal);

    [Fact]
    public void Device_files_are_left_out_and_counted()
    {
        var image = _store.Take(Docker(_directory + "/d.tar", null, Layer(Device("dev/null"), Text("a", "1"))), out var skipped);
        Assert.Equal(1, skipped);
        Assert.False(Path.Exists(ImageStore.Load(image).Root + "/dev/null"));
    }

    [Theory]
    [InlineData("../evil", "leads out of the image")]
    [InlineData("a/../../evil", "leads out of the image")]
    public void A_name_that_climbs_is_refused(string name, string words)
    {
        var refusal = Assert.Throws<ImageException>(() => Root(null, Layer(Text("a/b", "1")), Layer(Text(name, "x"))));
        Assert.Contains(words, refusal.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(_directory + "/cache"));
    }

    [Fact]
    public void What_is_cut_off_changed_or_packed_otherwise_is_refused_and_nothing_is_left()
    {
        var layer = Layer(Text("a", new string('x', 100_000)));
        foreach (var (change, words) in ((Func<byte[], byte[]>, string)[])
            [
                (static bytes => bytes[..50_000], "is cut off or damaged"),
                (static bytes => Zip(bytes)[..^20], "damaged"),
                (static bytes => [.. bytes[..600], (byte)(bytes[600] ^ 1), .. bytes[601..]], "is damaged: its digest is"),
                (static _ => [0x28, 0xb5, 0x2f, 0xfd, 0, 0, 0, 0], "zstd"),
                (static _ => [1, 2, 3], "damaged"),
            ])
        {
            var refusal = Assert.Throws<ImageException>(() => Root(change, layer));
            Assert.Contains(words, refusal.Message, StringComparison.Ordinal);
            Assert.DoesNotContain('\n', refusal.Message);
            Assert.Empty(Directory.GetFileSystemEntries(_directory + "/cache"));
        }
        var whole = File.ReadAllBytes(Docker(_directory + "/whole.tar", null, layer));
        for (var length = 0; length < whole.Length - 2000; length += 9_973)
        {
            File.WriteAllBytes(_directory + "/cut.tar", whole[..length]);
            Assert.Throws<ImageException>(() => _store.Take(_directory + "/cut.tar", out _));
        }
    }

    [Theory]
    [InlineData("busybox", "busybox", true)]
    [InlineData("busybox", "docker.io/library/busybox:1.36", true)]
    [InlineData("agnhost", "registry.k8s.io/e2e-test-images/agnhost:2.47", true)]
    [InlineData("busybox:1.36", "busybox", false)]
    [InlineData("busybox:latest", "busybox", true)]
    [InlineData("docker.io/library/busybox", "busybox:3", true)]
    [InlineData("localhost:5000/busybox", "busybox", false)]
    [InlineData("other/busybox", "busybox", false)]
    [InlineData("box", "busybox", false)]
    public void A_name_means_what_it_says_and_leaves_the_rest_open(string name, string wanted, bool expected) =>
        Assert.Equal(expected, ImageName.Parse(name).Matches(ImageName.Parse(wanted)));

    /// <summary>An OCI layout that umoci makes of busybox, with a second layer that removes a file.</summary>
    internal static string BusyBox(string directory)
    {
        var (layout, bundle) = (Path.Combine(directory, "layout"), Path.Combine(directory, "bundle"));
        Run("umoci", "init", "--layout", layout);
        Run("umoci", "new", "--image", layout + ":test");
        Run("umoci", "unpack", "--rootless", "--image", layout + ":test", bundle);
        foreach (var folder in (string[])["bin", "etc", "srv", "tmp"])
        {
            Directory.CreateDirectory($"{bundle}/rootfs/{folder}");
        }
        File.Copy("/bin/busybox", bundle + "/rootfs/bin/busybox");
        foreach (var applet in (string[])["sh", "cat", "ls", "sleep", "id", "ps", "hostname", "wget", "touch", "tar", "tty", "stty"])
        {
            File.CreateSymbolicLink($"{bundle}/rootfs/bin/{applet}", "busybox");
        }
        File.WriteAllText(bundle + "/rootfs/etc/passwd", "root:x:0:0:root:/home-of-root:/bin/sh\nweb:x:1234:1234::/srv:/bin/sh\n");
        File.WriteAllText(bundle + "/rootfs/gone", "");
        Run("umoci", "repack", "--image", layout + ":test", "--refresh-bundle", bundle);
        File.Delete(bundle + "/rootfs/gone");
        Run("umoci", "repack", "--image", layout + ":test", bundle);
        Run("umoci", "config", "--image", layout + ":test", "--config.entrypoint", "/bin/sh", "--config.entrypoint", "-c",
            "--config.cmd", "echo $GREETING from $(pwd)", "--config.env", "GREETING=hello", "--config.workingdir", "/srv");
        Run("umoci", "gc", "--layout", layout);
        return layout;
    }

    private string Root(Func<byte[], byte[]>? change, params byte[][] layers) =>
        ImageStore.Load(_store.Take(Docker(Path.Combine(_directory, $"{Guid.NewGuid():N}.tar"), change, layers), out _)).Root;

    private static void Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var said = process.StandardOutput.ReadToEnd() + process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{program} {string.Join(' ', arguments)}: {said}");
    }
}
