using Microsoft.AspNetCore.Http;

namespace Plumb.Api.Streaming;

/// <summary>`…/pods/NAME/exec` and `…/attach`: the request's parameters, then the wire that the client asked for.</summary>
internal static class CommandEndpoint
{
    public static Task ServeAsync(HttpContext http, PodIdentity pod, bool attach, IPodRuntime runtime, TimeProvider time) =>
        StatusAnswer.SendAsync(http, PodStreamException.BadRequest("unable to upgrade: Upgrade request required"));
}
