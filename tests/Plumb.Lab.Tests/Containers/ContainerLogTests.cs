using System.Text;
using Plumb.Api.Streaming;
using Plumb.Lab.Containers;

namespace Plumb.Lab.Tests.Containers;

public sealed class ContainerLogTests : IDisposable
{
    private static readonly LogRequest All = new("c", Follow: false, Previous: false, Since: null, TailLines: null, LimitBytes: null, Timestamps: false);
    private readonly string _directory = Directory.CreateTempSubdirectory("plumb-log-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task Lines_are_on_disk_as_the_cri_has_them()
    {
        using var log = new ContainerLog(_directory + "/a/0.log", new HeldTime());
        Assert.False(Directory.Exists(_directory + "/a"));
        log.Append(LogStream.Stdout, "one"u8, partial: false);
        log.Append(LogStream.Stderr, "tw"u8, partial: true);
        log.Append(LogStream.Stderr, "o"u8, partial: false);
        Assert.Equal(
            "2026-01-02T03:04:05.000000000Z stdout F one\n2026-01-02T03:04:05.000000000Z stderr P tw\n2026-01-02T03:04:05.000000000Z stderr F o\n",
            await File.ReadAllTextAsync(_directory + "/a/0.log", TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_request_picks_lines_by_number_time_source_and_size()
    {
        using var log = new ContainerLog(_directory + "/0.log", new HeldTime());
        log.Append(LogStream.Stdout, "one"u8, partial: false);
        log.Append(LogStream.Stderr, "tw"u8, partial: true);
        log.Append(LogStream.Stderr, "o"u8, partial: false);
        log.Append(LogStream.Stdout, "three"u8, partial: false);
        const string time = "2026-01-02T03:04:05.000000000Z ";
        Assert.Equal("one\ntwo\nthree\n", await ReadAsync(log, All));
        Assert.Equal("two\nthree\n", await ReadAsync(log, All with { TailLines = 2 }));
        Assert.Equal("", await ReadAsync(log, All with { TailLines = 0 }));
        Assert.Equal("one\ntwo\nthree\n", await ReadAsync(log, All with { TailLines = 9 }));
        Assert.Equal("one\ntw", await ReadAsync(log, All with { LimitBytes = 6 }));
        Assert.Equal("two\n", await ReadAsync(log, All with { Source = LogSource.Stderr }));
        Assert.Equal($"{time}two\n{time}three\n", await ReadAsync(log, All with { Timestamps = true, TailLines = 2 }));
        var now = new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
        Assert.Equal("one\ntwo\nthree\n", await ReadAsync(log, All with { Since = now }));
        Assert.Equal("", await ReadAsync(log, All with { Since = now.AddTicks(1) }));
    }

    [Fact]
    public async Task A_full_file_gives_way_to_a_new_one_and_only_two_are_kept()
    {
        using var log = new ContainerLog(_directory + "/0.log", new HeldTime(), maxFileBytes: 1000);
        for (var i = 0; i < 200; i++)
        {
            log.Append(LogStream.Stdout, Encoding.ASCII.GetBytes($"line {i}"), partial: false);
        }

        Assert.Equal(2, Directory.GetFiles(_directory).Length);
        Assert.All(Directory.GetFiles(_directory), static file => Assert.InRange(new FileInfo(file).Length, 1, 1000));
        var lines = (await ReadAsync(log, All)).TrimEnd('\n').Split('\n');
        Assert.Equal("line 199", lines[^1]);
        Assert.Equal(Enumerable.Range(200 - lines.Length, lines.Length).Select(static i => $"line {i}"), lines);
    }

    [Fact]
    public async Task A_follower_sees_every_line_of_a_writer_that_it_keeps_up_with_and_the_end()
    {
        using var log = new ContainerLog(_directory + "/0.log", TimeProvider.System);
        var following = ReadAsync(log, All with { Follow = true });
        for (var i = 0; i < 1000; i++)
        {
            log.Append(LogStream.Stdout, Encoding.ASCII.GetBytes($"line {i}"), partial: false);
        }

        log.Complete();
        Assert.Equal(string.Concat(Enumerable.Range(0, 1000).Select(static i => $"line {i}\n")), await following);
    }

    [Fact]
    public void A_log_that_cannot_be_written_says_why_and_stops_nobody()
    {
        File.WriteAllText(_directory + "/taken", "");
        using var log = new ContainerLog(_directory + "/taken/0.log", TimeProvider.System);
        log.Append(LogStream.Stdout, "lost"u8, partial: false);
        Assert.NotNull(log.Failure);
    }

    private static async Task<string> ReadAsync(ContainerLog log, LogRequest request)
    {
        var text = new MemoryStream();
        await log.CopyAsync(request, text, TestContext.Current.CancellationToken);
        return Encoding.UTF8.GetString(text.ToArray());
    }
}
