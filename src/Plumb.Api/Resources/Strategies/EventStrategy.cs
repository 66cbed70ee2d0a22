using System.Text.Json.Nodes;
using Plumb.Api.Resources.Validation;

namespace Plumb.Api.Resources.Strategies;

/// <summary>Events are kept as the core group has them; events.k8s.io shows and takes the same under other names.</summary>
internal sealed class EventStrategy : Strategy
{
    private static readonly (string Core, string New)[] Names =
    [
        ("involvedObject", "regarding"), ("message", "note"), ("source", "deprecatedSource"), ("firstTimestamp", "deprecatedFirstTimestamp"),
        ("lastTimestamp", "deprecatedLastTimestamp"), ("count", "deprecatedCount"), ("reportingComponent", "reportingController"),
    ];

    public override bool StatusIsSeparate => false;

    public override void Default(JsonObject root)
    {
        Fields.Default(root, "source", new JsonObject());
        foreach (var member in (ReadOnlySpan<string>)["reportingComponent", "reportingInstance"])
            Fields.Default(root, member, "");
        foreach (var member in (ReadOnlySpan<string>)["firstTimestamp", "lastTimestamp", "eventTime"])
        {
            if (!root.ContainsKey(member))
                root[member] = null;
        }
    }

    public override void Validate(JsonObject root, FieldErrors errors)
    {
        var about = Fields.Text(Fields.Find(root, "involvedObject"), "namespace");
        var own = Fields.Text(Fields.Find(root, "metadata"), "namespace");
        if (about.Length > 0 && about != own)
            errors.InvalidText("involvedObject.namespace", about, "does not match event.namespace");
        else if (about.Length == 0 && own != "default")
            errors.InvalidText("involvedObject.namespace", about, "does not match event.namespace");
    }

    public static JsonObject ToEventsGroup(JsonObject root)
    {
        foreach (var (core, renamed) in Names)
            Rename(root, core, renamed);
        root["apiVersion"] = "events.k8s.io/v1";
        foreach (var member in (ReadOnlySpan<string>)["reportingController", "reportingInstance", "action"])
        {
            if (Fields.Text(root, member).Length == 0)
                root.Remove(member);
        }

        return root;
    }

    public static JsonObject FromEventsGroup(JsonObject root)
    {
        foreach (var (core, renamed) in Names)
            Rename(root, renamed, core);
        return root;
    }

    private static void Rename(JsonObject root, string from, string to)
    {
        if (!root.TryGetPropertyValue(from, out var value))
            return;
        root.Remove(from);
        root[to] = value;
    }
}
