using Plumb.Linux.Processes;

namespace Plumb.Lab.Containers;

/// <summary>
/// A container's own /run, empty but for its volumes there: every pod has one (the token of its service account), the machine has no place for it, and
/// a whole root for each would cost each command another process.
/// </summary>
/// <param name="directory">In the container's directory.</param>
internal sealed class OwnRun(string directory)
{
    private const string Run = "/run";

    /// <summary>Whether a path lies below /run, which /var/run mostly is another name of.</summary>
    public static bool Holds(string path) => Below(path) is not null;

    /// <summary>Makes the place for a volume.</summary>
    public string PlaceOf(ContainerMount mount)
    {
        var place = Path.Combine(directory, Below(mount.Target)!);
        if (Directory.Exists(mount.Source))
        {
            Directory.CreateDirectory(place);
        }
        else
        {
            Directory.CreateDirectory(Path.GetDirectoryName(place)!);
            File.WriteAllBytes(place, []);
        }
        return place;
    }

    /// <summary>The mount that puts it over the machine's; what others mount through a link that leads there is kept.</summary>
    public BindMount Keep(IReadOnlyList<BindMount> others)
    {
        foreach (var other in others)
        {
            if (new FileInfo(other.Target).ResolveLinkTarget(returnFinalTarget: true) is { } file && Below(file.FullName) is { } below)
            {
                var place = Path.Combine(directory, below);
                Directory.CreateDirectory(Path.GetDirectoryName(place)!);
                File.Copy(other.Source, place, overwrite: true);
            }
        }
        return new BindMount(directory, Run);
    }

    private static string? Below(string path)
    {
        const string old = "/var/run/";
        if (path.StartsWith(old, StringComparison.Ordinal) && new FileInfo("/var/run").LinkTarget is Run or "../run")
        {
            path = "/run/" + path[old.Length..];
        }
        return path.StartsWith("/run/", StringComparison.Ordinal) && Directory.Exists(Run) ? path["/run/".Length..] : null;
    }
}
