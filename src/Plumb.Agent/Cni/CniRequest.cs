namespace Plumb.Agent.Cni;

/// <summary>One call of the plugin, as the runtime made it.</summary>
internal sealed record CniRequest(string Command, string ContainerId, string Interface, string NamespacePath, CniArguments Arguments, CniConfiguration Configuration)
{
    private const int LongestInterfaceName = 15; // IFNAMSIZ less the closing zero

    /// <exception cref="CniException">A variable is missing or malformed, or the configuration cannot be read.</exception>
    public static CniRequest Read(CniCall call)
    {
        var environment = call.Environment;
        var command = Required(environment, "CNI_COMMAND");
        var input = call.Configuration.Span;
        var configuration = command == "ADD" ? CniConfiguration.ReadForAdd(input) : CniConfiguration.Read(input);
        var ofContainer = command is "ADD" or "DEL" or "CHECK";
        var request = new CniRequest(
            command,
            ofContainer ? Required(environment, "CNI_CONTAINERID") : "",
            ofContainer ? Required(environment, "CNI_IFNAME") : "",
            command is "ADD" or "CHECK" ? Required(environment, "CNI_NETNS") : environment.GetValueOrDefault("CNI_NETNS") ?? "",
            // What ends must end, whatever is written there.
            CniArguments.Parse(command == "ADD" ? environment.GetValueOrDefault("CNI_ARGS") ?? "" : ""),
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

    private static void CheckContainerId(string id)
    {
        if (!CniIdentifier.IsValid(id))
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
