namespace Plumb.Api.Http.Requests;

/// <summary>YAML bodies; JSON is YAML, and is what kubectl sends under that name.</summary>
internal static class Yaml
{
    public static byte[] ToJson(byte[] body, string prefix)
    {
        _ = prefix;
        return body;
    }
}
