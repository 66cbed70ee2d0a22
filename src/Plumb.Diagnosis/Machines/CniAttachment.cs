using System.Text.Json;
using Plumb.Linux.Addresses;

namespace Plumb.Diagnosis.Machines;

/// <summary>An interface that CNI plugins have made, as they and their callers remember it on disk.</summary>
/// <param name="ContainerId">Of the sandbox.</param>
/// <param name="Sandboxes">Paths of its namespace.</param>
public sealed record CniAttachment(string ContainerId, string Network, string? PodNamespace, string? PodName, IReadOnlyList<string> Sandboxes, IReadOnlyList<IpAddress> Addresses)
{
    /// <summary>All that is remembered below a folder: results of calls (libcni's cache), and leases of the plugin host-local.</summary>
    /// <param name="folder"><c>/var/lib/cni</c></param>
    public static IReadOnlyList<CniAttachment> ReadAll(string folder)
    {
        var all = new List<CniAttachment>();
        foreach (var results in (string[])["results", "cache/results"])
        {
            foreach (var (name, text) in Files(Path.Combine(folder, results)))
            {
                if (OfResult(name, text) is { } attachment)
                {
                    all.Add(attachment);
                }
            }
        }
        var networks = Path.Combine(folder, "networks");
        foreach (var network in Directory.Exists(networks) ? Directory.GetDirectories(networks) : [])
        {
            foreach (var (name, text) in Files(network))
            {
                if (OfLease(Path.GetFileName(network), name, text) is { } lease)
                {
                    all.Add(lease);
                }
            }
        }
        return all;
    }

    /// <summary>A file of libcni's cache, named <c>NETWORK-CONTAINER-INTERFACE</c>; before libcni 0.8 the result alone. Null: it is none.</summary>
    public static CniAttachment? OfResult(string name, string text)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            var root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object)
            {
                return null;
            }
            var result = Child(root, "result") ?? root;
            var words = name.Split('-');
            var container = String(root, "containerId") ?? (words.Length >= 3 ? words[^2] : "");
            return container.Length == 0 ? null : new CniAttachment(
                container,
                String(root, "networkName") ?? string.Join('-', words[..^2]),
                Argument(root, "K8S_POD_NAMESPACE"),
                Argument(root, "K8S_POD_NAME"),
                [.. Items(result, "interfaces").Select(static one => String(one, "sandbox")).OfType<string>().Where(static path => path.Length > 0).Distinct()],
                [.. Items(result, "ips").Select(static one => String(one, "address")).OfType<string>().Select(static text => IpPrefix.TryParse(text, out var prefix) ? prefix.Address : (IpAddress?)null).OfType<IpAddress>()]);
        }
        catch (JsonException)
        {
            return null; // half written
        }
    }

    /// <summary>A lease of host-local: a file that is named as the address, with the container's id in its first line. Null: it is none.</summary>
    public static CniAttachment? OfLease(string network, string name, string text)
    {
        var container = text.AsSpan(0, text.AsSpan().IndexOfAny('\r', '\n') is >= 0 and var end ? end : text.Length).Trim().ToString();
        return IpAddress.TryParse(name, out var address) && container.Length > 0 ? new CniAttachment(container, network, null, null, [], [address]) : null;
    }

    private static IEnumerable<(string Name, string Text)> Files(string folder)
    {
        if (!Directory.Exists(folder))
        {
            yield break;
        }
        foreach (var path in Directory.EnumerateFiles(folder).Order(StringComparer.Ordinal))
        {
            string text;
            try
            {
                text = File.ReadAllText(path);
            }
            catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
            {
                continue;
            }
            yield return (Path.GetFileName(path), text);
        }
    }

    // "cniArgs": [["K8S_POD_NAME", "web-0"], …]
    private static string? Argument(JsonElement root, string name)
    {
        foreach (var pair in Items(root, "cniArgs"))
        {
            if (pair.ValueKind == JsonValueKind.Array && pair.GetArrayLength() == 2 && pair[0].ValueKind == JsonValueKind.String && pair[0].GetString() == name && pair[1].ValueKind == JsonValueKind.String)
            {
                return pair[1].GetString();
            }
        }
        return null;
    }

    private static JsonElement? Child(JsonElement of, string name) => of.ValueKind == JsonValueKind.Object && of.TryGetProperty(name, out var child) && child.ValueKind == JsonValueKind.Object ? child : null;

    private static string? String(JsonElement of, string name) =>
        of.ValueKind == JsonValueKind.Object && of.TryGetProperty(name, out var child) && child.ValueKind == JsonValueKind.String ? child.GetString() : null;

    private static JsonElement.ArrayEnumerator Items(JsonElement of, string name) =>
        of.ValueKind == JsonValueKind.Object && of.TryGetProperty(name, out var child) && child.ValueKind == JsonValueKind.Array ? child.EnumerateArray() : default;
}
