using Plumb.Agent.Cni;
using Plumb.Linux.Addresses;
using Plumb.Linux.Iptables;
using Plumb.Linux.Nftables.Tracing;
using Plumb.Linux.State;
using Plumb.Linux.TrafficControl;
using Plumb.Network;
using Plumb.Network.Exposure;
using Plumb.Network.Facts;

namespace Plumb.House;

/// <summary>Numbers and names that leave the process: others' kernels, files, scripts and clusters hold them.</summary>
public sealed class FrozenTests
{
    private static readonly string Path = System.IO.Path.Combine(Repository.Root, "tests/Plumb.House/Frozen.txt");

    [Fact]
    public void What_left_the_process_once_keeps_its_number_and_name()
    {
        var now = Now().ToList();
        if (Environment.GetEnvironmentVariable("PLUMB_RENEW") is { Length: > 0 })
        {
            File.WriteAllLines(Path, File.ReadAllLines(Path).Union(now));
        }
        var frozen = File.ReadAllLines(Path);
        Rule.Holds("a number or name that is in use somewhere cannot change: give the new meaning a new one", frozen.Except(now).Select(static l => $"gone or changed: {l}"));
        Rule.Holds("freeze it: PLUMB_RENEW=1 artifacts/bin/Plumb.House/release/Plumb.House -class '*FrozenTests'", now.Except(frozen).Select(static l => $"new: {l}"));
    }

    private static IEnumerable<string> Now()
    {
        yield return $"route protocol plumb = {RouteProtocol.Plumb.Number}";
        yield return $"route protocol plumb-lab = {RouteProtocol.PlumbLab.Number}";
        yield return $"stamp begins = {Origin.StampPrefix}";
        yield return $"link alias begins = {Ownership.AliasPrefix}";
        yield return $"device bridge = {Devices.Bridge}";
        yield return $"device pod end = {Devices.PodEnd}";
        yield return $"device vxlan = {Devices.Vxlan}";
        yield return $"device node end of 0123456789ab = {Devices.NodeEnd("0123456789ab", Devices.PodEnd)}";
        yield return $"mac of pod 10.244.1.5 = {Devices.PodMac(IpAddress.Parse("10.244.1.5"))}";
        yield return $"mac of bridge on 192.168.1.11 = {Devices.BridgeMac(IpAddress.Parse("192.168.1.11"))}";
        yield return $"mac of tunnel on 192.168.1.11 = {Devices.TunnelMac(IpAddress.Parse("192.168.1.11"))}";
        yield return $"vxlan vni = {NetworkOptions.Default.VxlanVni}";
        yield return $"vxlan port = {NetworkOptions.Default.VxlanPort}";
        yield return $"device of the first mirror = {Devices.Mirror(0)}";
        yield return $"vxlan vni of the first mirror = {Mirror.FirstVni}";
        yield return $"device of queue of 0123456789ab = {Devices.Queue("0123456789ab", Devices.PodEnd)}";
        yield return $"handle of queues = {TrafficHandle.Plumb}";
        yield return $"preference of filters to queues = {BandwidthLayer.Preference}";
        yield return $"cookie of filters = {ActionCookie.Plumb.Hex}";
        foreach (var stage in Stages.All)
        {
            yield return $"chain {stage.Chain} = {stage.Type} {stage.Hook} {stage.Priority}";
        }
        yield return $"iptables mark of ownership = {IptablesMark.Of(new NamespaceId("node-1"), new IptablesTable(IpFamily.V4, IptablesTable.Nat), [], "KUBE-SVC-*").Print().ReplaceLineEndings(" ")}";
        yield return $"iptables mark of jumps = {IptablesMark.Of(new NamespaceId("node-1"), new IptablesTable(IpFamily.V4, IptablesTable.Nat), ["kubernetes service portals"]).Print().ReplaceLineEndings(" ")}";
        foreach (var field in Stages.PacketMark)
        {
            yield return $"packet mark {field.Name} = bit {field.Shift}";
        }
        yield return $"nf_tables table of a traced probe begins = {TraceTable.NamePrefix}";
        foreach (var kind in Enum.GetValues<EntryKind>())
        {
            yield return $"entry kind {kind} = {(int)kind}";
        }
        foreach (var code in Enum.GetValues<CniErrorCode>())
        {
            yield return $"cni error {code} = {(int)code}";
        }
        foreach (var kind in new[] { Lab.DefaultRanges.Nodes, Lab.DefaultRanges.Pods, Lab.DefaultRanges.Services })
        {
            yield return $"default range of {kind.What} = {kind.V4}";
            yield return $"default IPv6 range of {kind.What} = {kind.V6}";
        }
    }
}
