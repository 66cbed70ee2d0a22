using System.Buffers;
using System.Globalization;

namespace Plumb.Linux.Processes;

/// <summary>What /proc tells of a process that helps to name it (proc(5)). A process may end, or be another user's, at any line: what cannot be read is null.</summary>
/// <param name="Name">comm: at most 15 characters.</param>
/// <param name="ControlGroup">Path in the unified hierarchy, or in the first that names a container.</param>
/// <param name="HostName">As the process's own /etc/hostname has it, which runtimes write for each container.</param>
public sealed record ProcessFacts(int Id, string Name, string? ControlGroup, string? HostName)
{
    private const int ContainerIdLetters = 64;
    private static readonly SearchValues<char> Hexadecimal = SearchValues.Create("0123456789abcdef");

    /// <summary>Null: there is no such process.</summary>
    public static ProcessFacts? Read(int id)
    {
        var folder = $"/proc/{id.ToString(CultureInfo.InvariantCulture)}";
        return Text($"{folder}/comm") is { } name
            ? new ProcessFacts(id, name.TrimEnd('\n'), ControlGroupOf(Text($"{folder}/cgroup")), Text($"{folder}/root/etc/hostname")?.Trim() is { Length: > 0 } host ? host : null)
            : null;
    }

    /// <summary>The id by which its runtime knows the container that it runs in: 64 hexadecimal digits; null: none is named.</summary>
    public string? ContainerId
    {
        get
        {
            var path = ControlGroup ?? "";
            for (var at = path.Length - ContainerIdLetters; at >= 0; at--)
            {
                var id = path.AsSpan(at, ContainerIdLetters);
                if (!id.ContainsAnyExcept(Hexadecimal))
                {
                    return id.ToString();
                }
            }
            return null;
        }
    }

    /// <summary>Who has put it there, by the words around the id (<c>docker-ID.scope</c>, <c>cri-containerd-ID.scope</c>, <c>/docker/ID</c>); null: nobody known.</summary>
    public string? Runtime
    {
        get
        {
            if (ContainerId is not { } id || ControlGroup is not { } path)
            {
                return null;
            }
            var before = path[..path.IndexOf(id, StringComparison.Ordinal)].TrimEnd('-', '/', ':');
            var word = before[(before.LastIndexOfAny(['/', ':']) + 1)..];
            return word switch
            {
                "docker" => "Docker",
                "libpod" => "podman",
                "crio" => "CRI-O",
                "cri-containerd" => "containerd",
                _ => path.Contains("kubepods", StringComparison.Ordinal) ? "a kubelet's runtime" : null,
            };
        }
    }

    /// <summary>The uid of the Kubernetes pod that it belongs to; null: none is named.</summary>
    public string? PodUid
    {
        get
        {
            foreach (var part in (ControlGroup ?? "").Split('/'))
            {
                // pod1a2b…, kubepods-besteffort-pod1a2b….slice: systemd writes - as _.
                var name = part.EndsWith(".slice", StringComparison.Ordinal) ? part[..^6] : part;
                if (name.LastIndexOf("pod", StringComparison.Ordinal) is >= 0 and var at && Guid.TryParse(name[(at + 3)..].Replace('_', '-'), out var uid))
                {
                    return uid.ToString();
                }
            }
            return null;
        }
    }

    // "0::/kubepods.slice/…": unified; "4:memory:/docker/…": one of the old ones.
    private static string? ControlGroupOf(string? text)
    {
        string? unified = null;
        foreach (var line in (text ?? "").Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            if (line.Split(':', 3) is not [var number, _, var path])
            {
                continue;
            }
            if (new ProcessFacts(0, "", path, null).ContainerId is not null)
            {
                return path;
            }
            unified = number == "0" ? path : unified;
        }
        return unified;
    }

    private static string? Text(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
