using System.Text.Json.Nodes;
using Plumb.Api.Resources.Validation;
using Plumb.Api.Storage;

namespace Plumb.Api.Resources.Strategies;

/// <summary>What is particular to one kind. The base, as it is, stores what comes.</summary>
internal abstract class Strategy
{
    public static readonly Strategy Plain = new PlainStrategy();

    /// <summary>Whether updates of the object itself leave its status alone.</summary>
    public virtual bool StatusIsSeparate => true;

    /// <summary>What a name must be.</summary>
    public virtual NameRule Name => NameRule.Subdomain;

    /// <summary>Fills in what the client left out. Applied to every write; must change nothing the second time.</summary>
    public virtual void Default(JsonObject root)
    {
    }

    public virtual void PrepareCreate(JsonObject root, in Admission admission)
    {
    }

    public virtual void PrepareUpdate(JsonObject root, JsonObject old, Part part, in Admission admission)
    {
    }

    public virtual void Validate(JsonObject root, FieldErrors errors)
    {
    }

    public virtual void ValidateUpdate(JsonObject root, JsonObject old, FieldErrors errors)
    {
    }

    public virtual void ValidateStatus(JsonObject root, JsonObject old, FieldErrors errors)
    {
    }

    /// <summary>Takes what the object needs and no other may have (addresses, ports). What it took for an object with errors it gives back itself.</summary>
    /// <param name="old">Null: the object is new.</param>
    public virtual void Allocate(JsonObject root, JsonObject? old, FieldErrors errors)
    {
    }

    /// <summary>Gives back what <see cref="Allocate"/> took for a version that is not stored after all.</summary>
    public virtual void Abandon(JsonObject root, JsonObject? old)
    {
    }

    public virtual void Updated(JsonObject root, JsonObject old)
    {
    }

    public virtual void Deleted(JsonObject last)
    {
    }

    /// <summary>The object with the status (and what else a status writer may write) of <paramref name="proposed"/>.</summary>
    public virtual JsonObject TakeStatus(JsonObject old, JsonObject proposed)
    {
        var root = old.DeepClone().AsObject();
        if (proposed["status"] is { } status)
            root["status"] = status.DeepClone();
        else
            root.Remove("status");
        if (proposed["metadata"]?["resourceVersion"] is { } version)
            root["metadata"]!["resourceVersion"] = version.DeepClone();
        return root;
    }

    public virtual bool ChangesGeneration(JsonObject root, JsonObject old) => !JsonNode.DeepEquals(root["spec"], old["spec"]);

    /// <summary>Seconds that the object stays after a request to delete it.</summary>
    public virtual long Grace(JsonObject root, StoredObject present, DeleteOptions options) => 0;

    /// <summary>Something beside `metadata.finalizers` keeps the object (a namespace's `spec.finalizers`).</summary>
    public virtual bool HoldsDeletion(JsonObject root) => false;

    /// <summary>Marks an object that was told to go.</summary>
    public virtual void PrepareDeletion(JsonObject root)
    {
    }

    private sealed class PlainStrategy : Strategy;
}
