using System.Text.Json;

namespace Plumb.Agent.Cni;

/// <summary>One call of the plugin, as the runtime made it.</summary>
internal sealed record CniRequest(string Command, string ContainerId, string Interface, string NamespacePath, CniArguments Arguments, CniConfiguration Configuration)
{
    private const int LongestInterfaceName = 15; // IFNAMSIZ less the closing zero

    /// <exception cref="CniException">A variable is missing or malformed, or the configuration cannot be read.</exception>
    public static CniRequest Read(CniCall call)
    {
        var environment = call.Environment ?? throw new CniException(CniErrorCode.CannotDecode, "the call has no environment");
        var command = Required(environment, "CNI_COMMAND");
        var configuration = CniConfiguration.Read(call.Stdin);
        var ofContainer = command is "ADD" or "DEL" or "CHECK";
        var request = new CniRequest(
            command,
            ofContainer ? Required(environment, "CNI_CONTAINERID") : "",
            ofContainer ? Required(environment, "CNI_IFNAME") : "",
            command is "ADD" or "CHECK" ? Required(environment, "CNI_NETNS") : environment.GetValueOrDefault("CNI_NETNS") ?? "",
            CniArguments.Parse(environment.GetValueOrDefault("CNI_ARGS") ?? ""),
            configuration);
        if (ofContainer)
        {
            CheckContainerId(request.ContainerId);
            CheckInterface(request.Interface);
        }
        return request;
    }

    private static string Required(IReadOnlyDictionary<string, string> environment, string name) =>
        environment.TryGetValue(name, out var value) && value.Length != 0
            ? value
            : throw new CniException(CniErrorCode.InvalidEnvironment, $"environment variable {name} is missing or empty");

    // "must start with an alphanumeric character, optionally followed by alphanumeric characters, underscore, dot or hyphen"
    private static void CheckContainerId(string id)
    {
        var good = char.IsAsciiLetterOrDigit(id[0]);
        foreach (var c in id)
        {
            good &= char.IsAsciiLetterOrDigit(c) || c is '_' or '.' or '-';
        }
        if (!good)
        {
            throw new CniException(CniErrorCode.InvalidEnvironment, $"CNI_CONTAINERID '{id}' is not letters, digits, '_', '.' and '-'");
        }
    }

    // What dev_valid_name of the kernel takes.
    private static void CheckInterface(string name)
    {
        var good = name.Length <= LongestInterfaceName && name is not ("." or "..");
        foreach (var c in name)
        {
            good &= c is not ('/' or ':') && !char.IsWhiteSpace(c);
        }
        if (!good)
        {
            throw new CniException(CniErrorCode.InvalidEnvironment, $"CNI_IFNAME '{name}' cannot be the name of an interface");
        }
    }
}

/// <summary>CNI_ARGS: what the runtime tells of the pod, <c>KEY=VALUE;KEY=VALUE</c>.</summary>
internal sealed record CniArguments(string PodScope, string PodName, string PodUid)
{
    /// <exception cref="CniException">A part has no <c>=</c>.</exception>
    public static CniArguments Parse(string text)
    {
        string scope = "", name = "", uid = "";
        foreach (var part in text.Split(';', StringSplitOptions.RemoveEmptyEntries))
        {
            var equals = part.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0)
            {
                throw new CniException(CniErrorCode.InvalidEnvironment, $"CNI_ARGS: '{part}' is not KEY=VALUE");
            }
            var value = part[(equals + 1)..];
            switch (part[..equals])
            {
                case "K8S_POD_NAMESPACE":
                    scope = value;
                    break;
                case "K8S_POD_NAME":
                    name = value;
                    break;
                case "K8S_POD_UID":
                    uid = value;
                    break;
                default:
                    break; // IgnoreUnknown, K8S_POD_INFRA_CONTAINER_ID, other plugins' own
            }
        }
        return new CniArguments(scope, name, uid);
    }
}

/// <summary>The network configuration that a runtime writes to a plugin's standard input, so far as the agent needs it.</summary>
internal sealed record CniConfiguration(string Version, string Name, JsonElement? PreviousResult, IReadOnlyList<CniAttachment>? ValidAttachments)
{
    /// <exception cref="CniException">Not JSON, no object, a version that the agent does not speak, no name.</exception>
    public static CniConfiguration Read(JsonElement stdin)
    {
        var root = stdin;
        if (stdin.ValueKind == JsonValueKind.String)
        {
            try
            {
                root = JsonSerializer.Deserialize(stdin.GetString()!, CniJson.Default.JsonElement);
            }
            catch (JsonException exception)
            {
                throw new CniException(CniErrorCode.CannotDecode, "the network configuration is not JSON", exception.Message);
            }
        }
        if (root.ValueKind != JsonValueKind.Object)
        {
            throw new CniException(CniErrorCode.CannotDecode, $"the network configuration is {Words(root.ValueKind)}, not an object");
        }
        // "If a configuration has no cniVersion, it is of 0.1.0", which had another form of result.
        var version = Text(root, "cniVersion") ?? "0.1.0";
        if (!CniVersion.IsSupported(version))
        {
            throw new CniException(
                CniErrorCode.IncompatibleVersion,
                $"CNI version {version} is not spoken here",
                $"supported: {string.Join(", ", CniVersion.Supported)}");
        }
        return new CniConfiguration(
            version,
            Text(root, "name") ?? "",
            root.TryGetProperty("prevResult", out var previous) && previous.ValueKind == JsonValueKind.Object ? previous : null,
            Attachments(root));
    }

    private static List<CniAttachment>? Attachments(JsonElement root)
    {
        if (!root.TryGetProperty("cni.dev/valid-attachments", out var list) || list.ValueKind != JsonValueKind.Array)
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

    private static string? Text(JsonElement of, string name)
    {
        if (!of.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null)
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
internal readonly record struct CniAttachment(string ContainerId, string Interface);
