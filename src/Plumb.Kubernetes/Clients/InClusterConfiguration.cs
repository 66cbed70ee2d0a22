namespace Plumb.Kubernetes.Clients;

/// <summary>What the kubelet gives to every pod: the API server's address in the environment, token and certificates in files.</summary>
public static class InClusterConfiguration
{
    public const string DefaultFolder = "/var/run/secrets/kubernetes.io/serviceaccount";

    /// <param name="environment">Looks up an environment variable.</param>
    /// <returns>Null when this is no pod.</returns>
    /// <exception cref="KubeconfigException">It is one, but the files are missing.</exception>
    public static ClusterConnection? Load(Func<string, string?> environment, string folder = DefaultFolder)
    {
        string? host = environment("KUBERNETES_SERVICE_HOST"), port = environment("KUBERNETES_SERVICE_PORT");
        if (string.IsNullOrEmpty(host) || string.IsNullOrEmpty(port))
            return null;
        string tokenFile = Path.Combine(folder, "token"), authority = Path.Combine(folder, "ca.crt"), @namespace = Path.Combine(folder, "namespace");
        if (!File.Exists(tokenFile) || !File.Exists(authority))
            throw new KubeconfigException($"{folder}: no token and ca.crt; does the pod's service account mount its token?");
        return new ClusterConnection
        {
            Server = new Uri(host.Contains(':', StringComparison.Ordinal) ? $"https://[{host}]:{port}" : $"https://{host}:{port}"),
            CertificateAuthority = File.ReadAllText(authority),
            TokenFile = tokenFile,
            Namespace = File.Exists(@namespace) ? File.ReadAllText(@namespace).Trim() : "default",
        };
    }
}
