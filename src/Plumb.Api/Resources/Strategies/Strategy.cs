using System.Text.Json.Nodes;
using Plumb.Api.Resources.Validation;
using Plumb.Api.Storage;

namespace Plumb.Api.Resources.Strategies;

/// <summary>What is particular to one kind. The base, as it is, stores what comes.</summary>
internal abstract class Strategy
{
    public static readonly Strategy Plain = new PlainStrategy();

    private static readonly string[] LabelsAndAnnotations = ["labels", "annotations"];

    /// <summary>Whether updates of the object itself leave its status alone.</summary>
    public virtual bool StatusIsSeparate => true;

    /// <summary>What a name must be.</summary>
    public virtual NameRule Name => NameRule.Subdomain;

    /// <summary>Fills in what the client left out. Applied to every write but those of a status; must change nothing the second time.</summary>
    public virtual void Default(JsonObject root)
    {
    }

    /// <summary>The same for a write of the status alone.</summary>
    public virtual void DefaultStatus(JsonObject root)
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

    /// <summary>What <see cref="ValidateUpdate"/> says of an update is all that there is to say.</summary>
    public virtual bool IsSettled(JsonObject root, JsonObject old) => false;

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

    /// <summary>It is stored, under the name that it now has.</summary>
    public virtual void Created(JsonObject root)
    {
    }

    public virtual void Updated(JsonObject root, JsonObject old)
    {
    }

    public virtual void Deleted(JsonObject last)
    {
    }

    /// <summary>Moves the status (and what else a status writer may write) of <paramref name="proposed"/> to a copy of the object as it is.</summary>
    public virtual void TakeStatus(JsonObject root, JsonObject proposed)
    {
        if (proposed.Remove("status", out var status) && status is not null)
            root["status"] = status;
        else
            root.Remove("status");
        if (proposed["metadata"]?["resourceVersion"] is { } version)
            root["metadata"]!["resourceVersion"] = version.DeepClone();
        var metadata = Fields.Object(root, "metadata");
        foreach (var member in StatusMetadata)
        {
            if (Fields.Find(proposed, "metadata")?[member] is { } value)
                metadata[member] = value.DeepClone();
            else
                metadata.Remove(member);
        }
    }

    /// <summary>Members of the metadata that whoever writes a status writes with it.</summary>
    protected virtual ReadOnlySpan<string> StatusMetadata => LabelsAndAnnotations;

    public virtual bool ChangesGeneration(JsonObject root, JsonObject old) => !JsonNode.DeepEquals(root["spec"], old["spec"]);

    /// <summary>Seconds that the object stays after a request to delete it.</summary>
    public virtual long Grace(JsonObject root, StoredObject present, DeleteOptions options) => 0;

    /// <summary>Objects of this kind are told to go before they are gone, even when both are at once.</summary>
    public virtual bool IsGraceful => false;

    /// <summary>It is stored with the mark of its deletion, and stays for its grace or its finalizers.</summary>
    public virtual void DeletionBegun(JsonObject root)
    {
    }

    /// <summary>Something beside `metadata.finalizers` keeps the object (a namespace's `spec.finalizers`).</summary>
    public virtual bool HoldsDeletion(JsonObject root) => false;

    /// <summary>Marks an object that was told to go.</summary>
    public virtual void PrepareDeletion(JsonObject root)
    {
    }

    private sealed class PlainStrategy : Strategy;
}
