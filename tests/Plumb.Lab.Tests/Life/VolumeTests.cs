namespace Plumb.Lab.Tests.Life;

/// <summary>Volumes and variables of containers that run as processes, at places that the machine has not.</summary>
public sealed class VolumeTests(OneNode node) : IClassFixture<OneNode>
{
    [Fact]
    public async Task Volumes_are_at_their_places_and_follow_their_objects()
    {
        await node.CreateAsync("configmaps", """{"metadata":{"name":"settings"},"data":{"a":"one","b":"two"}}""");
        await node.CreateAsync("secrets", """{"metadata":{"name":"keys"},"stringData":{"pw":"hunter2"}}""");
        var uid = await node.PodAsync("volumes", """
            "containers":[{"name":"c","image":"busybox","command":["sleep","infinity"],"volumeMounts":[
              {"name":"settings","mountPath":"/etc/plumb-settings"},{"name":"settings","mountPath":"/plumb-one/file","subPath":"a"},
              {"name":"empty","mountPath":"/plumb-data"},{"name":"all","mountPath":"/plumb-all"}]}],
            "volumes":[{"name":"settings","configMap":{"name":"settings"}},{"name":"empty","emptyDir":{}},
              {"name":"all","projected":{"defaultMode":256,"sources":[{"secret":{"name":"keys","items":[{"key":"pw","path":"deep/password"}]}},
                {"downwardAPI":{"items":[{"path":"labels","fieldRef":{"fieldPath":"metadata.labels"}}]}}]}}]
            """);
        await node.UntilAsync("volumes", pod => pod.Status.Phase == "Running");
        Assert.Equal("one two one", await node.ExecAsync("volumes", "c", "sh", "-c", "cat /etc/plumb-settings/a; printf ' '; cat /etc/plumb-settings/b; printf ' '; cat /plumb-one/file"));
        Assert.Equal("hunter2 400\n", await node.ExecAsync("volumes", "c", "sh", "-c", "cat /plumb-all/deep/password; stat -L -c ' %a' /plumb-all/deep/password"));
        Assert.Equal("app=\"volumes\"", await node.ExecAsync("volumes", "c", "cat", "/plumb-all/labels"));
        Assert.Contains("Read-only file system", await node.ExecAsync("volumes", "c", "sh", "-c", "echo x > /etc/plumb-settings/a"), StringComparison.Ordinal);
        Assert.Equal("kept\n", await node.ExecAsync("volumes", "c", "sh", "-c", "echo kept > /plumb-data/f; cat /plumb-data/f"));
        // What the machine has is there beside what it has not.
        Assert.Equal("root:x:0:0", (await node.ExecAsync("volumes", "c", "head", "-c", "10", "/etc/passwd")));
        Assert.False(Directory.Exists("/plumb-data"));

        await node.PatchAsync("configmaps/settings", """{"data":{"a":"changed","b":null,"c":"three"}}""");
        while (await node.ExecAsync("volumes", "c", "cat", "/etc/plumb-settings/a") != "changed")
        {
        }
        Assert.Equal("a\nc\n", await node.ExecAsync("volumes", "c", "ls", "/etc/plumb-settings"));
        Assert.Equal("one", await node.ExecAsync("volumes", "c", "cat", "/plumb-one/file"));
        await node.PatchAsync("pods/volumes", """{"metadata":{"labels":{"more":"1"}}}""");
        while (await node.ExecAsync("volumes", "c", "cat", "/plumb-all/labels") != "app=\"volumes\"\nmore=\"1\"")
        {
        }

        Assert.NotEmpty(node.FilesOf(uid));
        await node.DeleteAsync("volumes");
        await node.GoneAsync("volumes");
        Assert.Empty(node.FilesOf(uid));
    }

    [Fact]
    public async Task The_token_of_a_pod_without_a_program_waits_for_one()
    {
        var uid = await node.PodAsync("no-program", """ "containers":[{"name":"c","image":"echo"}] """);
        await node.UntilAsync("no-program", pod => pod.Status.Phase == "Running");
        Assert.DoesNotContain(node.FilesOf(uid), static path => path.EndsWith("/volumes", StringComparison.Ordinal));
        Assert.Equal("default", await node.ExecAsync("no-program", "c", "cat", "/run/secrets/kubernetes.io/serviceaccount/namespace"));
        Assert.Contains(node.FilesOf(uid), static path => path.EndsWith("/volumes", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_is_missing_is_said_and_waited_for()
    {
        await node.PodAsync("volume-waits", """
            "containers":[{"name":"c","image":"busybox","command":["sleep","infinity"],"volumeMounts":[{"name":"v","mountPath":"/plumb-v"}]}],
            "volumes":[{"name":"v","configMap":{"name":"late"}}]
            """);
        await node.PodAsync("variable-waits", """
            "containers":[{"name":"c","image":"busybox","command":["sh","-c","echo $X $Y; sleep infinity"],
              "env":[{"name":"X","valueFrom":{"configMapKeyRef":{"name":"late","key":"k"}}},{"name":"Y","valueFrom":{"secretKeyRef":{"name":"never","key":"k","optional":true}}}]}]
            """);
        Assert.Equal("FailedMount: MountVolume.SetUp failed for volume \"v\" : configmap \"late\" not found", await node.EventAsync("volume-waits", "FailedMount"));
        var waiting = await node.UntilAsync("variable-waits", pod => pod.Status.ContainerStatuses is [{ State.Waiting.Reason: "CreateContainerConfigError" }]);
        Assert.Equal("configmap \"late\" not found", waiting.Status.ContainerStatuses[0].State!.Waiting!.Message);
        await node.CreateAsync("configmaps", """{"metadata":{"name":"late"},"data":{"k":"$(HOME)"}}""");
        await node.UntilAsync("volume-waits", pod => pod.Status.Phase == "Running");
        await node.UntilAsync("variable-waits", pod => pod.Status.Phase == "Running");
        // It runs before it has said anything.
        string said;
        while ((said = await node.LogAsync("variable-waits", "c")).Length == 0)
        {
        }
        // What comes from another object is not expanded.
        Assert.Equal("$(HOME)\n", said);
    }

    [Fact]
    public async Task Variables_tell_of_the_pod_and_its_resources()
    {
        await node.CreateAsync("configmaps", """{"metadata":{"name":"many"},"data":{"B":"2","A":"1"}}""");
        await node.PodAsync("variables", """
            "restartPolicy":"Never",
            "containers":[{"name":"c","image":"busybox","command":["sh","-c","echo $NAME $LABEL $CPU $MEMORY $P_A$P_B $OWN $UNSET"],
              "resources":{"limits":{"cpu":"1500m","memory":"64Mi"}},
              "envFrom":[{"prefix":"P_","configMapRef":{"name":"many"}},{"configMapRef":{"name":"none","optional":true}}],
              "env":[{"name":"NAME","valueFrom":{"fieldRef":{"fieldPath":"metadata.name"}}},{"name":"LABEL","valueFrom":{"fieldRef":{"fieldPath":"metadata.labels['app']"}}},
                {"name":"CPU","valueFrom":{"resourceFieldRef":{"resource":"limits.cpu"}}},{"name":"MEMORY","valueFrom":{"resourceFieldRef":{"resource":"requests.memory","divisor":"1Mi"}}},
                {"name":"OWN","value":"$(P_A)$(NAME)"}]}]
            """);
        await node.UntilAsync("variables", pod => pod.Status.Phase == "Succeeded");
        Assert.Equal("variables variables 2 64 12 1variables\n", await node.LogAsync("variables", "c"));
    }

    [Fact]
    public async Task A_sub_path_that_leads_out_of_its_volume_is_refused()
    {
        await node.PodAsync("escape", """
            "initContainers":[{"name":"link","image":"busybox","command":["ln","-s","/etc","/plumb-v/out"],"volumeMounts":[{"name":"v","mountPath":"/plumb-v"}]}],
            "containers":[{"name":"c","image":"busybox","command":["sleep","infinity"],"volumeMounts":[{"name":"v","mountPath":"/plumb-x","subPath":"out/ssl"}]}],
            "volumes":[{"name":"v","emptyDir":{}}]
            """);
        var waiting = await node.UntilAsync("escape", pod => pod.Status.ContainerStatuses is [{ State.Waiting.Reason: "CreateContainerConfigError" }]);
        Assert.Contains("out/ssl leads out of the volume", waiting.Status.ContainerStatuses[0].State!.Waiting!.Message, StringComparison.Ordinal);
    }
}
