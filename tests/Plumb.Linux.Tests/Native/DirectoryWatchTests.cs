using Plumb.Linux.Native;

namespace Plumb.Linux.Tests.Native;

public sealed class DirectoryWatchTests : IDisposable
{
    private readonly string _one = Directory.CreateTempSubdirectory("plumb-watch-").FullName;
    private readonly string _other = Directory.CreateTempSubdirectory("plumb-watch-").FullName;
    private readonly DirectoryWatch _watch = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _watch.Dispose();
        Directory.Delete(_one, recursive: true);
        Directory.Delete(_other, recursive: true);
    }

    [Fact]
    public async Task Files_that_come_are_written_linked_renamed_and_go_are_told_by_their_directory()
    {
        _watch.Add(_one);
        _watch.Add(_other);
        foreach (var (change, where) in new (Action, string)[]
                 {
                     (() => File.WriteAllText(Path.Combine(_one, "a"), "1"), _one),
                     (() => File.AppendAllText(Path.Combine(_one, "a"), "2"), _one),
                     (() => File.CreateSymbolicLink(Path.Combine(_other, "b"), Path.Combine(_one, "a")), _other),
                     (() => File.Move(Path.Combine(_one, "a"), Path.Combine(_one, "c")), _one),
                     (() => File.Delete(Path.Combine(_other, "b")), _other),
                 })
        {
            change();
            Assert.Equal([where], await _watch.WaitAsync(Cancel));
        }
        File.WriteAllText(Path.Combine(_one, "d"), "");
        File.WriteAllText(Path.Combine(_other, "d"), "");
        Assert.Equal(new[] { _one, _other }.Order(), (await _watch.WaitAsync(Cancel)).Order());
    }

    [Fact]
    public async Task Nothing_is_told_while_nothing_happens()
    {
        _watch.Add(_one);
        using var enough = new CancellationTokenSource(TimeSpan.FromMilliseconds(50));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _watch.WaitAsync(enough.Token));
        Assert.Throws<SystemCallException>(() => _watch.Add(Path.Combine(_one, "nothing")));
    }
}
