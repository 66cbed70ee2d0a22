using System.Globalization;
using Plumb.EndToEnd.Cni;

namespace Plumb.EndToEnd.Images;

/// <summary>
/// Images whose user is not root, where the machine has subordinate ids for whoever starts the lab (subuid(5)). The person here is nobody's account: over <c>/etc</c> lies,
/// in a mount namespace of each command, a folder that knows such a one. Needs root and the package uidmap.
/// </summary>
[Trait("Needs", "Root")]
public sealed class SubordinateIdTests
{
    private const int Person = 61_234;
    private const int FirstSubordinate = 900_000;

    // The last argument of the container's process, by which the machine's own ps finds it.
    private const string Sleep = "61234.5";

    private const string AsPerson =
        """
        mount -t overlay -o "ro,lowerdir=$1/etc:/etc" overlay /etc; cd "$1"; person=$2; shift 2
        exec setpriv --reuid "$person" --regid "$person" --clear-groups --inh-caps=-all -- "$@"
        """;

    private const string Pod =
        $$"""
        apiVersion: v1
        kind: Pod
        metadata: {name: shop}
        spec:
          nodeName: node-1
          volumes: [{name: scratch, emptyDir: {} }]
          containers:
          - {name: main, image: shop, command: [sleep, "{{Sleep}}"], volumeMounts: [{name: scratch, mountPath: /scratch}]}
          - {name: root, image: shop, command: [sleep, "1000"], securityContext: {runAsUser: 0}, volumeMounts: [{name: scratch, mountPath: /scratch}]}
        ---
        apiVersion: v1
        kind: Secret
        metadata: {name: keys}
        stringData: {key: secret}
        ---
        apiVersion: v1
        kind: ConfigMap
        metadata: {name: settings}
        data: {a: one}
        ---
        apiVersion: v1
        kind: Pod
        metadata: {name: group}
        spec:
          nodeName: node-1
          securityContext: {runAsUser: 1500, runAsGroup: 1600, fsGroup: 2000, fsGroupChangePolicy: OnRootMismatch, supplementalGroups: [3000]}
          volumes:
          - {name: empty, emptyDir: {} }
          - {name: memory, emptyDir: {medium: Memory} }
          - {name: secret, secret: {secretName: keys, defaultMode: 256} }
          - {name: settings, configMap: {name: settings, items: [{key: a, path: deep/a}]} }
          - {name: labels, downwardAPI: {items: [{path: name, fieldRef: {fieldPath: metadata.name} }]} }
          containers:
          - name: main
            image: shop
            command: [sleep, "1000"]
            volumeMounts:
            - {name: empty, mountPath: /empty}
            - {name: empty, mountPath: /part, subPath: a/part}
            - {name: memory, mountPath: /memory}
            - {name: secret, mountPath: /secret}
            - {name: settings, mountPath: /settings}
            - {name: labels, mountPath: /labels}
        ---
        apiVersion: v1
        kind: Pod
        metadata: {name: alone}
        spec:
          nodeName: node-1
          securityContext: {runAsUser: 1500}
          volumes: [{name: secret, secret: {secretName: keys, defaultMode: 256} }]
          containers: [{name: main, image: shop, command: [sleep, "1000"], volumeMounts: [{name: secret, mountPath: /secret}]}]
        """;

    [Fact]
    public async Task A_container_is_its_images_user_and_what_it_writes_is_its_own()
    {
        RuntimeMachine.Needs("newuidmap");
        await using var user = new LabUser();
        var home = user.RuntimeDirectory;
        foreach (var (variable, value) in (IEnumerable<(string, string)>)[("HOME", home), ("XDG_CACHE_HOME", Path.Combine(home, "cache")), ("USER", "person"), ("LOGNAME", "person")])
        {
            user.Set(variable, value);
        }
        await WriteAccountsAsync(Path.Combine(home, "etc"));
        await Commands.RunAsync(user.Environment, null, "chown", "-R", $"{Person}:{Person}", home);

        (await AsPersonAsync("sh", "-ec", ImageTests.Build, "sh", home)).Succeeds();
        await File.WriteAllTextAsync(Path.Combine(home, "lab.yaml"), Pod, TestContext.Current.CancellationToken);
        try
        {
            (await AsPersonAsync(Commands.Plumb, "up", "--detach", "--nodes", "1", "--dns-upstream", "none", "--image", $"shop={home}/user.tar", "-f", $"{home}/lab.yaml")).Succeeds();
            var lab = new RunningLab(user, "default", (await AsPersonAsync(Commands.Plumb, "kubeconfig")).Succeeds().Output.Trim());
            (await lab.KubectlAsync("wait", "--for=condition=Ready", "pod/shop", "--timeout=120s")).Succeeds();

            Assert.StartsWith("uid=1000(web) gid=1000", await InAsync("main", "id"), StringComparison.Ordinal);
            Assert.StartsWith("uid=0(root) gid=0", await InAsync("root", "id"), StringComparison.Ordinal);
            // What only root has in effect stays the bound of what programs may give him.
            Assert.Equal("CapEff:\t0000000000000000 CapBnd:\t00000000a80425fb", string.Join(' ', (await InAsync("main", "cat", "/proc/self/status")).Split('\n').Where(static line => line.StartsWith("CapEff", StringComparison.Ordinal) || line.StartsWith("CapBnd", StringComparison.Ordinal))));
            // Each of the two sees whose a file is, and may write no other's.
            Assert.Equal("1000:1000", (await InAsync("main", "sh", "-c", "echo new > /scratch/web; stat -c %u:%g /scratch/web")).Trim());
            Assert.Equal("0:0", (await InAsync("root", "sh", "-c", "echo new > /scratch/root; stat -c %u:%g /scratch/root")).Trim());
            Assert.Equal("1000:1000 0:0", (await InAsync("root", "sh", "-c", "stat -c %u:%g /scratch/web /scratch/root")).Trim().ReplaceLineEndings(" "));
            // The image's own files are whose its layers say.
            Assert.Equal("1000:1000 1000:1000 0:0", (await InAsync("root", "stat", "-c", "%u:%g", "/home/web", "/home/web/notes", "/srv/index.html")).Trim().ReplaceLineEndings(" "));
            Assert.Equal("old\nnew\n", await InAsync("main", "sh", "-c", "echo new >> /home/web/notes; echo own > /home/web/own; cat /home/web/notes"));
            Assert.Equal("old\n", await InAsync("root", "cat", "/home/web/notes"));
            foreach (var place in (string[])["/scratch/root", "/srv/index.html", "/etc/new"])
            {
                var refused = await lab.KubectlAsync("exec", "shop", "-c", "main", "--", "sh", "-c", $"echo new > {place}");
                Assert.NotEqual(0, refused.ExitCode);
                Assert.Contains("Permission denied", refused.Error, StringComparison.Ordinal);
            }
            Assert.Empty(await lab.GetAsync("events", "-A", "--field-selector", "reason=UserSubstituted", "-o", "name"));
            await VolumesAsync(lab);
            Assert.Empty(await lab.GetAsync("events", "-A", "--field-selector", "reason=OwnerSubstituted", "-o", "name"));

            // Outside it is one of the subordinate ids, of which the first is the lab's 1.
            var processes = (await Commands.RunAsync(user.Environment, null, "ps", "-eo", "uid=,gid=,args=")).Succeeds().Lines;
            var own = Assert.Single(processes, static line => line.EndsWith($"sleep {Sleep}", StringComparison.Ordinal) && !line.Contains("plumb", StringComparison.Ordinal));
            Assert.Equal([$"{FirstSubordinate + 999}", $"{FirstSubordinate + 999}"], own.Split(' ', StringSplitOptions.RemoveEmptyEntries)[..2]);

            async Task<string> InAsync(string container, params string[] command) => (await lab.KubectlAsync(["exec", "shop", "-c", container, "--", .. command])).Succeeds().Output;
        }
        finally
        {
            // Nobody but who started it may end it.
            await AsPersonAsync(Commands.Plumb, "down", "--all");
        }

        Task<CommandResult> AsPersonAsync(params string[] command) => Commands.RunAsync(
            user.Environment, null, "unshare", ["--mount", "--propagation", "private", "sh", "-ec", AsPerson, "sh", home, Person.ToString(CultureInfo.InvariantCulture), .. command]);
    }

    /// <summary>The owners and modes that a kubelet gives to what is in volumes, as the containers' own stat tells them.</summary>
    private static async Task VolumesAsync(RunningLab lab)
    {
        const string token = "/var/run/secrets/kubernetes.io/serviceaccount/token";
        (await lab.KubectlAsync("wait", "--for=condition=Ready", "pod/group", "pod/alone", "pod/shop", "--timeout=120s")).Succeeds();
        Assert.StartsWith("uid=1500 gid=1600 groups=", await InAsync("group", "id"), StringComparison.Ordinal);
        foreach (var (place, expected) in (IEnumerable<(string, string)>)
        [
            ("/empty", "2777 0:2000"), ("/part", "2777 0:2000"), ("/memory", "3777 0:2000"), ("/secret", "3777 0:2000"), ("/settings", "2777 0:2000"), ("/labels", "3777 0:2000"),
            ("/secret/key", "440 0:2000"), ("/settings/deep", "2755 0:2000"), ("/settings/deep/a", "644 0:2000"), ("/labels/name", "644 0:2000"), (token, "640 1500:2000"),
        ])
        {
            Assert.Equal($"{place} {expected}", $"{place} {(await InAsync("group", "stat", "-L", "-c", "%a %u:%g", place)).Trim()}");
        }
        Assert.Equal("1500:2000", (await InAsync("group", "sh", "-c", "cat /secret/key >/dev/null; echo new > /empty/new; echo new > /part/new; stat -c %u:%g /empty/new")).Trim());

        // Without a group a secret is root's, and the token the one user's.
        Assert.Equal("400 0:0", (await InAsync("alone", "stat", "-L", "-c", "%a %u:%g", "/secret/key")).Trim());
        Assert.NotEqual(0, (await lab.KubectlAsync("exec", "alone", "--", "cat", "/secret/key")).ExitCode);
        Assert.Equal("600 1500:0", (await InAsync("alone", "stat", "-L", "-c", "%a %u:%g", token)).Trim());
        Assert.NotEmpty(await InAsync("alone", "cat", token));
        Assert.Equal("644 0:0", (await InAsync("shop", "stat", "-L", "-c", "%a %u:%g", token)).Trim());

        // What a refresh writes has the same owners.
        (await lab.KubectlAsync("patch", "configmap", "settings", "--type=merge", "-p", """{"data":{"a":"two"}}""")).Succeeds();
        for (var left = 300; left > 0 && await InAsync("group", "cat", "/settings/deep/a") != "two"; left--)
        {
            await Task.Delay(200, TestContext.Current.CancellationToken);
        }
        Assert.Equal("2755 0:2000 644 0:2000", (await InAsync("group", "stat", "-L", "-c", "%a %u:%g", "/settings/deep", "/settings/deep/a")).Trim().ReplaceLineEndings(" "));

        async Task<string> InAsync(string pod, params string[] command) => (await lab.KubectlAsync(["exec", pod, "-c", "main", "--", .. command])).Succeeds().Output;
    }

    private static async Task WriteAccountsAsync(string folder)
    {
        Directory.CreateDirectory(folder);
        foreach (var (file, line) in (IEnumerable<(string, string)>)
        [
            ("passwd", $"person:x:{Person}:{Person}::/nonexistent:/bin/sh"), ("group", $"person:x:{Person}:"),
            ("subuid", $"person:{FirstSubordinate}:65536"), ("subgid", $"person:{FirstSubordinate}:65536"),
        ])
        {
            var machines = Path.Combine("/etc", file);
            var known = file is "passwd" or "group" ? await File.ReadAllTextAsync(machines, TestContext.Current.CancellationToken) : "";
            await File.WriteAllTextAsync(Path.Combine(folder, file), $"{known}{line}\n", TestContext.Current.CancellationToken);
        }
    }
}
