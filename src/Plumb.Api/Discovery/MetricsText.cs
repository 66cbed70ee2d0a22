using System.Globalization;
using System.Text;
using Plumb.Api.Resources;

namespace Plumb.Api.Discovery;

/// <summary>`/metrics`: what costs nothing to know, under a real server's names. Requests are not counted.</summary>
internal sealed class MetricsText(Registry registry, DateTimeOffset started)
{
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8; escaping=underscores";

    public string Write()
    {
        var text = new StringBuilder();
        text.Append("# HELP apiserver_storage_objects Number of stored objects at the time of last check split by kind.\n# TYPE apiserver_storage_objects gauge\n");
        foreach (var resource in registry.Catalog.All.Where(static definition => !definition.IsReview).Select(static definition => definition.StoredIn).Distinct().OrderBy(static resource => resource.ToString(), StringComparer.Ordinal))
            text.Append(CultureInfo.InvariantCulture, $"apiserver_storage_objects{{resource=\"{resource}\"}} {registry.Store.ListingOf(resource, out _).CountFrom(null, null)}\n");
        text.Append("# HELP apiserver_resource_version Version of the latest write.\n# TYPE apiserver_resource_version gauge\n");
        text.Append(CultureInfo.InvariantCulture, $"apiserver_resource_version {registry.Store.ResourceVersion}\n");
        text.Append("# HELP process_start_time_seconds Start time of the process since unix epoch in seconds.\n# TYPE process_start_time_seconds gauge\n");
        text.Append(CultureInfo.InvariantCulture, $"process_start_time_seconds {started.ToUnixTimeMilliseconds() / 1000.0}\n");
        return text.ToString();
    }
}
