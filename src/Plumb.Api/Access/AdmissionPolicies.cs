using System.Text.Json.Nodes;
using Plumb.Api.Cel;
using Plumb.Api.Resources;
using Plumb.Api.Resources.Strategies;
using Plumb.Api.Resources.Validation;
using Plumb.Api.Storage;

namespace Plumb.Api.Access;

/// <summary>What a write is about, as a policy sees it.</summary>
/// <param name="Object">Null: it is deleted.</param>
/// <param name="Old">Null: it is created.</param>
internal readonly record struct PolicyRequest(
    ResourceDefinition Definition, string Operation, string Subresource, string Namespace, string Name, JsonObject? Object, JsonObject? Old, WriteOptions Options);

/// <summary>
/// ValidatingAdmissionPolicies with their bindings (KEP-3488), without parameters. As long as there are none a write costs one comparison more.
/// </summary>
internal sealed class AdmissionPolicies
{
    /// <summary>For one policy over one write: what one spends the others have still.</summary>
    private const int MostSteps = 1_000_000;

    private static readonly string[] Names = ["object", "oldObject", "request", "params", "namespaceObject", "variables"];

    private readonly Lock _renewing = new();
    private Registry? _registry;
    private volatile Bound[] _bound = [];

    private sealed record Bound(Compiled Policy, StoredObject Binding, JsonObject BindingSpec);

    private sealed record Compiled(StoredObject Stored, JsonObject Spec, List<(string Name, CelNode Value)> Variables, List<(string Name, CelNode Condition)> Conditions, List<Check> Checks)
    {
        public string Name => Stored.Name;
    }

    private sealed record Check(CelNode Condition, CelNode? MessageExpression, string Text, string Message, string Reason);

    public bool IsAny => _bound.Length > 0;

    /// <summary>Holds from now on what is stored.</summary>
    public void Attach(Registry registry)
    {
        _registry = registry;
        Renew();
    }

    /// <summary>Reads those that came or changed, and forgets those that went.</summary>
    public void Renew()
    {
        var store = _registry!.Store;
        // Who reads later assigns later.
        lock (_renewing)
        {
            var (bound, compiled, known) = (new List<Bound>(), new Dictionary<StoredObject, Compiled>(), new Dictionary<StoredObject, Bound>());
            foreach (var one in _bound)
                (compiled[one.Policy.Stored], known[one.Binding]) = (one.Policy, one);
            foreach (var binding in store.List(AdmissionPolicyStrategy.Bindings))
            {
                var before = known.GetValueOrDefault(binding);
                var spec = before?.BindingSpec ?? Fields.Object(binding.ToNode(), "spec");
                if (store.Find(new StoreKey(AdmissionPolicyStrategy.Resource, "", Fields.Text(spec, "policyName"))) is not { } policy)
                    continue;
                if (!compiled.TryGetValue(policy, out var its))
                    compiled[policy] = its = Compile(policy);
                bound.Add(before?.Policy == its ? before : new Bound(its, binding, spec));
            }

            _bound = [.. bound];
        }
    }

    /// <returns>Null, or what is wrong with an expression.</returns>
    public static string? Fault(string expression)
    {
        try
        {
            CelParser.Parse(expression, Names);
            return null;
        }
        catch (CelSyntaxException broken)
        {
            return $"compilation failed: ERROR: <input>:1:{broken.At + 1}: {broken.Message}";
        }
    }

    /// <exception cref="ApiException">A policy denies it.</exception>
    public void Require(in PolicyRequest request)
    {
        var bound = _bound;
        if (bound.Length == 0 || request.Definition.Resource.Group == AdmissionPolicyStrategy.Resource.Group)
            return;
        foreach (var policy in bound)
        {
            if (Matches(Fields.Find(policy.Policy.Spec, "matchConstraints"), request) && (Fields.Find(policy.BindingSpec, "matchResources") is not { } narrower || Matches(narrower, request)))
                Hold(policy, request);
        }
    }

    private void Hold(Bound bound, in PolicyRequest request)
    {
        var policy = bound.Policy;
        var isStrict = Fields.Text(policy.Spec, "failurePolicy") != "Ignore";
        var evaluation = new CelEvaluation(NamesOf(request), MostSteps);
        foreach (var (name, condition) in policy.Conditions)
        {
            if (Evaluated(evaluation, condition, isStrict, $"matchCondition '{name}'", out var fault) is { } applies && !applies)
                return;
            if (fault is not null)
            {
                Say(bound, request, fault, "Invalid");
                return;
            }
        }

        foreach (var (name, value) in policy.Variables)
            evaluation.Define(name, value);
        foreach (var check in policy.Checks)
        {
            if (Evaluated(evaluation, check.Condition, isStrict, $"expression '{check.Text}'", out var fault) is null or false)
                Say(bound, request, fault ?? Message(check, evaluation), check.Reason);
        }
    }

    /// <returns>Null: it could not be told, which counts.</returns>
    private static bool? Evaluated(CelEvaluation evaluation, CelNode condition, bool isStrict, string what, out string? fault)
    {
        fault = null;
        try
        {
            return evaluation.Truth(condition);
        }
        catch (CelException failed)
        {
            if (!isStrict)
                return true;
            fault = $"{what} resulted in error: {failed.Message}";
            return null;
        }
    }

    private static string Message(Check check, CelEvaluation evaluation)
    {
        var plain = check.Message.Length > 0 ? check.Message : $"failed expression: {check.Text}";
        try
        {
            return check.MessageExpression is { } expression && evaluation.Value(expression) is string { Length: > 0 } said ? said : plain;
        }
        catch (CelException)
        {
            return plain;
        }
    }

    private static void Say(Bound bound, in PolicyRequest request, string message, string reason)
    {
        var actions = MetadataValidation.Texts(bound.BindingSpec, "validationActions");
        if (actions.Contains("Warn"))
            request.Options.Warnings?.Add($"Validation failed for ValidatingAdmissionPolicy '{bound.Policy.Name}' with binding '{bound.Binding.Name}': {message}");
        if (!actions.Contains("Deny"))
            return;
        var text = $"ValidatingAdmissionPolicy '{bound.Policy.Name}' with binding '{bound.Binding.Name}' denied request: {message}";
        var details = ApiException.DetailsOf(request.Definition.Resource, request.Name);
        details["causes"] = new JsonArray(new JsonObject { ["message"] = text });
        var code = reason switch { "Unauthorized" => 401, "Forbidden" => 403, "RequestEntityTooLarge" => 413, _ => 422 };
        throw new ApiException(code, reason, $"{request.Definition.Resource} \"{request.Name}\" is forbidden: {text}", details);
    }

    private Dictionary<string, object?> NamesOf(in PolicyRequest request)
    {
        var resource = request.Definition.Resource;
        var user = request.Options.User;
        var (group, version, kind) = request.Subresource switch
        {
            "scale" => ("autoscaling", "v1", "Scale"),
            "eviction" => ("policy", "v1", "Eviction"),
            "token" => ("authentication.k8s.io", "v1", "TokenRequest"),
            "binding" => ("", "v1", "Binding"),
            _ => (resource.Group, request.Definition.Version, request.Definition.Kind),
        };
        return new()
        {
            ["object"] = request.Object,
            ["oldObject"] = request.Old,
            ["params"] = null,
            ["variables"] = CelVariables.All,
            ["namespaceObject"] = request.Namespace.Length > 0 ? Namespace(request.Namespace)?.ToNode() : null,
            ["request"] = new JsonObject
            {
                ["kind"] = new JsonObject { ["group"] = group, ["version"] = version, ["kind"] = kind },
                ["resource"] = new JsonObject { ["group"] = resource.Group, ["version"] = request.Definition.Version, ["resource"] = resource.Resource },
                ["subResource"] = request.Subresource,
                ["name"] = request.Name,
                ["namespace"] = request.Namespace,
                ["operation"] = request.Operation,
                ["userInfo"] = (user ?? UserInfo.Server).ToJson(),
                ["dryRun"] = request.Options.DryRun,
            },
        };
    }

    private StoredObject? Namespace(string name) => _registry!.Store.Find(new StoreKey(GroupResource.Namespaces, "", name));

    private bool Matches(JsonObject? constraints, in PolicyRequest request)
    {
        var rules = Fields.Objects(constraints, "resourceRules").ToList();
        var asked = request;
        // All versions of a resource are the same objects.
        var isExact = Fields.Text(constraints, "matchPolicy") == "Exact";
        if ((rules.Count > 0 && !rules.Exists(rule => IsMeant(rule, asked, isExact))) || Fields.Objects(constraints, "excludeResourceRules").Any(rule => IsMeant(rule, asked, isExact)))
            return false;
        if (Fields.Find(constraints, "objectSelector") is { Count: > 0 } ofObject && !Selects(ofObject, request.Object) && !Selects(ofObject, request.Old))
            return false;
        var name = request.Definition.Resource == GroupResource.Namespaces ? request.Name : request.Namespace;
        return Fields.Find(constraints, "namespaceSelector") is not { Count: > 0 } ofNamespace || name.Length == 0
            || Selects(ofNamespace, request.Definition.Resource == GroupResource.Namespaces && request.Object is { } itself ? itself : Namespace(name)?.ToNode());
    }

    private static bool Selects(JsonObject selector, JsonObject? owner) => owner is not null && SelectorValidation.Selects(selector, Fields.Find(Fields.Find(owner, "metadata"), "labels"));

    private static bool IsMeant(JsonObject rule, in PolicyRequest request, bool isExact)
    {
        var (resource, subresource) = (request.Definition.Resource.Resource, request.Subresource);
        return IsGroup(rule, request.Definition, isExact) && (!isExact || Has(rule, "apiVersions", request.Definition.Version)) && Has(rule, "operations", request.Operation)
            && Fields.Text(rule, "scope") is var scope && (scope is "" or "*" || scope == "Namespaced" == request.Definition.Namespaced)
            && (Fields.Array(rule, "resourceNames") is not { Count: > 0 } || Has(rule, "resourceNames", request.Name))
            && MetadataValidation.Texts(rule, "resources").Exists(known => known.Split('/') switch
            {
                [var whole] => subresource.Length == 0 && (whole == "*" || whole == resource),
                [var whole, var part] => (whole == "*" || whole == resource) && (part == "*" || (subresource.Length > 0 && part == subresource)),
                _ => false,
            });
    }

    /// <summary>Events are served, and may be meant, in two groups.</summary>
    private static bool IsGroup(JsonObject rule, ResourceDefinition definition, bool isExact) => Has(rule, "apiGroups", definition.Resource.Group)
        || (!isExact && definition.StoredIn == GroupResource.Events && (Has(rule, "apiGroups", "") || Has(rule, "apiGroups", "events.k8s.io")));

    private static bool Has(JsonObject rule, string member, string value) => MetadataValidation.Texts(rule, member) is var known && (known.Contains("*") || known.Contains(value));

    private static Compiled Compile(StoredObject policy)
    {
        var spec = Fields.Object(policy.ToNode(), "spec");
        return new(
            policy, spec,
            [.. Fields.Objects(spec, "variables").Select(static variable => (Fields.Text(variable, "name"), CelParser.Parse(Fields.Text(variable, "expression"), Names)))],
            [.. Fields.Objects(spec, "matchConditions").Select(static condition => (Fields.Text(condition, "name"), CelParser.Parse(Fields.Text(condition, "expression"), Names)))],
            [.. Fields.Objects(spec, "validations").Select(static check =>
            {
                var text = Fields.Text(check, "expression").Trim();
                return new Check(CelParser.Parse(text, Names), Fields.Text(check, "messageExpression") is { Length: > 0 } message ? CelParser.Parse(message, Names) : null,
                    text, Fields.Text(check, "message").Trim(), Fields.Text(check, "reason") is { Length: > 0 } reason ? reason : "Invalid");
            })]);
    }
}
