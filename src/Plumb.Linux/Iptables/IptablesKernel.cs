using System.Text;
using Plumb.Linux.Addresses;
using Plumb.Linux.Namespaces;
using Plumb.Linux.Native;
using Plumb.Linux.State;

namespace Plumb.Linux.Iptables;

/// <summary>Which kinds of entry are iptables', and which of its two variants is in use.</summary>
public static class IptablesKernel
{
    public static bool Handles(EntryKind kind) => kind is EntryKind.IptablesChain or EntryKind.IptablesRule;

    /// <summary>Names of the tables of x_tables, the older variant, that are in use in a namespace; those of the nft variant are in nf_tables. Empty: none, or only administrators are told.</summary>
    public static unsafe string LegacyTables(NetworkNamespace inside, IpFamily family)
    {
        ArgumentNullException.ThrowIfNull(inside);
        const int longest = 256;
        var path = $"/proc/thread-self/net/{(family == IpFamily.V4 ? "ip" : "ip6")}_tables_names";
        var descriptor = inside.Run(() => Libc.Open(path, Libc.O_CLOEXEC, 0));
        if (descriptor < 0)
        {
            return ""; // the kernel has no x_tables, or says only to administrators what is there
        }
        using var file = new FileDescriptor(descriptor);
        var buffer = stackalloc byte[longest];
        var length = Libc.Read(file.Number, buffer, longest);
        return length <= 0 ? "" : Encoding.ASCII.GetString(buffer, (int)length);
    }
}
