using Microsoft.AspNetCore.Http;

namespace Plumb.Api.Streaming;

/// <summary>The query parameters that these subresources share.</summary>
internal static class StreamQuery
{
    /// <summary>Booleans as the API server's decoder takes them: present without a value is true, as is anything but `false` and `0`.</summary>
    public static bool Flag(IQueryCollection query, string name) =>
        query.TryGetValue(name, out var values) && values.ToString() is not ("false" or "False" or "FALSE" or "0" or "f" or "F");

    /// <summary>The container that the request means: the one it names, or the pod's only one.</summary>
    /// <exception cref="PodStreamException">400, in the API server's words.</exception>
    public static string Container(IQueryCollection query, PodIdentity pod)
    {
        var name = query["container"].ToString();
        if (name.Length > 0)
        {
            foreach (var container in pod.Containers)
            {
                if (container == name)
                    return name;
            }

            throw PodStreamException.BadRequest($"container {name} is not valid for pod {pod.Name}");
        }

        if (pod.MainContainers == 1)
            return pod.Containers[0];
        var main = string.Join(' ', pod.Containers.Take(pod.MainContainers));
        var init = string.Join(' ', pod.Containers.Skip(pod.MainContainers));
        var orInit = init.Length > 0 ? $" or one of the init containers: [{init}]" : "";
        throw PodStreamException.BadRequest($"a container name must be specified for pod {pod.Name}, choose one of: [{main}]{orInit}");
    }
}
