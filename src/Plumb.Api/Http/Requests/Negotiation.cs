using Plumb.Api.Storage;

namespace Plumb.Api.Http.Requests;

/// <summary>In which form a client wants objects.</summary>
internal enum Form
{
    Object,
    Table,
    Metadata,
}

/// <param name="MetaVersion">The version of meta.k8s.io that a Table or PartialObjectMetadata says of itself.</param>
internal readonly record struct Negotiated(Form Form, string MetaVersion)
{
    private static readonly Negotiated Plain = new(Form.Object, "v1");

    /// <summary>The first media range of an Accept header that can be served.</summary>
    /// <exception cref="ApiException">406.</exception>
    public static Negotiated From(string accept, bool isWatch = false)
    {
        if (accept.Length == 0)
            return Plain;
        var isJson = false;
        foreach (var range in accept.Split(',', StringSplitOptions.TrimEntries))
        {
            var parts = range.Split(';', StringSplitOptions.TrimEntries);
            if (parts[0] is not ("application/json" or "application/*" or "*/*"))
                continue;
            isJson = true;
            string form = "", group = "", version = "";
            foreach (var part in parts.AsSpan(1))
            {
                if (part.StartsWith("as=", StringComparison.Ordinal))
                    form = part[3..];
                else if (part.StartsWith("g=", StringComparison.Ordinal))
                    group = part[2..];
                else if (part.StartsWith("v=", StringComparison.Ordinal))
                    version = part[2..];
            }

            if (form.Length == 0)
                return Plain;
            if (group != "meta.k8s.io" || version is not ("v1" or "v1beta1"))
                continue;
            if (form == "Table")
                return new Negotiated(Form.Table, version);
            if (form is "PartialObjectMetadata" or "PartialObjectMetadataList")
                return new Negotiated(Form.Metadata, version);
        }

        throw new ApiException(406, "NotAcceptable", isJson
            ? "only the following media types are accepted: application/json, application/yaml, application/vnd.kubernetes.protobuf"
            : "406: Not Acceptable\n\nAvailable representations: application/json, application/yaml, application/vnd.kubernetes.protobuf"
                + (isWatch ? ", application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch" : ""), isJson ? null : []);
    }
}
