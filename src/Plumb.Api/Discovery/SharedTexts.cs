using System.Text.Json.Nodes;
using Plumb.Api.Schema;

namespace Plumb.Api.Discovery;

/// <summary>What `kubectl explain` says of the fields that objects of all kinds have.</summary>
internal static class SharedTexts
{
    private static readonly Dictionary<string, string> OfKind = new()
    {
        ["apiVersion"] = "APIVersion defines which version of which group's schema the object is written in.",
        ["kind"] = "Kind is what the object is: the name of a type, in CamelCase. It does not change.",
        ["metadata"] = "Standard object's metadata: its name, its labels, who owns it, and what else objects of all kinds have.",
    };

    private static readonly Dictionary<string, string> OfMetadata = new()
    {
        ["name"] = "Name is what the object is called; no other of its kind and namespace has the same name. It does not change.",
        ["generateName"] = "GenerateName is what the server begins a name with that it makes, when no name is given.",
        ["namespace"] = "Namespace is where the name counts. Objects of a cluster's own kinds (nodes, namespaces) have none.",
        ["selfLink"] = "SelfLink is not filled in any more.",
        ["uid"] = "UID tells the object from all that ever had its name. The server gives it.",
        ["resourceVersion"] = "ResourceVersion changes with each write. An update that names another one than the stored is refused.",
        ["generation"] = "Generation counts how often what is wanted of the object (its spec) has changed.",
        ["creationTimestamp"] = "CreationTimestamp is a timestamp: when the server stored the object first.",
        ["deletionTimestamp"] = "DeletionTimestamp is when the object is to be gone. The server sets it when a deletion is asked for and something keeps the object.",
        ["deletionGracePeriodSeconds"] = "DeletionGracePeriodSeconds is how long the object may take to end.",
        ["labels"] = "Labels are what selectors find the object by.",
        ["annotations"] = "Annotations are what tools keep with the object; nothing is found by them.",
        ["ownerReferences"] = "OwnerReferences are the objects with which this one goes when all of them are gone. At most one of them is its controller.",
        ["finalizers"] = "Finalizers keep the object after its deletion until each of them was removed by whoever added it.",
        ["managedFields"] = "ManagedFields says who has set which field, for server-side apply.",
    };

    /// <summary>Says of a field what it is, if it is one that all kinds have.</summary>
    public static void Describe(TypeSchema schema, string name, JsonNode field)
    {
        if ((schema == TypeTable.Metadata ? OfMetadata : schema.IsKind ? OfKind : null)?.GetValueOrDefault(name) is { } text)
            field["description"] = text;
    }

    /// <inheritdoc cref="Describe(TypeSchema, string, JsonNode)"/>
    public static JsonObject Describe(string name, JsonObject field)
    {
        field["description"] = OfKind[name];
        return field;
    }
}
