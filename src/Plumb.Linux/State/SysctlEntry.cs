using System.Text.Json.Serialization;

namespace Plumb.Linux.State;

/// <summary>A kernel parameter of one network namespace (<c>sysctl</c>).</summary>
/// <param name="Path">Below <c>/proc/sys</c>, with slashes (a device's name may hold dots): <c>net/ipv4/conf/eth0.100/rp_filter</c>.</param>
/// <param name="Value">As the kernel prints it, without the newline; several numbers are separated by one tab.</param>
public sealed record SysctlEntry(NamespaceId Namespace, string Path, string Value) : Entry(Namespace)
{
    [JsonIgnore]
    public override EntryKind Kind => EntryKind.Sysctl;

    protected override string NaturalKey() => Path;

    public override string Print() => EntryText.Print(this);
}
