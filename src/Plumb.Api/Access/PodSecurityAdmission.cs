using System.Text.Json.Nodes;
using Plumb.Api.Resources;
using Plumb.Api.Resources.Validation;
using Plumb.Api.Storage;

namespace Plumb.Api.Access;

/// <summary>
/// The admission plugin `PodSecurity`: a namespace's labels `pod-security.kubernetes.io/enforce` and `…/warn` say how much its pods may ask for (`baseline` or `restricted`, in
/// the words and the order of the real plugin). A level's version is read as the latest; `audit` goes unheard, as there is no audit log, and AppArmor, SELinux and Windows are not looked at.
/// </summary>
internal static class PodSecurityAdmission
{
    private const string EnforceLabel = "pod-security.kubernetes.io/enforce";
    private const string EnforceVersionLabel = "pod-security.kubernetes.io/enforce-version";
    private const string WarnLabel = "pod-security.kubernetes.io/warn";
    private const string WarnVersionLabel = "pod-security.kubernetes.io/warn-version";

    private static readonly HashSet<string> BaselineCapabilities =
        ["AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"];

    private static readonly HashSet<string> SafeSysctls =
    [
        "kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.ip_unprivileged_port_start", "net.ipv4.tcp_syncookies", "net.ipv4.ping_group_range",
        "net.ipv4.ip_local_reserved_ports", "net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl", "net.ipv4.tcp_keepalive_probes",
        "net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem",
    ];

    private static readonly HashSet<string> RestrictedVolumes = ["configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret", "image"];

    /// <exception cref="ApiException">403.</exception>
    public static void Admit(in Admission admission, JsonObject root)
    {
        var metadata = Fields.Object(root, "metadata");
        if (LabelsOf(admission, metadata) is not { } labels)
            return;
        var spec = Fields.Object(root, "spec");
        if (Violations(spec, labels, EnforceLabel, EnforceVersionLabel) is { } violations)
            throw ApiException.Forbidden(GroupResource.Pods, Fields.Text(metadata, "name"), "violates " + violations);
        Warn(admission, labels, spec);
    }

    /// <summary>What makes pods is only warned of: its pods are refused when they come.</summary>
    /// <param name="holder">What has the template in its spec: the object itself, or what it makes.</param>
    public static void AdmitTemplate(in Admission admission, JsonObject root, JsonObject holder)
    {
        if (LabelsOf(admission, Fields.Object(root, "metadata")) is { } labels)
            Warn(admission, labels, Fields.Object(Fields.Object(Fields.Object(holder, "spec"), "template"), "spec"));
    }

    private static LabelDictionary? LabelsOf(in Admission admission, JsonObject metadata) =>
        admission.Registry.Store.Find(new StoreKey(GroupResource.Namespaces, "", Fields.Text(metadata, "namespace")))?.Labels;

    private static void Warn(in Admission admission, LabelDictionary labels, JsonObject spec)
    {
        if (Violations(spec, labels, WarnLabel, WarnVersionLabel) is { } violations)
            admission.Warn("would violate " + violations);
    }

    private static string? Violations(JsonObject spec, LabelDictionary labels, string label, string versionLabel)
    {
        if (!labels.TryGetValue(label, out var level) || level is not ("baseline" or "restricted"))
            return null;
        var found = Check(spec, isRestricted: level == "restricted");
        return found.Count == 0 ? null : $"PodSecurity \"{level}:{(labels.TryGetValue(versionLabel, out var version) ? version : "latest")}\": {string.Join(", ", found)}";
    }

    private static List<string> Check(JsonObject spec, bool isRestricted)
    {
        var pod = new PodUnderLook(spec);
        var found = new List<string>();
        Baseline(pod, spec, isRestricted, found);
        if (isRestricted)
            Restricted(pod, spec, found);
        return found;
    }

    /// <param name="isRestricted">What the stricter level looks at itself is left to it.</param>
    private static void Baseline(PodUnderLook pod, JsonObject spec, bool isRestricted, List<string> found)
    {
        static List<string> Strange(JsonObject container) => Added(container).FindAll(static name => !BaselineCapabilities.Contains(name));
        if (!isRestricted)
            pod.Each(found, "non-default capabilities", static container => Strange(container).Count > 0, containers => $"must not include {Distinct(containers.SelectMany(Strange))} in securityContext.capabilities.add");
        Host(spec, found);
        var paths = Fields.Objects(spec, "volumes").Where(static volume => volume["hostPath"] is not null).Select(static volume => Fields.Text(volume, "name")).ToList();
        if (paths.Count > 0 && !isRestricted)
            found.Add($"hostPath volumes ({Named("volume", paths)})");
        static List<long> HostPorts(JsonObject container) => [.. Fields.Objects(container, "ports").Select(static port => Fields.Number(port, "hostPort") ?? 0).Where(static port => port > 0)];
        pod.Each(found, "hostPort", static container => HostPorts(container).Count > 0, static containers =>
        {
            var ports = containers.SelectMany(HostPorts).Distinct().Order().ToList();
            return $"use{(containers.Count == 1 ? "s" : "")} hostPort{(ports.Count == 1 ? "" : "s")} {string.Join(", ", ports)}";
        });
        pod.Each(found, "privileged", static container => Fields.Flag(Security(container), "privileged"), "must not set securityContext.privileged=true");
        pod.Each(found, "procMount", static container => Fields.Text(Security(container), "procMount") is not ("" or "Default"), "must not set securityContext.procMount to \"Unmasked\"");
        if (!isRestricted)
            pod.EachOrPod(found, "seccompProfile", static owner => Profile(owner) == "Unconfined", spec, "must not set securityContext.seccompProfile.type to \"Unconfined\"");
        var sysctls = Fields.Objects(Security(spec), "sysctls").Select(static sysctl => Fields.Text(sysctl, "name")).Where(static name => !SafeSysctls.Contains(name)).ToList();
        if (sysctls.Count > 0)
            found.Add($"forbidden sysctls ({string.Join(", ", sysctls)})");
    }

    private static void Host(JsonObject spec, List<string> found)
    {
        var shared = ((ReadOnlySpan<string>)["hostNetwork", "hostPID", "hostIPC"]).ToArray().Where(member => Fields.Flag(spec, member)).Select(static member => member + "=true").ToList();
        if (shared.Count > 0)
            found.Add($"host namespaces ({string.Join(", ", shared)})");
    }

    private static void Restricted(PodUnderLook pod, JsonObject spec, List<string> found)
    {
        var kinds = Fields.Objects(spec, "volumes").Select(static volume => (Name: Fields.Text(volume, "name"), Kind: volume.Select(static member => member.Key).FirstOrDefault(static member => member != "name") ?? "emptyDir"))
            .Where(static volume => !RestrictedVolumes.Contains(volume.Kind)).ToList();
        if (kinds.Count > 0)
            found.Add($"restricted volume types ({Named("volume", kinds.Select(static volume => volume.Name))} use{(kinds.Count == 1 ? "s" : "")} restricted volume type{(kinds.Select(static volume => volume.Kind).Distinct().Count() == 1 ? "" : "s")} {Distinct(kinds.Select(static volume => volume.Kind))})");
        pod.Each(found, "allowPrivilegeEscalation != false", static container => Security(container)?["allowPrivilegeEscalation"]?.ToString() != "false", "must set securityContext.allowPrivilegeEscalation=false");
        pod.Each(found, "unrestricted capabilities", static container => !MetadataValidation.Texts(Fields.Find(Security(container), "capabilities"), "drop").Contains("ALL"), "must set securityContext.capabilities.drop=[\"ALL\"]");
        pod.Each(found, "unrestricted capabilities", static container => Added(container).Any(static name => name != "NET_BIND_SERVICE"), static containers => $"must not include {Distinct(containers.SelectMany(Added).Where(static name => name != "NET_BIND_SERVICE"))} in securityContext.capabilities.add");
        pod.Inherited(found, "runAsNonRoot != true", Security(spec)?["runAsNonRoot"]?.ToString() == "true", static container => Security(container)?["runAsNonRoot"]?.ToString(), static value => value == "true", "must set securityContext.runAsNonRoot=true");
        pod.EachOrPod(found, "runAsUser=0", static owner => Fields.Number(Security(owner), "runAsUser") == 0, spec, "must not set runAsUser=0");
        pod.Inherited(found, "seccompProfile", Profile(spec) is "RuntimeDefault" or "Localhost", Profile, static value => value is "RuntimeDefault" or "Localhost", "must set securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\"");
    }

    private static JsonObject? Security(JsonObject? owner) => Fields.Find(owner, "securityContext");

    private static string? Profile(JsonObject? owner) => Fields.Find(Security(owner), "seccompProfile") is { } profile ? Fields.Text(profile, "type") : null;

    private static List<string> Added(JsonObject container) => MetadataValidation.Texts(Fields.Find(Security(container), "capabilities"), "add");

    private static string Quoted(IEnumerable<string> names) => string.Join(", ", names.Select(FieldErrors.Quote));

    private static string Distinct(IEnumerable<string> names) => Quoted(names.Distinct().Order(StringComparer.Ordinal));

    private static string Named(string what, IEnumerable<string> names)
    {
        var all = names.ToList();
        return $"{what}{(all.Count == 1 ? "" : "s")} {Quoted(all)}";
    }

    /// <summary>All containers of a pod, of whatever kind.</summary>
    private sealed class PodUnderLook(JsonObject spec)
    {
        public List<JsonObject> Containers { get; } = [.. Fields.Objects(spec, "initContainers"), .. Fields.Objects(spec, "containers"), .. Fields.Objects(spec, "ephemeralContainers")];

        public void Each(List<string> found, string rule, Predicate<JsonObject> isBad, string remedy) => Each(found, rule, isBad, _ => remedy);

        public void Each(List<string> found, string rule, Predicate<JsonObject> isBad, Func<List<JsonObject>, string> remedy)
        {
            var bad = Containers.FindAll(isBad);
            if (bad.Count == 0)
                return;
            var detail = $"{Name(bad)} {remedy(bad)}";
            var same = found.FindIndex(other => other.StartsWith(rule + " (", StringComparison.Ordinal));
            if (same < 0)
                found.Add($"{rule} ({detail})");
            else
                found[same] = $"{found[same][..^1]}; {detail})";
        }

        public void EachOrPod(List<string> found, string rule, Predicate<JsonObject?> isBad, JsonObject whole, string remedy)
        {
            var bad = Containers.FindAll(isBad);
            var who = string.Join(" and ", ((ReadOnlySpan<string>)[isBad(whole) ? "pod" : "", bad.Count > 0 ? Name(bad) : ""]).ToArray().Where(static text => text.Length > 0));
            if (who.Length > 0)
                found.Add($"{rule} ({who} {remedy})");
        }

        /// <summary>What the pod says holds for containers that say nothing.</summary>
        public void Inherited(List<string> found, string rule, bool isPodGood, Func<JsonObject, string?> value, Predicate<string?> isGood, string remedy)
        {
            var wrong = Containers.FindAll(container => value(container) is { } said && !isGood(said));
            var silent = Containers.FindAll(container => value(container) is null);
            if (wrong.Count > 0)
                found.Add($"{rule} ({Name(wrong)} {remedy})");
            else if (!isPodGood && silent.Count > 0)
                found.Add($"{rule} (pod or {Name(silent)} {remedy})");
        }

        private static string Name(List<JsonObject> containers) => Named("container", containers.Select(static container => Fields.Text(container, "name")));
    }
}
