using System.Text.Json.Nodes;
using Plumb.Api.Resources;
using Plumb.Api.Storage;

namespace Plumb.Api.Access;

/// <summary>Every pod has a service account, and in its containers what they need to speak to the API under it (the admission plugin `ServiceAccount`).</summary>
internal static class ServiceAccountAdmission
{
    private const string Default = "default";
    private const string MirrorAnnotation = "kubernetes.io/config.mirror";
    private const string VolumePrefix = "kube-api-access-";
    private const string MountPath = "/var/run/secrets/kubernetes.io/serviceaccount";

    /// <summary>An hour, and seven seconds by which servers know a token that was asked for here.</summary>
    private const long TokenSeconds = 3607;

    /// <exception cref="ApiException">403.</exception>
    public static void Admit(in Admission admission, JsonObject root)
    {
        var metadata = Fields.Object(root, "metadata");
        var spec = Fields.Object(root, "spec");
        var (@namespace, name) = (Fields.Text(metadata, "namespace"), Fields.Text(metadata, "name"));
        if (Fields.Find(metadata, "annotations")?[MirrorAnnotation] is not null)
        {
            if (Fields.Text(spec, "serviceAccountName").Length > 0)
                throw ApiException.Forbidden(GroupResource.Pods, name, "a mirror pod may not reference service accounts");
            return;
        }

        Fields.DefaultText(spec, "serviceAccountName", Default);
        var accountName = Fields.Text(spec, "serviceAccountName");
        spec["serviceAccount"] = accountName;
        var account = Find(admission.Registry, @namespace, accountName)?.ToNode()
            ?? throw ApiException.Forbidden(GroupResource.Pods, name, $"error looking up service account {@namespace}/{accountName}: serviceaccount \"{accountName}\" not found");
        if (Mounts(spec, account))
            Mount(spec, admission.Registry.Names);
        if (Fields.Array(spec, "imagePullSecrets") is not { Count: > 0 } && Fields.Array(account, "imagePullSecrets") is { Count: > 0 } secrets)
            spec["imagePullSecrets"] = secrets.DeepClone();
    }

    /// <remarks>A controller makes the account `default`, and a real server waits for it up to two seconds. Here it is made at once where it is missed.</remarks>
    private static StoredObject? Find(Registry registry, string @namespace, string name)
    {
        var key = new StoreKey(GroupResource.ServiceAccounts, @namespace, name);
        if (registry.Store.Find(key) is { } found || name != Default)
            return registry.Store.Find(key);
        try
        {
            return registry.Create(GroupResource.ServiceAccounts, @namespace, new JsonObject { ["metadata"] = new JsonObject { ["name"] = Default } });
        }
        catch (ApiException present) when (present.IsAlreadyExists)
        {
            return registry.Store.Find(key);
        }
    }

    /// <summary>The pod's own word counts before that of its account.</summary>
    private static bool Mounts(JsonObject spec, JsonObject account)
    {
        const string member = "automountServiceAccountToken";
        return spec[member] is not null ? Fields.Flag(spec, member) : account[member] is null || Fields.Flag(account, member);
    }

    private static void Mount(JsonObject spec, Names names)
    {
        string? volume = null;
        foreach (var present in Fields.Objects(spec, "volumes"))
        {
            if (Fields.Text(present, "name") is var named && named.StartsWith(VolumePrefix, StringComparison.Ordinal))
                volume ??= named;
        }

        var isMade = volume is null;
        volume ??= names.Generate(VolumePrefix);
        var isMounted = false;
        foreach (var member in (ReadOnlySpan<string>)["initContainers", "containers"])
        {
            foreach (var container in Fields.Objects(spec, member))
            {
                // What is mounted there already stays.
                if (Fields.Objects(container, "volumeMounts").Any(static mount => Fields.Text(mount, "mountPath") == MountPath))
                    continue;
                List(container, "volumeMounts").Add(new JsonObject { ["name"] = volume, ["readOnly"] = true, ["mountPath"] = MountPath });
                isMounted = true;
            }
        }

        if (isMade && isMounted)
            List(spec, "volumes").Add(new JsonObject { ["name"] = volume, ["projected"] = Sources() });
    }

    private static JsonObject Sources() => new()
    {
        ["sources"] = new JsonArray(
            new JsonObject { ["serviceAccountToken"] = new JsonObject { ["expirationSeconds"] = TokenSeconds, ["path"] = "token" } },
            new JsonObject
            {
                ["configMap"] = new JsonObject { ["name"] = "kube-root-ca.crt", ["items"] = new JsonArray(new JsonObject { ["key"] = "ca.crt", ["path"] = "ca.crt" }) },
            },
            new JsonObject
            {
                ["downwardAPI"] = new JsonObject
                {
                    ["items"] = new JsonArray(new JsonObject
                    {
                        ["path"] = "namespace",
                        ["fieldRef"] = new JsonObject { ["apiVersion"] = "v1", ["fieldPath"] = "metadata.namespace" },
                    }),
                },
            }),
        ["defaultMode"] = 420,
    };

    private static JsonArray List(JsonObject parent, string member)
    {
        if (parent[member] is JsonArray found)
            return found;
        var made = new JsonArray();
        parent[member] = made;
        return made;
    }
}
