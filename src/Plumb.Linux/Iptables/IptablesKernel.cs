using Plumb.Linux.State;

namespace Plumb.Linux.Iptables;

/// <summary>Which kinds of entry are iptables'.</summary>
public static class IptablesKernel
{
    public static bool Handles(EntryKind kind) => kind is EntryKind.IptablesChain or EntryKind.IptablesRule;
}
