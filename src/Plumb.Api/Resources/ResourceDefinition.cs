using Plumb.Api.Custom;
using Plumb.Api.Resources.Apply;
using Plumb.Api.Resources.Strategies;
using Plumb.Api.Resources.Tables;
using Plumb.Api.Storage;

namespace Plumb.Api.Resources;

/// <summary>One row of the table of resources: all that the router, discovery, storage and output know of a kind.</summary>
public sealed class ResourceDefinition
{
    internal static readonly string[] AllVerbs = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];

    public required GroupResource Resource { get; init; }

    public required string Version { get; init; }

    public required string Kind { get; init; }

    public required string Singular { get; init; }

    public required bool Namespaced { get; init; }

    public IReadOnlyList<string> ShortNames { get; init; } = [];

    public IReadOnlyList<string> Categories { get; init; } = [];

    internal IReadOnlyList<string> Verbs { get; init; } = AllVerbs;

    internal IReadOnlyList<Subresource> Subresources { get; init; } = [];

    internal Strategy Strategy { get; init; } = Strategy.Plain;

    internal TableLayout Table { get; init; } = TableLayout.NameAndAge;

    /// <summary>Where another group's resource holds the same objects (events.k8s.io shows the core group's events): that resource.</summary>
    internal GroupResource Stored { get; init; }

    /// <summary>Reads a selectable field of a stored object, where one is elsewhere than its name says.</summary>
    internal Func<StoredObject, string, string>? Selected { get; init; }

    /// <summary>Turns what is stored into what this resource shows, and back; null where they are the same.</summary>
    internal Func<System.Text.Json.Nodes.JsonObject, System.Text.Json.Nodes.JsonObject>? Show { get; init; }

    internal Func<System.Text.Json.Nodes.JsonObject, System.Text.Json.Nodes.JsonObject>? Accept { get; init; }

    /// <summary>Whether a deletion is answered with the object; others answer with a Status.</summary>
    internal bool ReturnsDeleted { get; init; }

    /// <summary>`v1`, `apps/v1`.</summary>
    public string ApiVersion => Resource.Group.Length == 0 ? Version : $"{Resource.Group}/{Version}";

    internal GroupResource StoredIn => Stored.Resource is null ? Resource : Stored;

    /// <summary>`metadata.generation` counts changes of the spec.</summary>
    internal bool HasGeneration { get; init; }

    /// <summary>How objects of this kind merge when they are applied, and what of them can be owned.</summary>
    internal Shape Shape => Custom?.Shape ?? Schema.TypeTable.Of(this)?.Shape ?? Shape.Unknown;

    /// <summary>The schema of a custom resource; null: the kind is one of the server's own.</summary>
    internal StructuralSchema? Custom { get; init; }

    /// <summary>Objects of this kind are questions: they are answered, and not kept.</summary>
    internal bool IsReview { get; init; }

    internal ScalePaths Scale { get; init; } = ScalePaths.Workload;

    public string ListKind
    {
        get => field ?? Kind + "List";
        init;
    }

    internal bool HasStatus
    {
        get
        {
            foreach (var subresource in Subresources)
            {
                if (subresource.Name == "status")
                    return true;
            }

            return false;
        }
    }
}

/// <summary>What follows an object's name in its path.</summary>
/// <param name="Kind">The kind that it speaks; null: that of the resource.</param>
/// <param name="Group">The group of that kind where it is another one, with <paramref name="Version"/>.</param>
internal sealed record Subresource(string Name, string[] Verbs, string? Kind = null, string Group = "", string Version = "");
