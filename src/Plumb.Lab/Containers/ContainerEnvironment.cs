using System.Text;
using Plumb.Lab.Node.Volumes;
using Plumb.Linux.Containers;

namespace Plumb.Lab.Containers;

/// <summary>A container's environment variables and words, with fields of the pod and `$(NAME)` put in. Pure.</summary>
internal static class ContainerEnvironment
{
    private const string SearchPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

    /// <summary>`kubectl cp` runs `tar` in the container. It takes itself for root and gives files to whoever had them, which fails where the lab has one user alone.</summary>
    public static void LetTarKeepFiles(IReadOnlyList<string> command, Dictionary<string, string> environment)
    {
        if (command is ["tar", ..] && ContainerUser.IsAlone)
        {
            environment["TAR_OPTIONS"] = "--no-same-owner";
        }
    }

    /// <summary>What an image brings, what the kubelet adds, what the container states; later ones win, and may use earlier ones.</summary>
    /// <exception cref="ContainerStartException">A variable refers to a field that there is not.</exception>
    public static Dictionary<string, string> Build(PodFacts pod, ContainerSpec container)
    {
        var environment = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["PATH"] = SearchPath,
            ["HOSTNAME"] = pod.HostName,
            ["HOME"] = container.Home,
        };
        foreach (var variable in container.ImageEnvironment)
        {
            if (variable.IndexOf('=', StringComparison.Ordinal) is var end and > 0)
            {
                environment[variable[..end]] = variable[(end + 1)..];
            }
        }
        if (container.Terminal)
        {
            environment["TERM"] = "xterm";
        }

        foreach (var (name, value) in pod.ServiceEnvironment)
        {
            environment[name] = value;
        }

        foreach (var variable in container.Environment)
        {
            environment[variable.Name] = variable.IsLiteral ? variable.Value : variable.FieldPath is { } path
                ? Field(pod, path) ?? throw new ContainerStartException("CreateContainerConfigError", $"env {variable.Name}: unsupported fieldPath: {path}")
                : Expand(variable.Value, environment);
        }

        return environment;
    }

    /// <summary>Replaces `$(NAME)`; `$$` is a dollar sign; what names no variable stays as it is.</summary>
    public static string Expand(string text, IReadOnlyDictionary<string, string> environment)
    {
        if (!text.Contains('$', StringComparison.Ordinal))
        {
            return text;
        }

        var expanded = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] != '$' || i + 1 == text.Length)
            {
                expanded.Append(text[i]);
            }
            else if (text[i + 1] == '$')
            {
                expanded.Append('$');
                i++;
            }
            else if (text[i + 1] == '(' && text.IndexOf(')', i) is var end and > 0)
            {
                var reference = text[i..(end + 1)];
                expanded.Append(environment.GetValueOrDefault(reference[2..^1], reference));
                i = end;
            }
            else
            {
                expanded.Append('$');
            }
        }

        return expanded.ToString();
    }

    /// <returns>Null for a path that the downward API does not have.</returns>
    internal static string? Field(PodFacts pod, string path) => path switch
    {
        "metadata.name" => pod.Name,
        "metadata.namespace" => pod.Namespace,
        "metadata.uid" => pod.Uid,
        "spec.nodeName" => pod.NodeName,
        "spec.serviceAccountName" => pod.ServiceAccountName,
        "status.podIP" => pod.Addresses.Count > 0 ? pod.Addresses[0].ToString() : "",
        "status.podIPs" => string.Join(',', pod.Addresses),
        "status.hostIP" => pod.NodeAddresses.Count > 0 ? pod.NodeAddresses[0].ToString() : "",
        "status.hostIPs" => string.Join(',', pod.NodeAddresses),
        _ when DownwardFields.Subscript(path, "metadata.labels") is { } label => pod.Labels.GetValueOrDefault(label, ""),
        _ when DownwardFields.Subscript(path, "metadata.annotations") is { } annotation => pod.Annotations.GetValueOrDefault(annotation, ""),
        _ => null,
    };
}
