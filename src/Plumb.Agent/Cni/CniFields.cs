using System.Text.Json;

namespace Plumb.Agent.Cni;

/// <summary>Fields as the plugins read them that runtimes were written for: Go's decoder takes a name in any case of its letters, and containerd writes <c>HostPort</c> and <c>Servers</c>.</summary>
internal static class CniFields
{
    /// <summary>The field of that very name, otherwise the last whose letters differ in case only; false: there is none.</summary>
    public static bool TryGetField(this JsonElement of, string name, out JsonElement value)
    {
        if (of.TryGetProperty(name, out value))
        {
            return true;
        }
        foreach (var field in of.EnumerateObject())
        {
            if (field.Name.Equals(name, StringComparison.OrdinalIgnoreCase))
            {
                value = field.Value;
            }
        }
        return value.ValueKind != JsonValueKind.Undefined;
    }
}
