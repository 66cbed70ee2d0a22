using Plumb.Kubernetes.Objects;
using Plumb.Lab.Images;
using Plumb.Lab.Tests.Life;

namespace Plumb.Lab.Tests.Images;

/// <summary>Containers that run from an image: its files, its words, its user, and nothing of the machine's.</summary>
public sealed class ImageLifeTests : IAsyncLifetime
{
    private readonly string _directory = Directory.CreateTempSubdirectory("plumb-image-life-").FullName;
    private OneNode _node = null!;
    private Image _image = null!;

    public async ValueTask InitializeAsync()
    {
        var path = new ImageStore(_directory + "/cache").Take(ImageStoreTests.BusyBox(_directory), out _);
        _image = ImageStore.Load(path);
        _node = new OneNode { Images = new Dictionary<string, string> { ["busybox"] = path } };
        await _node.InitializeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _node.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public async Task A_container_runs_as_its_image_says()
    {
        await _node.PodAsync("plain", """ "restartPolicy":"Never","containers":[{"name":"c","image":"docker.io/library/busybox:1.36"}] """);
        var pod = await _node.UntilAsync("plain", one => one.Status.Phase == "Succeeded");
        Assert.Equal("hello from /srv\n", await _node.LogAsync("plain", "c"));
        Assert.Equal(_image.Digest, pod.Status.ContainerStatuses[0].ImageID);
        Assert.Equal("Pulled: Container image \"docker.io/library/busybox:1.36\" already present on machine", await _node.EventAsync("plain", "Pulled"));
        Assert.DoesNotContain(await _node.EventsAsync("plain"), static said => said.StartsWith("ImageSubstituted", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Its_root_is_the_image_s_and_what_it_writes_stays_its_own()
    {
        await _node.PodAsync("rooted", """
            "automountServiceAccountToken":false,"containers":[{"name":"c","image":"busybox","command":["sleep","1000000"],"env":[{"name":"X","value":"$(GREETING)"}],
              "volumeMounts":[{"name":"v","mountPath":"/data/deep"}]}],"volumes":[{"name":"v","emptyDir":{}}]
            """);
        await _node.UntilAsync("rooted", one => one.Status.Phase == "Running");
        Assert.Equal("bin\ndata\ndev\netc\nproc\nsrv\nsys\ntmp\n", await _node.ExecAsync("rooted", "c", "ls", "/"));
        Assert.Equal("rooted\n", await _node.ExecAsync("rooted", "c", "hostname"));
        Assert.Equal("sleep\01000000\0", await _node.ExecAsync("rooted", "c", "cat", "/proc/1/cmdline"));
        Assert.Equal("hello /home-of-root 0\n", await _node.ExecAsync("rooted", "c", "sh", "-c", "echo $X $HOME $(id -u)"));
        Assert.Equal("ok\n", await _node.ExecAsync("rooted", "c", "sh", "-c", "echo x > /dev/null && touch /written /data/deep/f && wget -q -O- http://127.0.0.1:1 2>/dev/null; echo ok"));
        Assert.False(File.Exists(_image.Root + "/written"));
        Assert.Contains("rooted", await _node.ExecAsync("rooted", "c", "cat", "/etc/hosts"), StringComparison.Ordinal);
        // Of the machine nothing is to be seen, by whatever way.
        Assert.DoesNotContain("overlay2", await _node.ExecAsync("rooted", "c", "cat", "/proc/mounts"), StringComparison.Ordinal);
        Assert.Equal("", (await _node.ExecAsync("rooted", "c", "sh", "-c", "cd /; cd ../../..; ls -d usr root home boot 2>/dev/null")));
    }

    [Theory]
    [InlineData("missing", """ "command":["/no/such"] """, "no such file or directory")]
    [InlineData("path", """ "command":["bash"] """, "executable file not found in $PATH")]
    [InlineData("directory", """ "command":["/srv"] """, "ermission denied")]
    public async Task An_entry_point_that_is_not_there_is_said(string name, string command, string words)
    {
        await _node.PodAsync("entry-" + name, $$$""" "restartPolicy":"Never","containers":[{"name":"c","image":"busybox",{{{command}}} }] """);
        var pod = await _node.UntilAsync("entry-" + name, one => one.Status.Phase == "Failed");
        var end = pod.Status.ContainerStatuses[0].State!.Terminated!;
        Assert.Equal(("StartError", 128), (end.Reason, end.ExitCode));
        Assert.Contains(words, end.Message, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task A_user_is_the_one_asked_for_or_an_event_says_that_there_is_none()
    {
        await _node.PodAsync("user", """ "restartPolicy":"Never","securityContext":{"runAsUser":1234},"containers":[{"name":"c","image":"busybox","command":["id","-u"]}] """);
        await _node.UntilAsync("user", one => one.Status.Phase == "Succeeded");
        var said = (await _node.LogAsync("user", "c")).Trim();
        if (new Linux.Containers.ContainerUser(1234, 1234, []).IsMapped)
        {
            Assert.Equal("1234", said);
            return;
        }
        Assert.Equal("0", said);
        Assert.StartsWith("UserSubstituted: The container asks for user 1234", await _node.EventAsync("user", "UserSubstituted"), StringComparison.Ordinal);
    }
}
