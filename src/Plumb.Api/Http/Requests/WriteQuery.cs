using Microsoft.AspNetCore.Http;
using Plumb.Api.Access;
using Plumb.Api.Resources;
using Plumb.Api.Resources.Validation;
using Plumb.Api.Storage;

namespace Plumb.Api.Http.Requests;

internal enum FieldValidation
{
    Ignore,
    Warn,
    Strict,
}

/// <summary>CreateOptions, UpdateOptions and PatchOptions of meta/v1, as a query string says them.</summary>
/// <param name="User">Who sent it.</param>
internal sealed record WriteQuery(bool DryRun, FieldValidation FieldValidation, string FieldManager, bool Force, UserInfo User)
{
    public List<string> Warnings { get; } = [];

    public WriteOptions Options => new() { DryRun = DryRun, Warnings = Warnings, Manager = FieldManager.StartsWith(Own, StringComparison.Ordinal) ? null : FieldManager, User = User };

    /// <summary>How the User-Agents of the cluster's own parts begin, which own no fields: nobody applies against them, and a thousand pods are written faster.</summary>
    private const string Own = "plumb";

    /// <param name="kind">The options' kind: what a refusal names.</param>
    /// <exception cref="ApiException">422.</exception>
    public static WriteQuery Parse(HttpContext context, string kind)
    {
        var query = context.Request.Query;
        var errors = new FieldErrors();
        var dryRun = query["dryRun"].ToString();
        if (dryRun is not ("" or "All"))
            errors.NotSupportedShown("dryRun", $"[{FieldErrors.Quote(dryRun)}]", "All");
        var manager = query["fieldManager"].ToString();
        if (manager.Length > 128)
            errors.TooLong("fieldManager", 128);
        var validation = query["fieldValidation"].ToString();
        if (validation is not ("" or "Ignore" or "Warn" or "Strict"))
            errors.NotSupported("fieldValidation", validation, "", "Ignore", "Strict", "Warn");
        if (errors.Count > 0)
            throw errors.ToException("meta.k8s.io", kind, "");
        return new WriteQuery(
            dryRun.Length > 0,
            validation switch { "Ignore" => FieldValidation.Ignore, "Strict" => FieldValidation.Strict, _ => FieldValidation.Warn },
            manager.Length > 0 ? manager : ManagerOf(context.Request.Headers.UserAgent.ToString()),
            ListQuery.Flag(query, "force"),
            Gate.UserOf(context));
    }

    private static string ManagerOf(string userAgent)
    {
        var name = userAgent.Split('/')[0].Trim();
        return name.Length == 0 ? "unknown" : name;
    }
}
