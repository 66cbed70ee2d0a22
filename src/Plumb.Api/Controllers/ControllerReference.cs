using System.Text.Json.Nodes;
using Plumb.Api.Storage;

namespace Plumb.Api.Controllers;

/// <summary>The reference of an object to the one that controls it (metav1.NewControllerRef): it goes with it, and one that waits for its dependents waits for it.</summary>
internal static class ControllerReference
{
    public static JsonObject To(StoredObject owner, string apiVersion, string kind) => To(owner.Name, owner.Uid, apiVersion, kind);

    /// <inheritdoc cref="To(StoredObject, string, string)"/>
    public static JsonObject To(string name, string uid, string apiVersion, string kind) => new()
    {
        ["apiVersion"] = apiVersion, ["kind"] = kind, ["name"] = name, ["uid"] = uid, ["controller"] = true, ["blockOwnerDeletion"] = true,
    };
}
