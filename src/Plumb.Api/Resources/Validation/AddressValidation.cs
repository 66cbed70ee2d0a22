using System.Net;
using System.Text.Json.Nodes;

namespace Plumb.Api.Resources.Validation;

/// <summary>Addresses and ports of endpoints.</summary>
internal static class AddressValidation
{
    /// <summary>An address that another machine can be asked to send to.</summary>
    public static void Endpoint(string text, string at, FieldErrors errors)
    {
        if (!NameSyntax.IsAddress(text) || !IPAddress.TryParse(text, out var address))
        {
            errors.InvalidText(at, text, NameSyntax.AddressText);
            return;
        }

        var bytes = address.GetAddressBytes();
        if (address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any))
            errors.InvalidText(at, text, $"may not be unspecified ({text})");
        else if (IPAddress.IsLoopback(address))
            errors.InvalidText(at, text, "may not be in the loopback range (127.0.0.0/8, ::1/128)");
        else if (bytes is [169, 254, ..] || address.IsIPv6LinkLocal)
            errors.InvalidText(at, text, "may not be in the link-local range (169.254.0.0/16, fe80::/10)");
        else if (bytes is [224, 0, 0, _] || (address.IsIPv6Multicast && bytes[1] == 2))
            errors.InvalidText(at, text, "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)");
    }

    /// <summary>Whether a proxy may go there: one host's address, and not only on its own machine or link (Go's IsGlobalUnicast).</summary>
    public static bool IsGlobalUnicast(IPAddress address)
    {
        var plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        return !(IPAddress.IsLoopback(plain) || plain.IsIPv6LinkLocal || plain.IsIPv6Multicast || plain.Equals(IPAddress.Any) || plain.Equals(IPAddress.IPv6Any) || plain.Equals(IPAddress.Broadcast)
            || plain.GetAddressBytes() is [169, 254, _, _] or [>= 224 and <= 239, _, _, _]);
    }

    public static void Ports(JsonObject parent, string at, bool required, FieldErrors errors)
    {
        var names = new HashSet<string>();
        var ports = Fields.Objects(parent, "ports").ToList();
        for (var i = 0; i < ports.Count; i++)
        {
            var here = $"{at}[{i}]";
            var name = Fields.Text(ports[i], "name");
            if (name.Length == 0 && required && ports.Count > 1)
                errors.Required(here + ".name");
            foreach (var fault in name.Length == 0 ? [] : NameSyntax.PlainLabel(name))
                errors.InvalidText(here + ".name", name, fault);
            if (!names.Add(name) && !required)
                errors.Duplicate(here + ".name", FieldErrors.Quote(name));
            var number = Fields.Number(ports[i], "port");
            if ((required && number is null) || number > 65535 || number < (required ? 1 : 0))
                errors.Invalid(here + ".port", (number ?? 0).ToString(), NameSyntax.PortText);
            var protocol = Fields.Text(ports[i], "protocol");
            if (protocol is not ("SCTP" or "TCP" or "UDP"))
                errors.NotSupported(here + ".protocol", protocol, "SCTP", "TCP", "UDP");
        }
    }
}
