using System.Diagnostics;
using System.Text.Json.Nodes;

namespace Plumb.Diagnosis.Tests.Machines;

/// <summary>Calls the reference CNI plugins as a container runtime does: one after the other, each with the result of the one before.</summary>
internal static class CniPlugins
{
    private const string Folder = "/usr/lib/cni";

    /// <param name="configuration">A network's configuration list; <c>DATA</c> in it stands for a folder of this layout.</param>
    /// <param name="runtime">What the runtime knows beside: <c>runtimeConfig</c>.</param>
    public static void Attach(ForeignLayout layout, string node, string pod, string configuration, string runtime = "{}")
    {
        var network = JsonNode.Parse(configuration.Replace("DATA", $"{layout.CniFolder}/networks", StringComparison.Ordinal))!;
        JsonNode? result = null;
        foreach (var plugin in network["plugins"]!.AsArray())
        {
            var input = plugin!.DeepClone();
            input["cniVersion"] = (string)network["cniVersion"]!;
            input["name"] = (string)network["name"]!;
            input["runtimeConfig"] = JsonNode.Parse(runtime);
            if (result is not null)
            {
                input["prevResult"] = result;
            }
            result = JsonNode.Parse(Call(layout, node, pod, (string)input["type"]!, input.ToJsonString()));
        }
    }

    private static string Call(ForeignLayout layout, string node, string pod, string plugin, string input)
    {
        var start = new ProcessStartInfo("nsenter", [$"--net={layout.PathOf(node)}", $"{Folder}/{plugin}"]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in ((string, string)[])
            [("CNI_COMMAND", "ADD"), ("CNI_CONTAINERID", $"{pod}0123456789ab"), ("CNI_NETNS", layout.PathOf(pod)), ("CNI_IFNAME", "eth0"), ("CNI_PATH", Folder), ("XTABLES_LOCKFILE", $"{layout.CniFolder}/xtables.lock")])
        {
            start.Environment[name] = value;
        }
        using var process = Process.Start(start)!;
        process.StandardInput.Write(input);
        process.StandardInput.Close();
        var complaint = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{plugin}: {output}{complaint.GetAwaiter().GetResult()}");
        return output;
    }
}
