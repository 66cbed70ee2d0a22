using System.Text.Json.Nodes;

namespace Plumb.Api.Resources.Validation;

internal static class ProbeValidation
{
    private static readonly string[] Handlers = ["exec", "httpGet", "tcpSocket", "grpc"];

    public static void Probes(JsonObject container, string at, FieldErrors errors)
    {
        foreach (var member in (ReadOnlySpan<string>)["livenessProbe", "readinessProbe", "startupProbe"])
        {
            if (Fields.Find(container, member) is not { } probe)
                continue;
            var here = $"{at}.{member}";
            var found = Handlers.Where(handler => probe[handler] is not null).ToList();
            if (found.Count == 0)
                errors.Required(here, "must specify a handler type");
            foreach (var extra in found.Skip(1))
                errors.Forbidden($"{here}.{extra}", "may not specify more than 1 handler type");
            if (found.Count > 0)
                Handler(probe, found[0], here, errors);
            if (member != "readinessProbe" && Fields.Number(probe, "successThreshold") is { } threshold && threshold != 1)
                errors.Invalid(here + ".successThreshold", threshold.ToString(), "must be 1");
        }
    }

    private static void Handler(JsonObject probe, string handler, string at, FieldErrors errors)
    {
        var action = Fields.Find(probe, handler);
        if (handler == "exec")
        {
            if (Fields.Array(action, "command") is not { Count: > 0 })
                errors.Required($"{at}.exec.command");
            return;
        }

        Port(action?["port"], $"{at}.{handler}.port", errors);
    }

    /// <summary>A number, or the name of one of the container's ports.</summary>
    public static void Port(JsonNode? port, string at, FieldErrors errors)
    {
        if (Fields.Number(port) is { } number)
        {
            if (number is < 1 or > 65535)
                errors.Invalid(at, number.ToString(), NameSyntax.PortText);
            return;
        }

        var name = port is JsonValue value && value.TryGetValue<string>(out var text) ? text : "";
        foreach (var fault in NameSyntax.PortName(name))
            errors.InvalidText(at, name, fault);
    }
}
