using System.Diagnostics;
using Plumb.Lab.Running;
using Plumb.Linux.Native;

namespace Plumb.Lab.Tests.Running;

public sealed class RunDirectoryTests : IDisposable
{
    private readonly string _top = Directory.CreateTempSubdirectory("p-").FullName;

    private string Root => Path.Combine(_top, "plumb");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_top, recursive: true);

    [Fact]
    public async Task What_is_claimed_is_a_directory_that_only_its_owner_enters()
    {
        using var claimed = await ClaimAsync("a");
        var status = FileStatus.TryOfLink(claimed.Paths.Directory);
        Assert.Equal(FileType.Directory, status?.Type);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, status?.Mode);
    }

    [Fact]
    public async Task A_name_that_is_held_is_refused_with_the_way_out()
    {
        using var first = await ClaimAsync("a");
        var refused = await Assert.ThrowsAsync<LabException>(() => ClaimAsync("a"));
        Assert.Contains("'a' is already running", refused.Message, StringComparison.Ordinal);
        Assert.Contains("plumb down a", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Of_many_that_claim_one_name_at_once_one_gets_it()
    {
        var claims = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(async () =>
        {
            try
            {
                return await ClaimAsync("a");
            }
            catch (LabException)
            {
                return null;
            }
        })));
        Assert.Single(claims, static claim => claim is not null);
        claims.Single(static claim => claim is not null)!.Dispose();
    }

    [Fact]
    public void A_directory_that_a_program_of_a_dead_lab_closed_to_its_owner_is_swept_too()
    {
        var closed = Directory.CreateDirectory(Path.Combine(Root, "a", "node-1", "run", "cni")).FullName;
        File.WriteAllText(Path.Combine(closed, "kept.json"), "{}");
        File.SetUnixFileMode(closed, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        File.SetUnixFileMode(Path.GetDirectoryName(closed)!, UnixFileMode.None);
        Assert.Empty(RunDirectory.Sweep(Root));
        Assert.False(Directory.Exists(Root));
    }

    [Fact]
    public async Task Two_labs_stand_side_by_side_and_the_last_takes_the_common_directory_with_it()
    {
        var a = await ClaimAsync("a");
        using (var b = await ClaimAsync("b"))
        {
            Assert.Equal(["a", "b"], RunDirectory.Sweep(Root).Select(static name => name.ToString()));
            a.Dispose();
            Assert.True(Directory.Exists(b.Paths.Directory));
        }
        Assert.False(Directory.Exists(Root));
    }

    [Fact]
    public void What_a_killed_lab_left_is_swept_with_everything_in_it()
    {
        var dead = new RunPaths(Root, LabName.Parse("dead"));
        Directory.CreateDirectory(Path.Combine(dead.Directory, "node-1", "cni"));
        File.WriteAllText(dead.Lock, "");
        File.WriteAllText(dead.Kubeconfig, "x");
        Assert.Empty(RunDirectory.Sweep(Root));
        Assert.False(Directory.Exists(Root));
    }

    [Fact]
    public async Task The_lock_ends_with_the_process_that_held_it()
    {
        Directory.CreateDirectory(Path.Combine(Root, "a"));
        File.SetUnixFileMode(Root, (UnixFileMode)0x1c0);
        File.SetUnixFileMode(Path.Combine(Root, "a"), (UnixFileMode)0x1c0);
        using var holder = Process.Start(new ProcessStartInfo("sh", ["-c", "exec 9>\"$0\"; flock 9; echo held; exec cat", Path.Combine(Root, "a", "lock")])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
        Assert.Equal("held", await holder.StandardOutput.ReadLineAsync(Cancel));
        Assert.Equal(["a"], RunDirectory.Sweep(Root).Select(static name => name.ToString()));
        holder.Kill();
        await holder.WaitForExitAsync(Cancel);
        using var claimed = await ClaimAsync("a");
        Assert.True(Directory.Exists(claimed.Paths.Directory));
    }

    [Fact]
    public async Task A_symbolic_link_in_the_place_of_the_directory_is_refused()
    {
        Directory.CreateDirectory(Path.Combine(_top, "elsewhere"));
        File.CreateSymbolicLink(Root, Path.Combine(_top, "elsewhere"));
        var refused = await Assert.ThrowsAsync<LabException>(() => ClaimAsync("a"));
        Assert.Contains("symbolic link", refused.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(Path.Combine(_top, "elsewhere")));
    }

    [Fact]
    public async Task A_directory_that_others_can_enter_is_refused()
    {
        Directory.CreateDirectory(Root);
        File.SetUnixFileMode(Root, (UnixFileMode)0x1ed);
        var refused = await Assert.ThrowsAsync<LabException>(() => ClaimAsync("a"));
        Assert.Contains("0700", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("mount -t tmpfs -o ro,mode=0700 none", "Read-only file system")]
    [InlineData("mount -t tmpfs -o size=4k,nr_inodes=2,mode=0700 none", "No space left on device")]
    public async Task A_disk_that_takes_no_more_gives_one_line_with_the_reason(string mount, string reason)
    {
        Directory.CreateDirectory(Root);
        await RunAsync([.. mount.Split(' '), Root]);
        try
        {
            var refused = await Assert.ThrowsAsync<LabException>(() => ClaimAsync("a"));
            Assert.Contains(reason, refused.Message, StringComparison.Ordinal);
            Assert.Contains("XDG_RUNTIME_DIR", refused.Message, StringComparison.Ordinal);
            Assert.DoesNotContain('\n', refused.Message);
        }
        finally
        {
            await RunAsync(["umount", Root]);
        }
    }

    [Fact]
    public void A_runtime_directory_of_another_user_or_of_no_length_is_not_used()
    {
        var user = RuntimeUser.Current;
        Assert.Equal($"/tmp/plumb-{user.OutsideId}", RunPaths.FindRoot(null, user));
        Assert.Equal($"/tmp/plumb-{user.OutsideId}", RunPaths.FindRoot("", user));
        Assert.Equal($"/tmp/plumb-{user.OutsideId}", RunPaths.FindRoot(_top, user with { EffectiveId = 4711 }));
        Assert.Equal(Root, RunPaths.FindRoot(_top, user));
    }

    [Fact]
    public void A_runtime_directory_too_long_for_a_socket_is_not_used()
    {
        var user = RuntimeUser.Current;
        var longer = Directory.CreateDirectory(Path.Combine(_top, new string('x', 60))).FullName;
        Assert.Equal($"/tmp/plumb-{user.OutsideId}", RunPaths.FindRoot(longer, user));
    }

    [Theory]
    [InlineData("Uid:\t0\t0\t0\t0\n", "         0       1001          1\n", 0u, 1001u)]
    [InlineData("Name:\tx\nUid:\t1001\t1001\t1001\t1001\n", "         0          0 4294967295\n", 1001u, 1001u)]
    [InlineData("Uid:\t5\t7\t5\t5\n", "0 100000 7\n7 3000 1\n", 7u, 3000u)]
    public void A_lab_s_own_processes_know_whose_they_are_outside(string status, string map, uint inside, uint outside) =>
        Assert.Equal(new RuntimeUser(inside, outside), RuntimeUser.Read(status, map));

    private Task<RunDirectory> ClaimAsync(string name) =>
        RunDirectory.ClaimAsync(new RunPaths(Root, LabName.Parse(name)), TimeProvider.System, Cancel);

    private static async Task RunAsync(string[] command)
    {
        using var process = Process.Start(command[0], command[1..]);
        await process.WaitForExitAsync(Cancel);
        Assert.Equal(0, process.ExitCode);
    }
}
