using System.Text;
using System.Text.Json.Nodes;
using Plumb.Kubernetes.Json;
using Plumb.Kubernetes.Manifests;

namespace Plumb.Kubernetes.Clients;

/// <summary>Reads kubeconfig files as kubectl does: of several files the first that names a thing has the say.</summary>
public sealed class Kubeconfig
{
    private readonly Dictionary<string, (JsonObject Value, string File)> clusters = [];
    private readonly Dictionary<string, (JsonObject Value, string File)> users = [];
    private readonly Dictionary<string, (JsonObject Value, string File)> contexts = [];

    private Kubeconfig(string source) => Source = source;

    /// <summary>The files, as messages name them.</summary>
    public string Source { get; }

    /// <summary>Null when no file names one.</summary>
    public string? CurrentContext { get; private set; }

    public IReadOnlyCollection<string> Contexts => contexts.Keys;

    /// <param name="list">The value of KUBECONFIG: files divided by `:`; those that do not exist are passed over. Null or empty: `~/.kube/config`.</param>
    /// <exception cref="KubeconfigException">None of the files exists, or one cannot be read.</exception>
    public static Kubeconfig Load(string? list, string homeFolder)
    {
        string[] files = string.IsNullOrEmpty(list) ? [Path.Combine(homeFolder, ".kube", "config")] : list.Split(':', StringSplitOptions.RemoveEmptyEntries);
        var config = new Kubeconfig(string.Join(':', files));
        bool any = false;
        foreach (string file in files)
        {
            if (!File.Exists(file))
                continue;
            any = true;
            try
            {
                if (ManifestReader.ReadDocument(file, File.ReadAllBytes(file)) is { } root)
                    config.Add(file, root);
            }
            catch (Exception error) when (error is ManifestException)
            {
                throw new KubeconfigException(error.Message);
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                throw new KubeconfigException($"{file}: cannot be read: {error.Message}");
            }
        }
        return any ? config : throw new KubeconfigException($"{config.Source}: no such file; set KUBECONFIG to a kubeconfig");
    }

    /// <param name="context">Null: the current one.</param>
    /// <exception cref="KubeconfigException">Something that the context names is missing or cannot be used.</exception>
    public ClusterConnection Connection(string? context = null)
    {
        context ??= CurrentContext ?? throw new KubeconfigException($"{Source}: no current-context; name one of: {string.Join(", ", contexts.Keys)}");
        if (!contexts.TryGetValue(context, out var chosen))
            throw new KubeconfigException($"{Source}: no context \"{context}\"; there are: {string.Join(", ", contexts.Keys)}");
        string clusterName = Text(chosen.Value, "cluster") ?? throw new KubeconfigException($"{chosen.File}: the context \"{context}\" names no cluster");
        if (!clusters.TryGetValue(clusterName, out var cluster))
            throw new KubeconfigException($"{chosen.File}: the context \"{context}\" names the cluster \"{clusterName}\", which is nowhere");
        string address = Text(cluster.Value, "server") ?? throw new KubeconfigException($"{cluster.File}: the cluster \"{clusterName}\" has no server");
        if (!Uri.TryCreate(address.Contains("://", StringComparison.Ordinal) ? address : "http://" + address, UriKind.Absolute, out var server)
            || server.Scheme is not ("http" or "https"))
        {
            throw new KubeconfigException($"{cluster.File}: the server \"{address}\" of the cluster \"{clusterName}\" is no http or https address");
        }
        if (Text(cluster.Value, "proxy-url") is not null)
            throw new KubeconfigException($"{cluster.File}: the cluster \"{clusterName}\" has a proxy-url, which is not supported");

        var connection = new ClusterConnection
        {
            Server = server,
            CertificateAuthority = Pem(cluster, "certificate-authority"),
            SkipVerification = cluster.Value["insecure-skip-tls-verify"] is JsonValue skip && skip.TryGetValue(out bool insecure) && insecure,
            TlsServerName = Text(cluster.Value, "tls-server-name"),
            Namespace = Text(chosen.Value, "namespace") ?? "default",
        };
        if (Text(chosen.Value, "user") is not { } userName)
            return connection;
        if (!users.TryGetValue(userName, out var user))
            throw new KubeconfigException($"{chosen.File}: the context \"{context}\" names the user \"{userName}\", who is nowhere");
        foreach (string refused in (ReadOnlySpan<string>)["exec", "auth-provider", "username", "as"])
        {
            if (user.Value[refused] is not null)
                throw new KubeconfigException($"{user.File}: the user \"{userName}\" logs in by {refused}, which is not supported; use a token or a client certificate");
        }
        return connection with
        {
            Token = Text(user.Value, "token"),
            TokenFile = Text(user.Value, "tokenFile") is { } tokenFile ? Beside(user.File, tokenFile) : null,
            ClientCertificate = Pem(user, "client-certificate"),
            ClientKey = Pem(user, "client-key"),
        };
    }

    private void Add(string file, JsonObject root)
    {
        CurrentContext ??= Text(root, "current-context");
        foreach (var (list, member, known) in new[] { ("clusters", "cluster", clusters), ("users", "user", users), ("contexts", "context", contexts) })
        {
            if (root[list] is null)
                continue;
            if (root[list] is not JsonArray items)
                throw new KubeconfigException($"{file}: {list} must be a list");
            for (int i = 0; i < items.Count; i++)
            {
                if (items[i] is not JsonObject item || Text(item, "name") is not { } name)
                    throw new KubeconfigException($"{file}: {list}[{i}] has no name");
                known.TryAdd(name, (item[member] as JsonObject ?? [], file));
            }
        }
    }

    /// <summary>`NAME-data` (base64) or the file that `NAME` gives.</summary>
    private static string? Pem((JsonObject Value, string File) entry, string name)
    {
        if (Text(entry.Value, name + "-data") is { } data)
        {
            try
            {
                return Encoding.UTF8.GetString(Convert.FromBase64String(data));
            }
            catch (FormatException)
            {
                throw new KubeconfigException($"{entry.File}: {name}-data is not base64");
            }
        }
        if (Text(entry.Value, name) is not { } file)
            return null;
        string path = Beside(entry.File, file);
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new KubeconfigException($"{entry.File}: {name}: {error.Message}");
        }
    }

    private static string Beside(string kubeconfig, string path) => Path.Combine(Path.GetDirectoryName(Path.GetFullPath(kubeconfig))!, path);

    private static string? Text(JsonObject map, string name) => map.At(name) is JsonValue value && value.TryGetValue(out string? text) && text.Length > 0 ? text : null;
}
