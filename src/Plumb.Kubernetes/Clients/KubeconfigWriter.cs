using System.Text;

namespace Plumb.Kubernetes.Clients;

/// <summary>Writes a kubeconfig with one cluster, one user and one context.</summary>
public static class KubeconfigWriter
{
    /// <param name="name">Of all three; the current context.</param>
    public static string Write(string name, ClusterConnection connection)
    {
        var text = new StringBuilder();
        text.Append("apiVersion: v1\nkind: Config\nclusters:\n- name: ").Append(Quote(name)).Append("\n  cluster:\n    server: ").Append(Quote(connection.Server.ToString().TrimEnd('/')));
        Data(text, "certificate-authority-data", connection.CertificateAuthority);
        if (connection.TlsServerName is { } serverName)
            text.Append("\n    tls-server-name: ").Append(Quote(serverName));
        if (connection.SkipVerification)
            text.Append("\n    insecure-skip-tls-verify: true");
        text.Append("\nusers:\n- name: ").Append(Quote(name)).Append("\n  user:");
        int before = text.Length;
        Data(text, "client-certificate-data", connection.ClientCertificate);
        Data(text, "client-key-data", connection.ClientKey);
        if (connection.TokenFile is { } tokenFile)
            text.Append("\n    tokenFile: ").Append(Quote(tokenFile));
        else if (connection.Token is { } token)
            text.Append("\n    token: ").Append(Quote(token));
        if (text.Length == before)
            text.Append(" {}");
        text.Append("\ncontexts:\n- name: ").Append(Quote(name)).Append("\n  context:\n    cluster: ").Append(Quote(name)).Append("\n    user: ").Append(Quote(name));
        text.Append("\n    namespace: ").Append(Quote(connection.Namespace)).Append("\ncurrent-context: ").Append(Quote(name)).Append('\n');
        return text.ToString();
    }

    private static void Data(StringBuilder text, string field, string? pem)
    {
        if (pem is not null)
            text.Append("\n    ").Append(field).Append(": ").Append(Convert.ToBase64String(Encoding.UTF8.GetBytes(pem)));
    }

    /// <summary>A YAML text in double quotes is a JSON text.</summary>
    private static string Quote(string text) => $"\"{System.Text.Json.JsonEncodedText.Encode(text)}\"";
}
