using System.Text.Json;
using Plumb.Linux.Addresses;
using Plumb.Network.Facts;

namespace Plumb.Agent.Cni;

/// <summary>The network configuration that a runtime writes to a plugin's standard input, so far as the agent needs it.</summary>
/// <param name="Name">Of the network; empty: none was told.</param>
/// <param name="PreviousResult">What plugins before this one came to (ADD), or what all of them did (CHECK, DEL).</param>
/// <param name="ValidAttachments">Null: GC was not told any.</param>
internal sealed record CniConfiguration(string Version, string Name, JsonElement? PreviousResult, IReadOnlyList<CniAttachment>? ValidAttachments)
{
    /// <summary>Addresses that the runtime asks for (capability <c>ips</c>).</summary>
    public IReadOnlyList<IpAddress> Addresses { get; init; } = [];

    /// <summary>The hardware address that the runtime asks for (capability <c>mac</c>).</summary>
    public MacAddress? Mac { get; init; }

    /// <summary>Ports of the node that the runtime asks for (capability <c>portMappings</c>).</summary>
    public IReadOnlyList<HostPort> Ports { get; init; } = [];

    /// <summary>How fast the runtime wants the container to be at most (capability <c>bandwidth</c>).</summary>
    public Bandwidth Bandwidth { get; init; }

    /// <summary>What the pod's resolver is to be told: the runtime's word (capability <c>dns</c>) before the configuration's.</summary>
    public CniDns Dns { get; init; } = new();

    /// <exception cref="CniException">Not JSON, no object, a version that the agent does not speak.</exception>
    public static CniConfiguration Read(ReadOnlySpan<byte> text)
    {
        var root = Parse(text);
        if (root.ValueKind != JsonValueKind.Object)
        {
            throw new CniException(CniErrorCode.CannotDecode, $"the network configuration is {Words(root.ValueKind)}, not an object");
        }
        // A configuration without a version is of 0.1.0, whose results had another form.
        var version = Text(root, "cniVersion") ?? "0.1.0";
        if (!CniVersion.IsSupported(version))
        {
            throw new CniException(
                CniErrorCode.IncompatibleVersion,
                $"CNI version {version} is not spoken here",
                $"supported: {string.Join(", ", CniVersion.Supported)}");
        }
        return new CniConfiguration(version, NameOf(root), Find(root, "prevResult", JsonValueKind.Object), Attachments(root));
    }

    /// <summary>The same with what concerns a new attachment, which need not be understood to end one.</summary>
    /// <exception cref="CniException">No name; something that is asked for cannot be had here.</exception>
    public static CniConfiguration ReadForAdd(ReadOnlySpan<byte> text)
    {
        var read = Read(text);
        if (read.Name.Length == 0)
        {
            throw new CniException(CniErrorCode.InvalidConfiguration, "the network configuration has no name");
        }
        var root = Parse(text);
        var asked = Find(root, "runtimeConfig", JsonValueKind.Object);
        Refuse(root, "ipam", "addresses are given from the node's own range");
        if (root.TryGetField("ipMasq", out var masquerade) && masquerade.ValueKind == JsonValueKind.False)
        {
            throw new CniException(CniErrorCode.UnsupportedField, "ipMasq: false: what pods send out of the cluster has their node's address");
        }
        return read with
        {
            Addresses = asked is { } ips ? [.. Texts(ips, "ips").Select(AddressOf)] : [],
            Mac = asked is { } mac ? MacOf(Text(mac, "mac")) : null,
            Ports = asked is { } ports ? CniPorts.Read(ports) : [],
            Bandwidth = asked is { } rates ? CniBandwidth.Read(rates) : default,
            Dns = DnsOf(Find(root, "dns", JsonValueKind.Object), asked is { } dns ? Find(dns, "dns", JsonValueKind.Object) : null),
        };
    }

    private static JsonElement Parse(ReadOnlySpan<byte> text)
    {
        try
        {
            return JsonElement.Parse(text);
        }
        catch (JsonException exception)
        {
            throw new CniException(CniErrorCode.CannotDecode, "the network configuration is not JSON", exception.Message);
        }
    }

    // "must start with an alphanumeric character, optionally followed by ... alphanumeric characters, underscore, dot or hyphen"
    private static string NameOf(JsonElement root)
    {
        var name = Text(root, "name") ?? "";
        return name.Length == 0 || CniIdentifier.IsValid(name)
            ? name
            : throw new CniException(CniErrorCode.InvalidConfiguration, $"the network's name '{name}' is not letters, digits, '_', '.' and '-'");
    }

    // Half of what somebody asked for would look like all of it.
    private static void Refuse(JsonElement of, string field, string instead)
    {
        if (of.TryGetField(field, out var value) && value.ValueKind switch
        {
            JsonValueKind.Object => value.EnumerateObject().Any(),
            JsonValueKind.Array => value.GetArrayLength() != 0,
            _ => value.ValueKind != JsonValueKind.Null,
        })
        {
            throw new CniException(CniErrorCode.UnsupportedField, $"{field}: {value.GetRawText()} is not supported: {instead}");
        }
    }

    private static IpAddress AddressOf(string text) =>
        IpAddress.TryParse(text, out var address) ? address
        : IpPrefix.TryParse(text, out var prefix) ? prefix.Address
        : throw new CniException(CniErrorCode.InvalidConfiguration, $"runtimeConfig.ips: '{text}' is no address");

    private static MacAddress? MacOf(string? text) =>
        string.IsNullOrEmpty(text) ? null
        : MacAddress.TryParse(text, out var mac) && !mac.IsMulticast && !mac.IsZero ? mac
        : throw new CniException(CniErrorCode.InvalidConfiguration, $"runtimeConfig.mac: '{text}' cannot be the hardware address of an interface");

    private static CniDns DnsOf(JsonElement? configured, JsonElement? asked) => new()
    {
        Nameservers = Given(asked, "servers") ?? Given(configured, "nameservers"),
        Domain = configured is { } of ? Text(of, "domain") : null,
        Search = Given(asked, "searches") ?? Given(configured, "search"),
        Options = Given(asked, "options") ?? Given(configured, "options"),
    };

    private static List<string>? Given(JsonElement? of, string name) => of is { } there && Texts(there, name) is { Count: > 0 } texts ? texts : null;

    private static List<CniAttachment>? Attachments(JsonElement root)
    {
        if (Find(root, "cni.dev/valid-attachments", JsonValueKind.Array) is not { } list)
        {
            return null;
        }
        var attachments = new List<CniAttachment>(list.GetArrayLength());
        foreach (var item in list.EnumerateArray())
        {
            if (item.ValueKind != JsonValueKind.Object || Text(item, "containerID") is not { } container || Text(item, "ifname") is not { } name)
            {
                throw new CniException(CniErrorCode.InvalidConfiguration, "cni.dev/valid-attachments: an item is not {containerID, ifname}");
            }
            attachments.Add(new CniAttachment(container, name));
        }
        return attachments;
    }

    private static JsonElement? Find(JsonElement of, string name, JsonValueKind kind) => of.TryGetField(name, out var value) && value.ValueKind == kind ? value : null;

    private static List<string> Texts(JsonElement of, string name)
    {
        var texts = new List<string>();
        foreach (var item in Find(of, name, JsonValueKind.Array)?.EnumerateArray() ?? default)
        {
            texts.Add(item.ValueKind == JsonValueKind.String ? item.GetString()! : throw new CniException(CniErrorCode.CannotDecode, $"{name}: an item is {Words(item.ValueKind)}, not a string"));
        }
        return texts;
    }

    private static string? Text(JsonElement of, string name)
    {
        if (!of.TryGetField(name, out var value) || value.ValueKind == JsonValueKind.Null)
        {
            return null;
        }
        return value.ValueKind == JsonValueKind.String
            ? value.GetString()
            : throw new CniException(CniErrorCode.CannotDecode, $"{name} is {Words(value.ValueKind)}, not a string");
    }

    private static string Words(JsonValueKind kind) => kind switch
    {
        JsonValueKind.Undefined => "missing",
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "a list",
        JsonValueKind.String => "a string",
        JsonValueKind.Number => "a number",
        JsonValueKind.Null => "null",
        _ => "a truth value",
    };
}

/// <summary>An attachment that the runtime still knows.</summary>
public readonly record struct CniAttachment(string ContainerId, string Interface);
