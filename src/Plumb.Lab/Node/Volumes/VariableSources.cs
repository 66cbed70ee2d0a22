using System.Text;
using Plumb.Kubernetes.Objects;
using Plumb.Lab.Containers;
using Container = Plumb.Kubernetes.Objects.Container;

namespace Plumb.Lab.Node.Volumes;

/// <summary>A container's `env` and `envFrom`, with what they refer to in other objects put in.</summary>
internal sealed class VariableSources(IPodSources sources, string @namespace)
{
    /// <exception cref="MissingSourceException">An object or a key is not there, and not optional.</exception>
    public async Task<List<EnvironmentVariable>> ReadAsync(Container container, CancellationToken cancel)
    {
        var variables = new List<EnvironmentVariable>(container.Env.Count);
        foreach (var source in container.EnvFrom)
        {
            await AddAllAsync(variables, source, cancel);
        }
        foreach (var variable in container.Env)
        {
            if (await ReadAsync(container, variable, cancel) is { } read)
            {
                variables.Add(read);
            }
        }
        return variables;
    }

    /// <returns>Null: optional, and not there.</returns>
    private async Task<EnvironmentVariable?> ReadAsync(Container container, EnvVar variable, CancellationToken cancel)
    {
        switch (variable.ValueFrom)
        {
            case null:
                return new EnvironmentVariable(variable.Name, variable.Value ?? "");
            case { FieldRef: { } field }:
                return new EnvironmentVariable(variable.Name, "", field.FieldPath);
            case { ResourceFieldRef: { } resource }:
                return Literal(variable.Name, DownwardFields.Resource(container, resource) ?? throw new MissingSourceException($"unsupported container resource: {resource.Resource}"));
            case { ConfigMapKeyRef: { } key }:
                var map = await sources.ConfigMapAsync(@namespace, key.Name ?? "", cancel);
                return map is null && key.Optional != true ? throw new MissingSourceException($"configmap \"{key.Name}\" not found")
                    : map?.Data.TryGetValue(key.Key, out var text) == true ? Literal(variable.Name, text)
                    : key.Optional == true ? null
                    : throw new MissingSourceException($"couldn't find key {key.Key} in ConfigMap {@namespace}/{key.Name}");
            case { SecretKeyRef: { } key }:
                var secret = await sources.SecretAsync(@namespace, key.Name ?? "", cancel);
                return secret is null && key.Optional != true ? throw new MissingSourceException($"secret \"{key.Name}\" not found")
                    : secret?.Data.TryGetValue(key.Key, out var bytes) == true ? Literal(variable.Name, Encoding.UTF8.GetString(bytes))
                    : key.Optional == true ? null
                    : throw new MissingSourceException($"couldn't find key {key.Key} in Secret {@namespace}/{key.Name}");
            default:
                return new EnvironmentVariable(variable.Name, "");
        }
    }

    private async Task AddAllAsync(List<EnvironmentVariable> variables, EnvFromSource source, CancellationToken cancel)
    {
        if (source.ConfigMapRef is { } mapRef)
        {
            if (await sources.ConfigMapAsync(@namespace, mapRef.Name, cancel) is { } map)
            {
                variables.AddRange(map.Data.OrderBy(static entry => entry.Key, StringComparer.Ordinal).Select(entry => Literal(source.Prefix + entry.Key, entry.Value)));
            }
            else if (mapRef.Optional != true)
            {
                throw new MissingSourceException($"configmap \"{mapRef.Name}\" not found");
            }
        }
        if (source.SecretRef is { } secretRef)
        {
            if (await sources.SecretAsync(@namespace, secretRef.Name, cancel) is { } secret)
            {
                variables.AddRange(secret.Data.OrderBy(static entry => entry.Key, StringComparer.Ordinal).Select(entry => Literal(source.Prefix + entry.Key, Encoding.UTF8.GetString(entry.Value))));
            }
            else if (secretRef.Optional != true)
            {
                throw new MissingSourceException($"secret \"{secretRef.Name}\" not found");
            }
        }
    }

    // Its text is what it is: `$(NAME)` in another object's value means nothing.
    private static EnvironmentVariable Literal(string name, string text) => new(name, text) { IsLiteral = true };
}
