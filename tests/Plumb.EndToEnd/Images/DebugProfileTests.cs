using System.Globalization;
using Plumb.EndToEnd.Kubectl;

namespace Plumb.EndToEnd.Images;

/// <summary><c>kubectl debug --profile</c>: the container that it adds may do what the profile says, as the kernel tells inside it.</summary>
public sealed class DebugProfileTests
{
    private const ulong Default = 0xa80425fb;

    private const string Plain =
        """
        apiVersion: v1
        kind: Pod
        metadata: {name: plain}
        spec: {nodeName: node-1, containers: [{name: main, image: shop, command: [sleep, "1000"]}]}
        """;

    [Theory]
    [ClassData(typeof(Kubectls))]
    public async Task A_profile_gives_what_it_says_and_no_more(string client)
    {
        await using var user = new LabUser();
        user.Set("XDG_CACHE_HOME", Path.Combine(user.RuntimeDirectory, "cache"));
        var help = await Commands.RunAsync(user.Environment, null, client, "debug", "--help");
        Assert.SkipUnless(help.Output.Contains("sysadmin", StringComparison.Ordinal), $"{client} knows no profiles for debugging (kubectl 1.27 does)");
        var built = Directory.CreateDirectory(Path.Combine(user.RuntimeDirectory, "built")).FullName;
        (await Commands.RunAsync(user.Environment, ImageTests.Build, "sh", "-s", built)).Succeeds();
        var lab = (await user.UpWithAsync(Plain, "--image", $"shop={built}/docker.tar", "--image", $"user={built}/user.tar")).With(client);
        (await lab.KubectlAsync("wait", "--for=condition=Ready", "pod/plain", "--timeout=60s")).Succeeds();

        // A namespace of the lab's own has all that the kernel knows.
        var all = (1UL << int.Parse(await File.ReadAllTextAsync("/proc/sys/kernel/cap_last_cap", TestContext.Current.CancellationToken), CultureInfo.InvariantCulture) + 1) - 1;
        foreach (var (profile, image, bounding, noNew) in ((string, string, ulong, bool)[])
        [
            ("general", "shop", Default | 1 << 19, false), ("baseline", "shop", Default, false), ("netadmin", "shop", Default | 1 << 12, false), ("sysadmin", "shop", all, false),
            ("restricted", "user", 0, true),
        ])
        {
            (await lab.KubectlAsync("debug", "plain", "-c", profile, $"--image={image}", $"--profile={profile}", "--", "sh", "-c", "cat /proc/self/status; exec sleep 1000")).Succeeds();
            await lab.UntilAsync("running", "pod", "plain", "-o", $"go-template={{{{range .status.ephemeralContainerStatuses}}}}{{{{if eq .name \"{profile}\"}}}}{{{{range $state, $_ := .state}}}}{{{{$state}}}}{{{{end}}}}{{{{end}}}}{{{{end}}}}");
            var said = (await lab.KubectlAsync("exec", "plain", "-c", profile, "--", "cat", "/proc/self/status")).Succeeds().Output;
            foreach (var status in (string[])[said, (await lab.KubectlAsync("logs", "plain", "-c", profile)).Succeeds().Output])
            {
                Assert.Equal((profile, Hex(bounding), Hex(bounding), noNew ? "1" : "0"), (profile, Field(status, "CapBnd"), Field(status, "CapEff"), Field(status, "NoNewPrivs")));
            }
        }
        (await lab.PlumbAsync("down")).Succeeds();
    }

    private static string Field(string status, string name) => status.Split('\n').Single(line => line.StartsWith(name + ":", StringComparison.Ordinal)).Split('\t')[1];

    private static string Hex(ulong set) => set.ToString("x16", CultureInfo.InvariantCulture);
}
