namespace Plumb.EndToEnd;

/// <summary>One clear line for everything that cannot be; nothing is started and nothing is left.</summary>
public sealed class BadInputTests : IAsyncDisposable
{
    private readonly LabUser _user = new();

    public ValueTask DisposeAsync() => _user.DisposeAsync();

    [Fact]
    public async Task Broken_YAML_is_refused_with_file_and_line()
    {
        var path = Path.Combine(_user.RuntimeDirectory, "broken.yaml");
        await File.WriteAllTextAsync(path, "apiVersion: v1\nkind: Pod\nmetadata:\n  name: [unclosed\n", TestContext.Current.CancellationToken);
        var line = await RefusedAsync("up", "-f", path);
        Assert.Matches(@"broken\.yaml:\d+", line);
        File.Delete(path);
        Assert.Empty(_user.Files);
    }

    [Fact]
    public async Task A_kind_that_does_not_exist_is_refused_as_the_API_says_it()
    {
        var refused = await _user.PlumbWithInputAsync("apiVersion: v1\nkind: Nonsense\nmetadata: {name: x}\n", "up", "--detach", "-f", "-");
        Assert.NotEqual(0, refused.ExitCode);
        Assert.Contains("no matches for kind \"Nonsense\" in version \"v1\"", refused.Error, StringComparison.Ordinal);
        Assert.Empty(_user.Files);
    }

    [Fact]
    public async Task A_field_that_does_not_exist_is_refused_as_the_API_says_it()
    {
        const string manifest =
            """
            apiVersion: v1
            kind: Namespace
            metadata: {name: mine}
            ---
            apiVersion: apps/v1
            kind: Deployment
            metadata: {name: website}
            spec:
              replicaz: 3
              selector: {matchLabels: {app: website}}
              template: {metadata: {labels: {app: website}}, spec: {containers: [{name: main, image: httpd}]}}
            """;
        var refused = await _user.PlumbWithInputAsync(manifest, "up", "--detach", "--nodes", "1", "-f", "-");
        Assert.Equal(1, refused.ExitCode);
        var line = refused.Error.TrimEnd().Split('\n')[^1];
        // The place is the document's, the words are the API's.
        Assert.StartsWith("plumb up: stdin:5", line, StringComparison.Ordinal);
        Assert.EndsWith(
            "Deployment in version \"v1\" cannot be handled as a Deployment: strict decoding error: unknown field \"spec.replicaz\"", line, StringComparison.Ordinal);
        Assert.Empty(_user.Files);
    }

    [Fact]
    public async Task Of_many_Services_that_are_created_at_once_the_first_that_is_refused_is_named_with_its_place()
    {
        var manifest = string.Concat(Enumerable.Range(0, 100).Select(static i =>
            $"apiVersion: v1\nkind: Service\nmetadata: {{name: service-{i}}}\nspec: {{ports: [{{port: {(i is 40 or 41 or 90 ? 70_000 : 80)}}}]}}\n---\n"));
        var refused = await _user.PlumbWithInputAsync(manifest, "up", "--detach", "--nodes", "1", "-f", "-");
        Assert.Equal(1, refused.ExitCode);
        var line = refused.Error.TrimEnd().Split('\n')[^1];
        Assert.StartsWith("plumb up: stdin:201", line, StringComparison.Ordinal);
        Assert.Contains("Service \"service-40\" is invalid: ", line, StringComparison.Ordinal);
        Assert.Contains("spec.ports[0].port: Invalid value: 70000", line, StringComparison.Ordinal);
        Assert.Empty(_user.Files);
    }

    [Fact]
    public async Task A_manifest_that_is_not_there_is_named()
    {
        Assert.Contains("/does/not/exist.yaml", await RefusedAsync("up", "-f", "/does/not/exist.yaml"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--pod-cidr", "10.96.0.0/16", "10.96.0.0/12")]
    [InlineData("--pod-cidr", "192.168.0.0/16", "192.168.1.0/24")]
    [InlineData("--node-cidr", "10.244.7.0/24", "10.244.0.0/16")]
    [InlineData("--service-cidr", "192.168.1.0/26", "192.168.1.0/24")]
    public async Task Ranges_that_overlap_are_both_named(string option, string range, string other)
    {
        var line = await RefusedAsync("up", option, range);
        Assert.Contains(range, line, StringComparison.Ordinal);
        Assert.Contains(other, line, StringComparison.Ordinal);
        Assert.Empty(_user.Files);
    }

    [Fact]
    public async Task A_port_in_use_is_named()
    {
        var listener = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        listener.Start();
        var port = ((System.Net.IPEndPoint)listener.LocalEndpoint).Port;
        Assert.Contains(port.ToString(), await RefusedAsync("up", "--detach", "--nodes", "1", "--api-port", port.ToString()), StringComparison.Ordinal);
        listener.Stop();
        Assert.Empty(_user.Files);
    }

    [Fact]
    public async Task Without_unshare_the_package_is_named()
    {
        // A machine that has everything but the one program.
        var programs = Directory.CreateDirectory(Path.Combine(_user.RuntimeDirectory, "bin")).FullName;
        foreach (var directory in (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries).Where(Directory.Exists))
        {
            foreach (var program in Directory.EnumerateFiles(directory).Where(static path => Path.GetFileName(path) != "unshare"))
            {
                var link = Path.Combine(programs, Path.GetFileName(program));
                if (!File.Exists(link))
                {
                    File.CreateSymbolicLink(link, program);
                }
            }
        }
        var line = Assert.Single((await Commands.RunAsync(
            new Dictionary<string, string?>(_user.Environment) { ["PATH"] = programs },
            null,
            Commands.Plumb,
            "up")).Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Contains("util-linux", line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Where_user_namespaces_are_forbidden_the_sysctl_is_named()
    {
        // The limit belongs to a user namespace: in one of our own it can be set by anybody.
        var refused = await Commands.RunAsync(
            _user.Environment,
            null,
            "unshare",
            "--user", "--map-root-user", "sh", "-c", "echo 0 >/proc/sys/user/max_user_namespaces; exec \"$0\" up", Commands.Plumb);
        Assert.NotEqual(0, refused.ExitCode);
        Assert.Contains("user.max_user_namespaces is 0", Assert.Single(refused.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_runtime_directory_that_cannot_be_written_is_named()
    {
        var refused = await Commands.RunAsync(
            _user.Environment,
            null,
            "unshare",
            "--user", "--map-root-user", "--mount", "sh", "-c", "mount -t tmpfs -o ro,mode=0700 none \"$XDG_RUNTIME_DIR\" && exec \"$0\" up --detach", Commands.Plumb);
        Assert.NotEqual(0, refused.ExitCode);
        Assert.Contains("Read-only file system", Assert.Single(refused.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
    }

    /// <summary>Room for less and less: at each place where the start writes, it ends with the same line and leaves no process.</summary>
    [Theory]
    [InlineData("nr_inodes=2")]
    [InlineData("nr_inodes=4")]
    [InlineData("nr_inodes=5")]
    [InlineData("nr_inodes=6")]
    [InlineData("size=4k")]
    [InlineData("size=8k")]
    public async Task A_full_disk_is_named_wherever_the_start_finds_it(string room)
    {
        const string script = "mount -t tmpfs -o \"$1\",mode=0700 none \"$XDG_RUNTIME_DIR\" && \"$0\" up --detach --nodes 1; echo $?; ls \"$XDG_RUNTIME_DIR\"/plumb/* 2>/dev/null";
        var refused = await Commands.RunAsync(_user.Environment, null, "unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, Commands.Plumb, room);
        Assert.Equal("1", refused.Output.Trim());
        var line = Assert.Single(refused.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries), static line => line.StartsWith("plumb", StringComparison.Ordinal));
        Assert.Matches("^plumb up: cannot write the lab's run directory .*: No space left on device; make room", line);
    }

    /// <summary>The one line that the command says instead of doing it.</summary>
    private async Task<string> RefusedAsync(params string[] arguments)
    {
        var refused = await _user.PlumbAsync(arguments);
        Assert.NotEqual(0, refused.ExitCode);
        // Steps that were reached before are told on the same stream.
        return Assert.Single(refused.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries), static line => line.StartsWith("plumb", StringComparison.Ordinal));
    }
}
