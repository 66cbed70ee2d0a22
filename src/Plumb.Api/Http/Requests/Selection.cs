using Plumb.Api.Resources;
using Plumb.Api.Storage;
using Plumb.Kubernetes.Objects;
using Plumb.Kubernetes.Selectors;

namespace Plumb.Api.Http.Requests;

/// <summary>labelSelector and fieldSelector as one question to a stored object.</summary>
internal static class Selection
{
    private static readonly Func<(StoredObject Stored, ResourceDefinition Definition), string, string> FieldOf =
        static (state, field) => (state.Definition.Selected?.Invoke(state.Stored, field) ?? state.Stored.Field(field)) is { Length: > 0 } value ? value : SelectableFields.Unset(field);

    /// <returns>Null: everything matches.</returns>
    /// <exception cref="ApiException">400.</exception>
    public static Func<StoredObject, bool>? Parse(string labelSelector, string fieldSelector, ResourceDefinition definition)
    {
        if (labelSelector.Length == 0 && fieldSelector.Length == 0)
            return null;
        try
        {
            var labels = Selector.Parse(labelSelector);
            var fields = FieldSelector.Parse(fieldSelector);
            SelectableFields.Check(fields, new GroupVersionResource(definition.Resource.Group, definition.Version, definition.Resource.Resource), definition.Custom is not null);
            if (fields.IsEverything)
                return labels.IsEverything ? null : stored => labels.Matches(stored.Labels);
            if (labels.IsEverything)
                return stored => fields.Matches((stored, definition), FieldOf);
            return stored => labels.Matches(stored.Labels) && fields.Matches((stored, definition), FieldOf);
        }
        catch (SelectorException refused)
        {
            throw ApiException.BadRequest(refused.Message);
        }
    }
}
