using System.Net;
using System.Text.Json.Nodes;

namespace Plumb.Api.Cel;

/// <summary>What `type(x)` gives, and what `string` and its like are.</summary>
internal sealed record CelType(string Name)
{
    /// <summary>Types that have a name without dots.</summary>
    public static readonly HashSet<string> Plain = ["int", "uint", "double", "string", "bytes", "bool", "list", "map", "null_type", "type"];

    public static readonly string[] Google = ["google.protobuf.Duration", "google.protobuf.Timestamp"];

    public static CelType Of(object? value) => new(value switch
    {
        null => "null_type",
        bool => "bool",
        long => "int",
        ulong => "uint",
        CelBytes => "bytes",
        double => "double",
        string => "string",
        TimeSpan => Google[0],
        DateTimeOffset => Google[1],
        JsonObject => "map",
        List<object?> => "list",
        CelType => "type",
        CelOptional => "optional_type",
        IPAddress => "net.IP",
        CelCidr => "net.CIDR",
        CelUrl => "kubernetes.URL",
        CelQuantity => "kubernetes.Quantity",
        CelSemver => "kubernetes.Semver",
        _ => "kubernetes.NamedFormat",
    });
}

/// <summary>`optional.of(x)`, `a.?b`, and `oldSelf` of a rule with `optionalOldSelf`.</summary>
internal sealed record CelOptional(bool HasValue, object? Value)
{
    public static readonly CelOptional None = new(false, null);
}

/// <param name="Address">With the bits beyond the prefix.</param>
internal sealed record CelCidr(IPAddress Address, int Length)
{
    public bool Contains(IPAddress address) =>
        address.AddressFamily == Address.AddressFamily && Masked(address.GetAddressBytes()).AsSpan().SequenceEqual(Masked(Address.GetAddressBytes()));

    public CelCidr Network => this with { Address = new IPAddress(Masked(Address.GetAddressBytes())) };

    public override string ToString() => $"{Address}/{Length}";

    private byte[] Masked(byte[] bytes)
    {
        for (var bit = Length; bit < bytes.Length * 8; bit++)
            bytes[bit / 8] &= (byte)~(0x80 >> (bit % 8));
        return bytes;
    }
}

/// <summary>`variables` of a policy: what was defined in the evaluation.</summary>
internal sealed record CelVariables
{
    public static readonly CelVariables All = new();
}

internal sealed record CelUrl(Uri Uri);

internal sealed record CelQuantity(decimal Amount);

/// <summary>From values to JSON: what a rule makes a map of.</summary>
internal static class CelValues
{
    /// <exception cref="CelException">Maps have texts for keys here, as JSON has.</exception>
    public static string Key(object? value) => value as string ?? throw CelEvaluation.Overload();

    /// <summary>How many values are in it, texts by their length.</summary>
    public static int Size(object? value) => value switch
    {
        string text => 1 + (text.Length / 10),
        CelBytes bytes => 1 + (bytes.Count / 10),
        JsonObject members => 1 + members.Sum(static member => Size(member.Value)),
        JsonArray items => 1 + items.Sum(static item => Size(item)),
        JsonValue scalar => scalar.TryGetValue<string>(out var text) ? Size(text) : 1,
        List<object?> list => 1 + list.Sum(Size),
        _ => 1,
    };

    /// <exception cref="CelException">The value is none of JSON's.</exception>
    public static JsonNode? ToJson(object? value) => value switch
    {
        null => null,
        bool truth => truth,
        long number => number,
        ulong number => number,
        double real => real,
        string text => text,
        JsonObject members => members.DeepClone(),
        List<object?> list => new JsonArray([.. list.Select(ToJson)]),
        _ => throw CelEvaluation.Overload(),
    };
}
