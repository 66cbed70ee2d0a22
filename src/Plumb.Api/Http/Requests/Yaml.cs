using Plumb.Api.Storage;
using Plumb.Kubernetes.Manifests;

namespace Plumb.Api.Http.Requests;

/// <summary>YAML bodies; JSON is YAML, and is what kubectl sends under that name.</summary>
internal static class Yaml
{
    /// <param name="prefix">What a refusal begins with.</param>
    /// <param name="suffix">And what it ends with.</param>
    /// <exception cref="ApiException">400.</exception>
    public static byte[] ToJson(byte[] body, string prefix, string suffix = "")
    {
        if (body.AsSpan().TrimStart(" \t\r\n"u8).StartsWith("{"u8))
            return body;
        try
        {
            return Answer.Bytes(ManifestReader.ReadDocument("body", body) ?? []);
        }
        catch (ManifestException broken)
        {
            throw ApiException.BadRequest(prefix + InGoWords(broken) + suffix);
        }
    }

    /// <summary>What is no YAML, as Go's library tells it: without what it was reading, and with the line counted from 0 unless it was amid a word.</summary>
    private static string InGoWords(ManifestException broken)
    {
        const string begin = "not YAML: while ", twice = " is set twice in one map";
        if (broken.What.EndsWith(twice, StringComparison.Ordinal))
            return $"yaml: unmarshal errors:\n  line {broken.Line}: key \"{broken.What[..^twice.Length]}\" already set in map";
        if (!broken.What.StartsWith(begin, StringComparison.Ordinal) || broken.What.IndexOf(", ", StringComparison.Ordinal) is not (> 0 and var comma))
            return broken.Message;
        var line = broken.What[begin.Length..].StartsWith("scanning", StringComparison.Ordinal) ? broken.Line : broken.Line - 1;
        return $"yaml: {(line > 0 ? $"line {line}: " : "")}{broken.What[(comma + 2)..]}";
    }
}
