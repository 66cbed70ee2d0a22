using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Plumb.Api.Access;
using Plumb.Api.Custom;
using Plumb.Api.Resources.Apply;
using Plumb.Api.Resources.Services;
using Plumb.Api.Resources.Strategies;
using Plumb.Api.Resources.Validation;
using Plumb.Api.Storage;
using Plumb.Kubernetes.Json;

namespace Plumb.Api.Resources;

/// <summary>
/// The life of objects: defaults, validation, identity, generations, graceful deletion, finalizers. HTTP and controllers write through here and read
/// from <see cref="Store"/>.
/// </summary>
/// <remarks>Thread-safe. Every refusal is an <see cref="ApiException"/> worded as the real server words it.</remarks>
public sealed partial class Registry
{
    private const int MostAttempts = 16;

    private readonly Names _names;
    private readonly CustomResources _custom;

    /// <param name="random">The source of uids, generated names, ports and addresses.</param>
    /// <param name="store">What its Services hold is taken from the start.</param>
    /// <param name="ranges">Of Services' addresses. Null: 10.96.0.0/12.</param>
    public Registry(ObjectStore store, TimeProvider time, Random random, ServiceRanges? ranges = null)
    {
        Store = store;
        Ranges = ranges ?? ServiceRanges.Default;
        Time = time;
        _names = new Names(random);
        Allocator = new ServiceAllocator(this, random);
        _custom = new CustomResources();
        Catalog = new Catalog(KnownResources.Create(Allocator, _custom, Policies));
        _custom.Attach(this);
        Policies.Attach(this);
        Allocator.Restore();
    }

    public ObjectStore Store { get; }

    public Catalog Catalog { get; }

    internal TimeProvider Time { get; }

    internal ServiceRanges Ranges { get; }

    internal ServiceAllocator Allocator { get; }

    internal Names Names => _names;

    internal AdmissionPolicies Policies { get; } = new();

    /// <summary>Whether pods get a service account and its token, as <see cref="ApiServerOptions.AdmitServiceAccounts"/> says.</summary>
    internal bool AdmitsServiceAccounts { get; set; }

    /// <summary>Creates an object; `metadata.name` or `metadata.generateName` is set in <paramref name="root"/>.</summary>
    /// <param name="namespace">Empty for objects of the whole cluster.</param>
    /// <param name="root">The object as a client would send it. It is changed and may not be used afterwards.</param>
    public StoredObject Create(GroupResource resource, string @namespace, JsonObject root, WriteOptions? options = null) =>
        Create(Catalog.Find(resource), @namespace, root, options ?? WriteOptions.Default);

    internal StoredObject Create(ResourceDefinition definition, string @namespace, JsonObject root, WriteOptions options)
    {
        // 1. Identity.
        var metadata = Fields.Object(root, "metadata");
        var generated = Fields.Text(metadata, "name").Length == 0 && Fields.Text(metadata, "generateName").Length > 0;
        if (generated)
            metadata["name"] = _names.Generate(Fields.Text(metadata, "generateName"));
        var name = Fields.Text(metadata, "name");
        Stamp(definition, @namespace, root, metadata);
        RequireNamespace(definition, @namespace, name);

        // 2. What the kind adds, then what it demands.
        var admission = new Admission(this, definition, options);
        var strategy = definition.Strategy;
        strategy.Default(root);
        Own(definition, root, null, Part.Main, options);
        strategy.PrepareCreate(root, admission);
        var errors = new FieldErrors();
        MetadataValidation.Validate(definition, metadata, strategy, errors);
        strategy.Validate(root, errors);
        errors.ThrowIfAny(definition, name);
        Policies.Require(new PolicyRequest(definition, "CREATE", "", @namespace, name, root, null, options));
        strategy.Allocate(root, null, errors);
        errors.ThrowIfAny(definition, name);

        // 3. Store.
        if (definition.HasGeneration)
            metadata["generation"] = 1;
        var key = new StoreKey(definition.StoredIn, @namespace, name);
        try
        {
            if (!options.DryRun)
            {
                var stored = Insert(key, root, metadata, generated);
                strategy.Created(root);
                return stored;
            }

            if (Store.Find(key) is not null)
                throw ApiException.AlreadyExists(key);
        }
        catch (ApiException)
        {
            strategy.Abandon(root, null);
            throw;
        }

        strategy.Abandon(root, null);
        return StoredObject.Unstored(key, root);
    }

    private StoredObject Insert(StoreKey key, JsonObject root, JsonObject metadata, bool generated)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return Store.Insert(key, root);
            }
            catch (ApiException taken) when (taken.IsAlreadyExists && generated && attempt < MostAttempts)
            {
                metadata["name"] = _names.Generate(Fields.Text(metadata, "generateName"));
                key = key with { Name = Fields.Text(metadata, "name") };
            }
        }
    }

    /// <summary>Reads, changes and writes back, again when another writer was faster.</summary>
    /// <param name="change">Changes the copy that it is given; false: leave the object as it is.</param>
    /// <returns>The version that now stands.</returns>
    public StoredObject Update(StoreKey key, Func<JsonObject, bool> change, Part part = Part.Main) =>
        Update(Catalog.Find(key.Resource), key, part, (_, root) => change(root) ? root : null, WriteOptions.Default);

    /// <param name="compute">From the present version (and a copy of it to work on) the one to come; null: leave it.</param>
    internal StoredObject Update(StoreKey key, Func<JsonObject, bool> change, WriteOptions options, Part part = Part.Main) =>
        Update(Catalog.Find(key.Resource), key, part, (_, root) => change(root) ? root : null, options);

    internal StoredObject Update(
        ResourceDefinition definition, StoreKey key, Part part, Func<StoredObject, JsonObject, JsonObject?> compute, WriteOptions options)
    {
        for (var attempt = 1; ; attempt++)
        {
            var present = Store.Get(key);
            var parsed = present.Parse();
            var proposed = compute(present, JsonObject.Create(parsed)!);
            if (proposed is null)
                return present;
            try
            {
                return Write(definition, present, parsed, part, proposed, options);
            }
            catch (ApiException lost) when (lost.IsConflict && attempt < MostAttempts && Store.Find(key)?.ResourceVersion != present.ResourceVersion)
            {
                // Another writer came between: compute anew from what it left. An intended version is checked by `compute`.
            }
        }
    }

    /// <remarks>A status and a binding leave the rest as it is stored: filled in and found good when it was written.</remarks>
    private StoredObject Write(ResourceDefinition definition, StoredObject present, JsonElement parsed, Part part, JsonObject root, WriteOptions options)
    {
        var old = JsonObject.Create(parsed)!;
        var strategy = definition.Strategy;
        var oldMetadata = Fields.Object(old, "metadata");

        // 1. What the client may not change.
        var metadata = Fields.Object(root, "metadata");
        RequireSameUid(present, metadata);
        if (part == Part.Main)
        {
            SetType(definition, root);
            metadata["name"] ??= present.Name;
            if (definition.Namespaced)
                metadata["namespace"] ??= present.Namespace;
            Keep(oldMetadata, metadata, "uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation");
            metadata.Remove("selfLink");
            if (definition.HasStatus && strategy.StatusIsSeparate && !options.Binding)
                Keep(old, root, "status");
        }
        else
        {
            var next = JsonObject.Create(parsed)!;
            if (part == Part.Status)
                strategy.TakeStatus(next, root);
            else if (part == Part.Finalize)
                NamespaceStrategy.TakeFinalizers(next, root);
            else if (part == Part.Resize)
                PodResize.Take(next, root);
            else
                EphemeralContainers.Take(next, root);
            if (options.Applies)
                Keep(metadata, Fields.Object(next, "metadata"), "managedFields");
            root = next;
            metadata = Fields.Object(root, "metadata");
        }

        // 2. What the kind adds and demands.
        var admission = new Admission(this, definition, options);
        if (part == Part.Status)
            strategy.DefaultStatus(root);
        else if (part == Part.EphemeralContainers)
            EphemeralContainers.Default(root);
        else if (!options.Binding)
            strategy.Default(root);
        Own(definition, root, old, part, options);
        strategy.PrepareUpdate(root, old, part, admission);
        var errors = new FieldErrors();
        MetadataValidation.ValidateUpdate(metadata, oldMetadata, errors);
        if (part == Part.Status)
        {
            strategy.ValidateStatus(root, old, errors);
        }
        else if (part == Part.EphemeralContainers)
        {
            EphemeralContainers.Validate(root, old, errors);
        }
        else if (!options.Binding)
        {
            if (!strategy.IsSettled(root, old))
                strategy.Validate(root, errors);
            if (part == Part.Resize)
                PodResize.Validate(root, old, errors);
            else
                strategy.ValidateUpdate(root, old, errors);
        }

        errors.ThrowIfAny(definition, present.Name);
        if (!options.IsAsked)
            Policies.Require(new PolicyRequest(definition, "UPDATE", part.Subresource, present.Namespace, present.Name, root, old, options));
        if (definition.HasGeneration && part is Part.Main or Part.EphemeralContainers or Part.Resize && !options.Binding && strategy.ChangesGeneration(root, old))
            metadata["generation"] = present.Generation + 1;
        if (part == Part.Main)
        {
            strategy.Allocate(root, old, errors);
            errors.ThrowIfAny(definition, present.Name);
        }

        // 3. Store; or let go of an object whose last finalizer this write took away.
        try
        {
            if (!options.DryRun)
                return Replace(definition, present, root, old);
        }
        catch (ApiException)
        {
            strategy.Abandon(root, old);
            throw;
        }

        strategy.Abandon(root, old);
        return StoredObject.Unstored(present.Key, root);
    }

    private StoredObject Replace(ResourceDefinition definition, StoredObject present, JsonObject root, JsonObject old)
    {
        if (present.IsDeleting && (present.DeletionGracePeriodSeconds ?? 0) == 0 && IsReleased(definition, root, Fields.Object(root, "metadata")))
        {
            // Watchers see it go as it was; who took the last finalizer away sees what that made of it.
            Store.Remove(present);
            definition.Strategy.Deleted(root);
            Fields.Object(root, "metadata")["resourceVersion"] = present.ResourceVersion.ToString(CultureInfo.InvariantCulture);
            return StoredObject.Unstored(present.Key, root);
        }

        var stored = Store.Replace(present, root);
        definition.Strategy.Updated(root, old);
        return stored;
    }

    private static bool IsReleased(ResourceDefinition definition, JsonObject root, JsonObject metadata) =>
        metadata["finalizers"] is not JsonArray { Count: > 0 } && !definition.Strategy.HoldsDeletion(root);

    /// <summary>Puts a pod on a node, as a scheduler does.</summary>
    public StoredObject Bind(StoreKey pod, string node) => Bind(pod, node, WriteOptions.Default);

    internal StoredObject Bind(StoreKey pod, string node, WriteOptions options)
    {
        var definition = Catalog.Find(GroupResource.Pods);
        var errors = new FieldErrors();
        foreach (var fault in NameSyntax.Subdomain(node))
            errors.InvalidText("spec.nodeName", node, fault);
        errors.ThrowIfAny(definition, pod.Name);
        return Update(definition, pod, Part.Main, (present, root) =>
        {
            if (present.IsDeleting)
                throw NotBindable(pod, $"pod {pod.Name} is being deleted, cannot be assigned to a host");
            if (present.NodeName.Length > 0)
                throw NotBindable(pod, $"pod {pod.Name} is already assigned to node \"{present.NodeName}\"");
            if (Fields.Array(Fields.Object(root, "spec"), "schedulingGates") is { Count: > 0 })
                throw NotBindable(pod, $"pod {pod.Name} has non-empty .spec.schedulingGates");
            Policies.Require(new PolicyRequest(definition, "CREATE", "binding", pod.Namespace, pod.Name, Binding(pod, node), null, options));
            Fields.Object(root, "spec")["nodeName"] = node;
            PodConditions.Set(root, "PodScheduled", Time.GetUtcNow());
            return root;
        }, options with { Binding = true, IsAsked = true, Manager = null });
    }

    private static JsonObject Binding(StoreKey pod, string node) => new()
    {
        ["kind"] = "Binding",
        ["apiVersion"] = "v1",
        ["metadata"] = new JsonObject { ["name"] = pod.Name, ["namespace"] = pod.Namespace },
        ["target"] = new JsonObject { ["kind"] = "Node", ["name"] = node },
    };

    private static ApiException NotBindable(StoreKey pod, string why) =>
        ApiException.Conflict(pod with { Resource = new GroupResource("", "pods/binding") }, why);

    private void Stamp(ResourceDefinition definition, string @namespace, JsonObject root, JsonObject metadata)
    {
        SetType(definition, root);
        if (definition.Namespaced)
            metadata["namespace"] = @namespace;
        else
            metadata.Remove("namespace");
        metadata["uid"] = _names.NewUid();
        metadata["creationTimestamp"] = Now();
        metadata.Remove("deletionTimestamp");
        metadata.Remove("deletionGracePeriodSeconds");
        metadata.Remove("selfLink");
        metadata.Remove("generation");
    }

    /// <summary>Kind and version come first, in this order: a list leaves them out of its items by cutting them off.</summary>
    private void SetType(ResourceDefinition definition, JsonObject root)
    {
        var stored = Catalog.Find(definition.StoredIn);
        root.Remove("apiVersion");
        root.Remove("kind");
        root.Insert(0, "kind", stored.Kind);
        root.Insert(1, "apiVersion", stored.ApiVersion);
    }

    private void RequireNamespace(ResourceDefinition definition, string @namespace, string name)
    {
        if (!definition.Namespaced)
            return;
        var found = Store.Find(new StoreKey(GroupResource.Namespaces, "", @namespace))
            ?? throw ApiException.NotFound(GroupResource.Namespaces, @namespace);
        if (!found.IsDeleting)
            return;
        var details = ApiException.DetailsOf(definition.Resource, name);
        details["causes"] = new JsonArray(new JsonObject
        {
            ["reason"] = "NamespaceTerminating",
            ["message"] = $"namespace {@namespace} is being terminated",
            ["field"] = "metadata.namespace",
        });
        throw new ApiException(403, "Forbidden",
            $"{definition.Resource} \"{name}\" is forbidden: unable to create new content in namespace {@namespace} because it is being terminated", details);
    }

    private static void RequireSameUid(StoredObject present, JsonObject metadata)
    {
        var uid = Fields.Text(metadata, "uid");
        if (uid.Length > 0 && uid != present.Uid)
        {
            throw ApiException.Conflict(present.Key,
                $"StorageError: invalid object, Code: 4, Key: /registry/{present.Key.Resource.Resource}/{(present.Namespace.Length > 0 ? present.Namespace + "/" : "")}{present.Name}, " +
                $"ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: {uid}, UID in object meta: {present.Uid}");
        }
    }

    /// <summary>Makes the writer the owner of what it changed.</summary>
    private void Own(ResourceDefinition definition, JsonObject root, JsonObject? old, Part part, WriteOptions options)
    {
        if (options.Applies)
            return;
        if (options.Manager is not { } manager)
        {
            Keep(Fields.Find(old, "metadata") ?? [], Fields.Object(root, "metadata"), "managedFields");
            return;
        }

        // What was made by nobody in particular stays without owners, until somebody applies to it.
        var fields = ManagedFields.Sent(root, old);
        if (old is null || !ManagedFields.Of(old).IsEmpty)
        {
            var view = definition.Show?.Invoke(root.DeepClone().AsObject()) ?? root;
            var before = old is null ? ManagedFields.Zero(view, isTyped: definition.Custom is null) : definition.Show?.Invoke(old.DeepClone().AsObject()) ?? old;
            var changes = FieldChanges.Between(before, view, definition.Shape);
            if (part == Part.Main && definition.HasStatus)
                changes.Forget("status");
            fields.Update(changes, new Writer(manager, Applies: false, definition.ApiVersion, part == Part.Finalize ? "" : part.Subresource), Now());
        }

        fields.Write(root);
    }

    private static void Keep(JsonObject from, JsonObject to, params ReadOnlySpan<string> members)
    {
        foreach (var member in members)
        {
            if (from[member] is { } value)
                to[member] = value.DeepClone();
            else
                to.Remove(member);
        }
    }

    internal string Now() => Rfc3339.Format(Time.GetUtcNow());
}
