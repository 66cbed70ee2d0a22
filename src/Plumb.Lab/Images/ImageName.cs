namespace Plumb.Lab.Images;

/// <summary>
/// The name of an image, in its parts: `registry.k8s.io/e2e-test-images/agnhost:2.47`. What a name leaves out it does not ask for: `agnhost` means this image of any
/// registry, folder and tag.
/// </summary>
public sealed record ImageName(string? Registry, string Repository, string? Tag, string? Digest)
{
    private const string DefaultFolder = "library/";

    public static ImageName Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        string? digest = null, tag = null, registry = null;
        if (text.IndexOf('@', StringComparison.Ordinal) is var at and >= 0)
        {
            (text, digest) = (text[..at], text[(at + 1)..]);
        }
        if (text.LastIndexOf(':') is var colon and >= 0 && colon > text.LastIndexOf('/'))
        {
            (text, tag) = (text[..colon], text[(colon + 1)..]);
        }
        // A registry is a host: it has a point or a port, or is localhost.
        if (text.IndexOf('/', StringComparison.Ordinal) is var slash and > 0 && (text[..slash] == "localhost" || text.AsSpan(0, slash).IndexOfAny('.', ':') >= 0))
        {
            (registry, text) = (text[..slash], text[(slash + 1)..]);
        }
        if (text.StartsWith(DefaultFolder, StringComparison.Ordinal))
        {
            text = text[DefaultFolder.Length..];
        }
        return new ImageName(registry == "index.docker.io" ? "docker.io" : registry, text, tag, digest);
    }

    /// <summary>Whether a container that asks for the other image may have this one.</summary>
    public bool Matches(ImageName wanted)
    {
        ArgumentNullException.ThrowIfNull(wanted);
        return (Registry is null || Registry == (wanted.Registry ?? "docker.io"))
            && (Repository == wanted.Repository || (Registry is null && !Repository.Contains('/', StringComparison.Ordinal) && wanted.Repository.EndsWith("/" + Repository, StringComparison.Ordinal)))
            && (Tag is null || Tag == (wanted.Tag ?? (wanted.Digest is null ? "latest" : null)))
            && (Digest is null || Digest == wanted.Digest);
    }

    /// <summary>Of several that match, the one that says most counts.</summary>
    public int Weight => (Registry is null ? 0 : 4) + (Tag is null ? 0 : 2) + (Digest is null ? 0 : 8) + (Repository.Contains('/', StringComparison.Ordinal) ? 1 : 0);
}
