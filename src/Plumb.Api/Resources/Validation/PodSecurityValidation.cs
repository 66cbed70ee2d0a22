using System.Text.Json.Nodes;

namespace Plumb.Api.Resources.Validation;

/// <summary>`securityContext` of pods and of containers (pkg/apis/core/validation: ValidateSecurityContext, validateSysctls).</summary>
internal static class PodSecurityValidation
{
    private const int LongestName = 253;
    private const string NamePattern = @"^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$";

    // Of the server's own type, whose names and order its message shows.
    private static readonly string[] Members =
    [
        "Capabilities", "Privileged", "SELinuxOptions", "WindowsOptions", "RunAsUser", "RunAsGroup", "RunAsNonRoot", "ReadOnlyRootFilesystem", "AllowPrivilegeEscalation", "ProcMount",
        "SeccompProfile", "AppArmorProfile",
    ];

    /// <param name="at">Of the spec.</param>
    public static void Pod(JsonObject spec, string at, FieldErrors errors)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        var index = 0;
        foreach (var sysctl in Fields.Objects(Fields.Find(spec, "securityContext"), "sysctls"))
        {
            var here = $"{at}.securityContext.sysctls[{index++}].name";
            var name = Fields.Text(sysctl, "name");
            if (name.Length == 0)
                errors.Required(here);
            else if (!IsName(name))
                errors.InvalidText(here, name, $"must have at most {LongestName} characters and match regex {NamePattern}");
            else if (!names.Add(name))
                errors.Duplicate(here, FieldErrors.Quote(name));
            var dotted = name.Replace('/', '.');
            if (dotted.StartsWith("net.", StringComparison.Ordinal) && Fields.Flag(spec, "hostNetwork"))
                errors.InvalidText(here, name, "may not be specified when 'hostNetwork' is true");
            else if (IsOfIpc(dotted) && Fields.Flag(spec, "hostIPC"))
                errors.InvalidText(here, name, "may not be specified when 'hostIPC' is true");
        }
    }

    /// <param name="container">With its <c>securityContext</c>.</param>
    /// <param name="at">Of the container.</param>
    public static void Container(JsonObject spec, JsonObject container, string at, FieldErrors errors)
    {
        if (Fields.Find(container, "securityContext") is not { } context)
            return;
        var here = at + ".securityContext";
        if (Fields.Text(context, "procMount") is { Length: > 0 } mount)
        {
            if (mount is not ("Default" or "Unmasked"))
                errors.NotSupported(here + ".procMount", mount, "Default", "Unmasked");
            else if (mount == "Unmasked" && spec["hostUsers"]?.ToString() != "false")
                errors.InvalidText(here + ".procMount", mount, "`hostUsers` must be false to use `Unmasked`");
        }
        if (context["allowPrivilegeEscalation"]?.ToString() != "false")
            return;
        if (Fields.Flag(context, "privileged"))
            errors.Invalid(here, Shown(context), "cannot set `allowPrivilegeEscalation` to false and `privileged` to true");
        foreach (var name in MetadataValidation.Texts(Fields.Find(context, "capabilities"), "add"))
        {
            if (name == "CAP_SYS_ADMIN")
                errors.Invalid(here, Shown(context), "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN");
        }
    }

    private static bool IsName(string name) => name.Length <= LongestName && name.Split('.', '/').All(static segment =>
        segment.Length > 0 && IsPlain(segment[0]) && IsPlain(segment[^1]) && segment.All(static c => IsPlain(c) || c is '-' or '_'));

    private static bool IsPlain(char c) => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c);

    private static bool IsOfIpc(string name) => name is "kernel.sem" or "kernel.shm" or "kernel.shmall" or "kernel.shmmax" or "kernel.shmmni" or "kernel.shm_rmid_forced"
        or "kernel.msg" or "kernel.msgmax" or "kernel.msgmnb" or "kernel.msgmni" || name.StartsWith("fs.mqueue.", StringComparison.Ordinal);

    private static string Shown(JsonObject context) => "{" + string.Join(',', Members.Select(name => $"\"{name}\":{Member(context, name)}")) + "}";

    private static string Member(JsonObject context, string name) => context[name.StartsWith("SEL", StringComparison.Ordinal) ? "seLinuxOptions" : char.ToLowerInvariant(name[0]) + name[1..]] switch
    {
        null => "null",
        JsonObject capabilities when name == "Capabilities" => $"{{\"Add\":{FieldErrors.Show(capabilities["add"])},\"Drop\":{FieldErrors.Show(capabilities["drop"])}}}",
        JsonObject other => "{" + string.Join(',', other.Select(static one => $"\"{char.ToUpperInvariant(one.Key[0])}{one.Key[1..]}\":{FieldErrors.Show(one.Value)}")) + "}",
        var value => FieldErrors.Show(value),
    };
}
