using Microsoft.AspNetCore.Http;

namespace Plumb.Api.Streaming;

/// <summary>`…/pods/NAME/portforward`.</summary>
internal static class PortForwardEndpoint
{
    public static Task ServeAsync(HttpContext http, PodIdentity pod, IPodRuntime runtime, TimeProvider time) =>
        StatusAnswer.SendAsync(http, PodStreamException.BadRequest("unable to upgrade: Upgrade request required"));
}
