using System.Text.Json;

namespace Plumb.EndToEnd.Images;

/// <summary>Pods that run from real images: built by umoci, saved by skopeo in each of the forms that people have.</summary>
public sealed class ImageTests
{
    // Two layers, of which the second takes away what the first has.
    internal const string Build =
        """
        set -e
        cd "$1"
        umoci init --layout oci; umoci new --image oci:base
        umoci unpack --rootless --image oci:base bundle
        mkdir -p bundle/rootfs/bin bundle/rootfs/etc bundle/rootfs/srv
        cp "$(command -v busybox)" bundle/rootfs/bin/busybox
        # One that is not static brings its libraries.
        { ldd bundle/rootfs/bin/busybox || true; } 2>/dev/null | grep -o '/lib[^ ]*' | while read -r library; do mkdir -p "bundle/rootfs${library%/*}"; cp "$library" "bundle/rootfs$library"; done
        for name in sh cat id sleep stat httpd hostname ls env; do ln bundle/rootfs/bin/busybox bundle/rootfs/bin/$name; done
        printf 'root:x:0:0:root:/root:/bin/sh\nweb:x:1000:1000::/srv:/bin/sh\n' > bundle/rootfs/etc/passwd
        echo 'hello from an image' > bundle/rootfs/srv/index.html; echo gone > bundle/rootfs/srv/gone
        umoci repack --image oci:one bundle; rm -rf bundle
        umoci unpack --rootless --image oci:one bundle
        rm bundle/rootfs/srv/gone; echo two > bundle/rootfs/srv/two
        umoci repack --image oci:two bundle
        umoci config --image oci:two --config.entrypoint /bin/httpd --config.cmd -f --config.cmd -v --config.env GREETING=hi --config.workingdir /srv
        skopeo copy -q oci:oci:two docker-archive:docker.tar:shop:1.0
        skopeo copy -q oci:oci:two oci-archive:oci.tar
        skopeo copy -q --dest-compress-format zstd oci:oci:two oci:zstd:two
        umoci config --image oci:two --config.user web
        mkdir -p home/web; echo old > home/web/notes; tar --owner=1000 --group=1000 -cf home.tar home/web
        umoci raw add-layer --image oci:two home.tar
        skopeo copy -q oci:oci:two oci-archive:user.tar
        """;

    private const string Shops =
        """
        apiVersion: v1
        kind: Pod
        metadata: {name: plain}
        spec: {nodeName: node-1, containers: [{name: main, image: "registry.example/team/shop:2.1", ports: [{containerPort: 80}]}]}
        ---
        apiVersion: v1
        kind: Pod
        metadata: {name: packed}
        spec: {nodeName: node-2, containers: [{name: main, image: packed}]}
        ---
        apiVersion: v1
        kind: Pod
        metadata: {name: zstd}
        spec: {nodeName: node-2, containers: [{name: main, image: zstd, command: [sh, -c, "cat two; exec sleep 1000"]}]}
        ---
        apiVersion: v1
        kind: Pod
        metadata: {name: user}
        spec: {nodeName: node-1, containers: [{name: main, image: user}]}
        ---
        apiVersion: v1
        kind: Pod
        metadata: {name: rooted}
        spec: {nodeName: node-1, containers: [{name: main, image: "rooted:test", command: [sleep, "1000"]}]}
        ---
        apiVersion: v1
        kind: Pod
        metadata: {name: nothing}
        spec: {nodeName: node-1, restartPolicy: Never, containers: [{name: main, image: "rooted:test"}]}
        """;

    [Fact]
    public async Task Containers_run_from_images_in_every_form_in_which_they_are_saved()
    {
        await using var user = new LabUser();
        user.Set("XDG_CACHE_HOME", Path.Combine(user.RuntimeDirectory, "cache"));
        var built = Directory.CreateDirectory(Path.Combine(user.RuntimeDirectory, "built")).FullName;
        (await Commands.RunAsync(user.Environment, Build, "sh", "-s", built)).Succeeds();

        (await user.PlumbAsync("image", "add", $"packed={built}/oci.tar")).Succeeds();
        var lab = await user.UpWithAsync(
            Pods.Client + Shops, "--image", $"shop={built}/docker.tar", "--image", $"zstd={built}/zstd", "--image", $"user={built}/user.tar", "--image", $"rooted={built}/bundle/rootfs");
        (await lab.KubectlAsync("wait", "--for=condition=Ready", "pod/plain", "pod/packed", "pod/zstd", "pod/user", "pod/rooted", "pod/client", "--timeout=60s")).Succeeds();

        // Entrypoint, arguments and directory are the image's; so are the files.
        var address = await lab.GetAsync("pod", "plain", "-o", "jsonpath={.status.podIP}");
        Assert.Equal("hello from an image\n", (await lab.ShellAsync("client", "curl", "-s", "--retry", "10", "--retry-connrefused", "--retry-delay", "1", $"http://{address}/")).Succeeds().Output);
        Assert.Equal("index.html\ntwo\n", await InAsync("plain", "ls", "/srv"));
        Assert.Contains("GREETING=hi", await InAsync("packed", "env"), StringComparison.Ordinal);
        Assert.Equal("plain\n", await InAsync("plain", "hostname"));
        Assert.Equal("two\n", (await lab.KubectlAsync("logs", "zstd")).Succeeds().Output);
        // Nothing else of the machine's is there (the account's token is in var/run), and what is written stays the container's.
        (await lab.KubectlAsync("exec", "plain", "--", "sh", "-c", "echo mine > /srv/index.html")).Succeeds();
        Assert.Equal("hello from an image\n", await InAsync("packed", "cat", "/srv/index.html"));
        var top = (await InAsync("packed", "ls", "/")).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(["bin", "dev", "etc", "proc", "srv", "sys", "var"], top.Except(["lib", "lib64"]));
        Assert.Contains($"nameserver 10.96.0.10", await InAsync("packed", "cat", "/etc/resolv.conf"), StringComparison.Ordinal);

        // What is said of them.
        Assert.StartsWith("sha256:", await lab.GetAsync("pod", "plain", "-o", "jsonpath={.status.containerStatuses[0].imageID}"), StringComparison.Ordinal);
        Assert.Contains("already present on machine", await lab.EventAsync("Pulled", "plain"), StringComparison.Ordinal);
        // Who has subordinate ids is the image's user.
        if ((await InAsync("user", "id", "-u")).Trim() != "1000")
        {
            Assert.Contains("1000", await lab.EventAsync("UserSubstituted", "user"), StringComparison.Ordinal);
        }
        Assert.Contains("no command specified", await lab.GetAsync("pod", "nothing", "-o", "jsonpath={.status.containerStatuses[0].state}"), StringComparison.Ordinal);

        var kept = JsonElement.Parse((await user.PlumbAsync("image", "ls", "-o", "json")).Succeeds().Output).GetProperty("images");
        Assert.Equal("packed", Assert.Single(kept.EnumerateArray()).GetProperty("name").GetString());
        (await lab.PlumbAsync("down")).Succeeds();
        (await user.PlumbAsync("image", "rm", "packed")).Succeeds();

        async Task<string> InAsync(string pod, params string[] command) => (await lab.KubectlAsync(["exec", pod, "--", .. command])).Succeeds().Output;
    }

    [Fact]
    public async Task What_is_no_image_is_said_in_one_line()
    {
        await using var user = new LabUser();
        user.Set("XDG_CACHE_HOME", Path.Combine(user.RuntimeDirectory, "cache"));
        var text = Path.Combine(user.RuntimeDirectory, "text.tar");
        await File.WriteAllTextAsync(text, "no image", TestContext.Current.CancellationToken);
        foreach (var (code, why, words) in (IEnumerable<(int, string, string[])>)
        [
            (2, "NAME=PATH", ["up", "--image", "shop"]),
            (2, "there is no folder or archive", ["up", "--image", "shop=/no/such/thing"]),
            (1, "there is no folder or archive", ["image", "add", "shop=/no/such/thing"]),
            (2, "is none of add, ls and rm", ["image", "push", "shop"]),
            (1, "is cut off or no tar archive", ["image", "add", $"shop={text}"]),
            (1, "is cut off or no tar archive", ["up", "--image", $"shop={text}"]),
            (1, "no image shop is kept", ["image", "rm", "shop"]),
        ])
        {
            var refused = await user.PlumbAsync(words);
            Assert.Equal((code, 1), (refused.ExitCode, refused.Error.TrimEnd().Split('\n').Length));
            Assert.Contains(why, refused.Error, StringComparison.Ordinal);
        }
        Assert.Empty((await user.PlumbAsync("status", "-o", "json")).Output.Split("\"name\"").Skip(1));
    }
}
