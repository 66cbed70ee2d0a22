namespace Plumb.Api.Access;

/// <summary>What is asked for: a verb on a resource, or on a path that is none.</summary>
/// <param name="Resource">`pods`, `pods/log`.</param>
/// <param name="Name">Empty: no certain object.</param>
/// <param name="Path">Of what is no resource; null: it is one.</param>
internal sealed record AccessAttributes(string Verb, string Group, string Resource, string Subresource, string Namespace, string Name, string? Path = null)
{
    public string Full => Subresource.Length == 0 ? Resource : $"{Resource}/{Subresource}";
}
