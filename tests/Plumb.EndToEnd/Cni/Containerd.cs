namespace Plumb.EndToEnd.Cni;

/// <summary>containerd on a <see cref="RuntimeMachine"/>, asked for sandboxes as a kubelet asks.</summary>
internal static class Containerd
{
    private const string Socket = "containerd.sock";

    // The image of every sandbox: something that waits.
    private const string Image =
        """
        mkdir -p image/bin && cp "$(command -v busybox)" image/bin/sleep
        umoci init --layout oci && umoci new --image oci:pause && umoci insert --image oci:pause image/bin/sleep /bin/sleep
        umoci config --image oci:pause --config.entrypoint /bin/sleep --config.cmd 1000000
        skopeo copy -q oci:oci:pause docker-archive:pause.tar:localhost/pause:1
        """;

    public static async Task<ContainerRuntimeInterface> StartAsync(RuntimeMachine machine)
    {
        await machine.OutsideAsync(Image);
        await File.WriteAllTextAsync(
            machine.PathOf("containerd.toml"),
            $"""
            version = 2
            root = "{machine.PathOf("containerd")}"
            state = "/run/containerd"
            [grpc]
              address = "{machine.PathOf(Socket)}"
            [plugins."io.containerd.grpc.v1.cri"]
              sandbox_image = "localhost/pause:1"
              disable_apparmor = true
              restrict_oom_score_adj = true
              containerd.snapshotter = "native"
              cni = {"{"} bin_dir = "{machine.PathOf("bin")}", conf_dir = "{machine.PathOf("net.d")}" {"}"}
            """,
            TestContext.Current.CancellationToken);
        var containerd = machine.Start("containerd", "--config", machine.PathOf("containerd.toml"));
        await RuntimeMachine.SaidAsync(containerd, "containerd successfully booted");
        await machine.InsideAsync("ctr", "--address", machine.PathOf(Socket), "--namespace", "k8s.io", "images", "import", "--snapshotter", "native", machine.PathOf("pause.tar"));
        return new ContainerRuntimeInterface(machine.PathOf(Socket), machine.Cgroup);
    }
}
