using Plumb.Output;

namespace Plumb.Commands;

/// <summary>What is said when a lab is ready.</summary>
internal static class UpText
{
    public static void WriteReady(LabReport lab, TextWriter to, Style style)
    {
        var nodes = lab.Machines.Count(static m => m.Ready is not null);
        var choose = lab.Name == "default" ? "" : $" {lab.Name}";
        to.WriteLine($"lab {style.Strong(lab.Name)} is {style.Good("Ready")}: {nodes} {(nodes == 1 ? "node" : "nodes")}, {lab.Pods.Count} {(lab.Pods.Count == 1 ? "pod" : "pods")}, API at {lab.Api}");
        to.WriteLine();
        to.WriteLine($"    export KUBECONFIG=$(plumb kubeconfig{choose})");
        to.WriteLine("    kubectl get pods -A -o wide");
        to.WriteLine();
    }
}
