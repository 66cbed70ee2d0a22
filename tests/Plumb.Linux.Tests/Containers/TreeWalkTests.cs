using System.Diagnostics;
using Plumb.Linux.Containers;
using Plumb.Linux.Native;

namespace Plumb.Linux.Tests.Containers;

public sealed class TreeWalkTests : IDisposable
{
    private readonly string _top = Directory.CreateTempSubdirectory("plumb-walk-").FullName;
    private readonly string _root;

    public TreeWalkTests()
    {
        _root = Directory.CreateDirectory(Path.Combine(_top, "root")).FullName;
        File.WriteAllText(Path.Combine(_top, "secret"), "outside");
    }

    public void Dispose() => Directory.Delete(_top, recursive: true);

    [Fact]
    public void Places_are_those_that_a_process_finds_whose_root_it_is()
    {
        // The witness is one: busybox, after chroot(1), asks for the inode behind all links.
        Directory.CreateDirectory(Path.Combine(_root, "bin"));
        var busybox = Path.Combine(_root, "bin", "busybox");
        File.Copy("/bin/busybox", busybox);
        var random = new Random(11);
        string[] names = ["a", "b", "c"], targets = ["a", "b/c", "..", "../..", "/", "/a", "/b/../c", "../../../a/b", ".", "c/."];
        for (var i = 0; i < 60; i++)
        {
            var place = Path.Combine(_root, string.Join('/', Enumerable.Range(0, random.Next(1, 4)).Select(_ => names[random.Next(3)])));
            if (FileStatus.TryOfLink(place) is not null || !Directory.Exists(Path.GetDirectoryName(place)) || HasLink(place))
            {
                continue;
            }
            switch (random.Next(3))
            {
                case 0:
                    Directory.CreateDirectory(place);
                    break;
                case 1:
                    File.WriteAllText(place, "inside");
                    break;
                default:
                    File.CreateSymbolicLink(place, targets[random.Next(targets.Length)]);
                    break;
            }
        }
        using var walk = new TreeWalk(_root);
        var found = 0;
        for (var i = 0; i < 150; i++)
        {
            var path = string.Join('/', Enumerable.Range(0, random.Next(1, 5)).Select(_ => random.Next(5) == 0 ? ".." : names[random.Next(3)]));
            var inode = Inode(path);
            string? place;
            try
            {
                place = walk.Find(path);
            }
            catch (SystemCallException circle) when (circle.Errno == Errno.ELOOP)
            {
                place = null;
            }
            Assert.Equal((path, inode), (path, place is null ? null : FileStatus.TryOfLink(place)?.Identity.Inode));
            found += place is null ? 0 : 1;
        }
        Assert.InRange(found, 20, 140);
    }

    [Theory]
    [InlineData("new/deep/place", "new/deep/place")]
    [InlineData("../../new", "new")]
    [InlineData("up/new", "new")]
    [InlineData("far/new", "far-away/new")]
    [InlineData("dangling/new", "not/yet/new")]
    public void What_is_missing_is_made_where_it_would_be_found(string path, string made)
    {
        File.CreateSymbolicLink(Path.Combine(_root, "up"), "../../..");
        File.CreateSymbolicLink(Path.Combine(_root, "far"), "/far-away");
        File.CreateSymbolicLink(Path.Combine(_root, "dangling"), "not/yet");
        using var walk = new TreeWalk(_root);
        Assert.Equal(Path.Combine(_root, made), walk.MakeDirectory(path));
        Assert.True(Directory.Exists(Path.Combine(_root, made)));
        Assert.Equal(Path.Combine(_root, made, "file"), walk.MakeFile(path + "/file"));
        Assert.Equal(["root", "secret"], Directory.GetFileSystemEntries(_top).Select(Path.GetFileName).Order());
    }

    [Theory]
    [InlineData("..", Errno.EXDEV)]
    [InlineData("up", Errno.EXDEV)]
    [InlineData("absolute/x", Errno.EXDEV)]
    [InlineData("circle/x", Errno.ELOOP)]
    public void A_way_that_leads_out_or_nowhere_is_refused_where_it_must_stay_beneath(string path, Errno why)
    {
        File.CreateSymbolicLink(Path.Combine(_root, "up"), "../secret");
        File.CreateSymbolicLink(Path.Combine(_root, "absolute"), "/");
        File.CreateSymbolicLink(Path.Combine(_root, "circle"), "circle");
        using var walk = new TreeWalk(_root, beneath: true);
        Assert.Equal(why, Assert.Throws<SystemCallException>(() => walk.Find(path) ?? walk.MakeDirectory(path)).Errno);
    }

    [Fact]
    public void What_is_no_directory_is_replaced_only_if_that_is_wanted()
    {
        File.WriteAllText(Path.Combine(_root, "file"), "");
        using var walk = new TreeWalk(_root);
        Assert.Equal(Errno.ENOTDIR, Assert.Throws<SystemCallException>(() => walk.MakeDirectory("file/below")).Errno);
        Assert.Equal(Path.Combine(_root, "file/below"), walk.MakeDirectory("file/below", File.Delete));
    }

    private bool HasLink(string place)
    {
        for (var at = Path.GetDirectoryName(place)!; at != _root; at = Path.GetDirectoryName(at)!)
        {
            if (new FileInfo(at).LinkTarget is not null)
            {
                return true;
            }
        }
        return false;
    }

    /// <summary>Null when nothing is there.</summary>
    private ulong? Inode(string path)
    {
        using var process = Process.Start(new ProcessStartInfo("chroot", [_root, "/bin/busybox", "stat", "-L", "-c", "%i", path]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var said = process.StandardOutput.ReadToEnd();
        process.StandardError.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? ulong.Parse(said.Trim()) : null;
    }
}
