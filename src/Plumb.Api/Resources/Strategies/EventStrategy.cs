using System.Text.Json.Nodes;
using Plumb.Api.Resources.Validation;
using Plumb.Api.Storage;

namespace Plumb.Api.Resources.Strategies;

/// <summary>Events are kept as the core group has them; events.k8s.io shows and takes the same under other names.</summary>
internal class EventStrategy : Strategy
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

    /// <summary>A field that selectors may name, under either group's name. An event without a source has its controller for one.</summary>
    public static string Selected(StoredObject stored, string field) => field switch
    {
        "source" => stored.Field("source.component") is { Length: > 0 } source ? source : stored.Field("reportingComponent"),
        "reportingController" => stored.Field("reportingComponent"),
        _ when field.StartsWith("regarding.", StringComparison.Ordinal) => stored.Field("involvedObject." + field["regarding.".Length..]),
        _ => stored.Field(field),
    };

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

/// <summary>What events.k8s.io demands of a new event, and the core group does not.</summary>
internal sealed class NewEventStrategy : EventStrategy
{
    public override void PrepareCreate(JsonObject root, in Admission admission)
    {
        var name = Fields.Text(Fields.Find(root, "metadata"), "name");
        var errors = new FieldErrors();
        if (root["eventTime"] is null)
            errors.Required("eventTime");
        Throw(errors, name);
        var controller = Fields.Text(root, "reportingComponent");
        if (controller.Length == 0)
            errors.Required("reportingController");
        else if (NameSyntax.QualifiedName(controller) is { } fault)
            errors.InvalidText("reportingController", controller, fault);
        Text(root, "reportingInstance", 128, errors);
        Text(root, "action", 128, errors);
        Text(root, "reason", 128, errors);
        if (Fields.Text(root, "message").Length > 1024)
            errors.InvalidText("note", "", "can have at most 1024 characters");
        if (Fields.Text(root, "type") is var type && type is not ("Normal" or "Warning"))
            errors.InvalidText("type", "", $"has invalid value: {type}");
        if (Fields.Number(root, "count") is { } count and not 0)
            errors.Invalid("deprecatedCount", count.ToString(System.Globalization.CultureInfo.InvariantCulture), "needs to be unset");
        foreach (var (member, shown) in (ReadOnlySpan<(string, string)>)[("firstTimestamp", "deprecatedFirstTimestamp"), ("lastTimestamp", "deprecatedLastTimestamp")])
        {
            if (root[member] is { } time)
                errors.Invalid(shown, time, "needs to be unset");
        }

        if (Fields.Find(root, "source") is { Count: > 0 } source)
            errors.Invalid("deprecatedSource", source, "needs to be unset");
        Throw(errors, name);
    }

    private static void Throw(FieldErrors errors, string name)
    {
        // It says the kind without its group.
        if (errors.Count > 0)
            throw errors.ToException("", "Event", name);
    }

    private static void Text(JsonObject root, string member, int most, FieldErrors errors)
    {
        var text = Fields.Text(root, member);
        if (text.Length == 0)
            errors.Required(member);
        else if (text.Length > most)
            errors.InvalidText(member, "", $"can have at most {most} characters");
    }
}
