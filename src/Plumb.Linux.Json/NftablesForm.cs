using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Plumb.Linux.Netlink;
using Plumb.Linux.Nftables;
using Plumb.Linux.Nftables.Wire;
using Plumb.Linux.State;

namespace Plumb.Linux.Json;

/// <summary>
/// An entry of nf_tables as it stands in JSON, where expressions have no form of their own: its text is for people, the netlink
/// messages (base64) are what is read back.
/// </summary>
internal abstract record NftablesForm(NamespaceId Namespace, string Text, byte[] Messages) : Entry(Namespace)
{
    /// <summary>Makes the forms known as kinds of entries, by the names that stand in <c>entry</c>.</summary>
    public static void AddTo(JsonTypeInfo type)
    {
        if (type.Type != typeof(Entry))
        {
            return;
        }
        var kinds = type.PolymorphismOptions!.DerivedTypes;
        kinds.Add(new(typeof(TableForm), "table"));
        kinds.Add(new(typeof(ChainForm), "chain"));
        kinds.Add(new(typeof(SetForm), "set"));
        kinds.Add(new(typeof(ElementForm), "element"));
        kinds.Add(new(typeof(ObjectForm), "object"));
    }

    /// <summary>The form to write; an entry of another kind is its own.</summary>
    public static Entry Of(Entry entry) => entry switch
    {
        TableEntry => new TableForm(entry.Namespace, entry.Print(), EntryMessages.Write(entry)),
        ChainEntry => new ChainForm(entry.Namespace, entry.Print(), EntryMessages.Write(entry)),
        SetEntry => new SetForm(entry.Namespace, entry.Print(), EntryMessages.Write(entry)),
        ElementEntry => new ElementForm(entry.Namespace, entry.Print(), EntryMessages.Write(entry)),
        ObjectEntry => new ObjectForm(entry.Namespace, entry.Print(), EntryMessages.Write(entry)),
        _ => entry,
    };

    /// <exception cref="JsonException">The messages are cut, damaged, or not of such an entry.</exception>
    public static Entry Read(Entry entry)
    {
        if (entry is not NftablesForm form)
        {
            return entry;
        }
        var name = form.Kind.ToString().ToLowerInvariant();
        try
        {
            var read = EntryMessages.Read(form.Messages, form.Namespace);
            return read.Kind == form.Kind ? read : throw new JsonException($"expected the messages of a {name}, found those of {read.Key}");
        }
        catch (NetlinkDecodeException damaged)
        {
            throw new JsonException($"the messages of the {name} are damaged: {damaged.Message}", damaged);
        }
    }

    public override string Print() => Text;

    protected override string NaturalKey() => Text;
}

internal sealed record TableForm(NamespaceId Namespace, string Text, byte[] Messages) : NftablesForm(Namespace, Text, Messages)
{
    [JsonIgnore]
    public override EntryKind Kind => EntryKind.Table;
}

internal sealed record ChainForm(NamespaceId Namespace, string Text, byte[] Messages) : NftablesForm(Namespace, Text, Messages)
{
    [JsonIgnore]
    public override EntryKind Kind => EntryKind.Chain;
}

internal sealed record SetForm(NamespaceId Namespace, string Text, byte[] Messages) : NftablesForm(Namespace, Text, Messages)
{
    [JsonIgnore]
    public override EntryKind Kind => EntryKind.Set;
}

internal sealed record ElementForm(NamespaceId Namespace, string Text, byte[] Messages) : NftablesForm(Namespace, Text, Messages)
{
    [JsonIgnore]
    public override EntryKind Kind => EntryKind.Element;
}

internal sealed record ObjectForm(NamespaceId Namespace, string Text, byte[] Messages) : NftablesForm(Namespace, Text, Messages)
{
    [JsonIgnore]
    public override EntryKind Kind => EntryKind.Object;
}
