using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Plumb.Linux.Addresses;
using Plumb.Linux.Conntrack;
using Plumb.Linux.Ipset;
using Plumb.Linux.Ipvs;
using Plumb.Linux.Sockets;
using Plumb.Linux.State;
using Plumb.Linux.TrafficControl;

namespace Plumb.Linux.Json;

/// <summary>
/// Entries, and what kernels hold, as JSON: the form that snapshots, the agent's socket and <c>-o json</c> share. What is read
/// back is equal to what was written.
/// </summary>
public static class StateJson
{
    // Entries of nf_tables take part by their forms here, of which Plumb.Linux knows nothing.
    private static readonly JsonSerializerOptions Options =
        new(StateJsonContext.Default.Options) { TypeInfoResolver = StateJsonContext.Default.WithAddedModifier(NftablesForm.AddTo) };

    private static readonly JsonTypeInfo<Entry> EntryForm = (JsonTypeInfo<Entry>)Options.GetTypeInfo(typeof(Entry));

    private static readonly JsonTypeInfo<Observed[]> ObservedForm = (JsonTypeInfo<Observed[]>)Options.GetTypeInfo(typeof(Observed[]));

    public static void Write(Utf8JsonWriter writer, Entry entry) => JsonSerializer.Serialize(writer, NftablesForm.Of(entry), EntryForm);

    public static string Print(Entry entry) => JsonSerializer.Serialize(NftablesForm.Of(entry), EntryForm);

    /// <exception cref="JsonException">The text is no entry; the message says where.</exception>
    public static Entry ReadEntry(string json) =>
        NftablesForm.Read(Refusing(() => JsonSerializer.Deserialize(json, EntryForm)) ?? throw new JsonException("expected an entry, found null"));

    /// <summary>All that was observed, in the order of the keys.</summary>
    public static void Write(Stream utf8, ObservedState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        var all = new Observed[state.Count];
        var keys = new EntryKey[state.Count];
        var i = 0;
        foreach (var (key, observed) in state.Entries)
        {
            keys[i] = key;
            all[i++] = observed with { Entry = NftablesForm.Of(observed.Entry) };
        }
        Array.Sort(keys, all);
        JsonSerializer.Serialize(utf8, all, ObservedForm);
    }

    /// <exception cref="JsonException">The text is no observed state; the message says where.</exception>
    public static ObservedState ReadObserved(Stream utf8)
    {
        var state = new ObservedState();
        foreach (var observed in Refusing(() => JsonSerializer.Deserialize(utf8, ObservedForm)) ?? [])
        {
            if (observed is not { Entry: { } entry })
            {
                throw new JsonException("expected an observed entry, found null");
            }
            state.Set(observed with { Entry = NftablesForm.Read(entry) });
        }
        return state;
    }

    /// <summary>Some of what was observed, in the order given, as an array.</summary>
    public static void Write(Utf8JsonWriter writer, IEnumerable<Observed> some) =>
        JsonSerializer.Serialize(writer, [.. some.Select(static observed => observed with { Entry = NftablesForm.Of(observed.Entry) })], ObservedForm);

    /// <inheritdoc cref="ReadObserved(Stream)"/>
    public static Observed[] ReadObserved(ReadOnlySpan<byte> utf8)
    {
        Observed[] some;
        try
        {
            some = JsonSerializer.Deserialize(utf8, ObservedForm) ?? throw new JsonException("expected observed entries, found null");
        }
        catch (NotSupportedException exception)
        {
            throw new JsonException(exception.Message, exception);
        }
        for (var i = 0; i < some.Length; i++)
        {
            some[i] = some[i] is { Entry: { } entry } ? some[i] with { Entry = NftablesForm.Read(entry) } : throw new JsonException("expected an observed entry, found null");
        }
        return some;
    }

    /// <summary>How connections stand in JSON.</summary>
    public static JsonTypeInfo<ConntrackEntry[]> Connections => StateJsonContext.Default.ConntrackEntryArray;

    /// <summary>How sockets stand in JSON.</summary>
    public static JsonTypeInfo<BoundSocket[]> Sockets => StateJsonContext.Default.BoundSocketArray;

    /// <summary>How sets of ip_set stand in JSON.</summary>
    public static JsonTypeInfo<IpSet[]> Sets => StateJsonContext.Default.IpSetArray;

    /// <summary>How virtual services of IPVS stand in JSON.</summary>
    public static JsonTypeInfo<IpvsService[]> VirtualServices => StateJsonContext.Default.IpvsServiceArray;

    // Of an object that does not say what kind of entry it is, the serializer complains with another exception than of any other fault.
    private static T Refusing<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (NotSupportedException exception)
        {
            throw new JsonException(exception.Message, exception);
        }
    }
}

[JsonSourceGenerationOptions(
    GenerationMode = JsonSourceGenerationMode.Metadata,
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UseStringEnumConverter = true,
    AllowOutOfOrderMetadataProperties = true,
    Converters =
    [
        typeof(IpAddressConverter), typeof(IpPrefixConverter), typeof(MacAddressConverter), typeof(NamespaceIdConverter),
        typeof(StampConverter), typeof(RouteTableConverter), typeof(RouteProtocolConverter), typeof(NextHopsConverter), typeof(TextsConverter), typeof(WireguardPeersConverter), typeof(PrefixesConverter),
        typeof(FilterRulesConverter), typeof(FilterKeysConverter), typeof(FilterActionsConverter),
    ])]
[JsonSerializable(typeof(Entry))]
[JsonSerializable(typeof(TableForm))]
[JsonSerializable(typeof(ChainForm))]
[JsonSerializable(typeof(SetForm))]
[JsonSerializable(typeof(ElementForm))]
[JsonSerializable(typeof(ObjectForm))]
[JsonSerializable(typeof(Observed[]))]
[JsonSerializable(typeof(ConntrackEntry[]))]
[JsonSerializable(typeof(BoundSocket[]))]
[JsonSerializable(typeof(IpSet[]))]
[JsonSerializable(typeof(IpvsService[]))]
[JsonSerializable(typeof(NextHop[]))]
[JsonSerializable(typeof(WireguardPeer[]))]
[JsonSerializable(typeof(IpPrefix[]))]
[JsonSerializable(typeof(string[]))]
[JsonSerializable(typeof(FilterRule[]))]
[JsonSerializable(typeof(FilterKey[]))]
[JsonSerializable(typeof(FilterAction[]))]
internal sealed partial class StateJsonContext : JsonSerializerContext;
