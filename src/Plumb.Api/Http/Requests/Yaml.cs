using Plumb.Api.Storage;
using Plumb.Kubernetes.Manifests;

namespace Plumb.Api.Http.Requests;

/// <summary>YAML bodies; JSON is YAML, and is what kubectl sends under that name.</summary>
internal static class Yaml
{
    /// <param name="prefix">What a refusal begins with.</param>
    /// <exception cref="ApiException">400.</exception>
    public static byte[] ToJson(byte[] body, string prefix)
    {
        if (body.AsSpan().TrimStart(" \t\r\n"u8).StartsWith("{"u8))
            return body;
        try
        {
            return Answer.Bytes(ManifestReader.ReadDocument("body", body) ?? []);
        }
        catch (ManifestException broken)
        {
            throw ApiException.BadRequest(prefix + broken.Message);
        }
    }
}
