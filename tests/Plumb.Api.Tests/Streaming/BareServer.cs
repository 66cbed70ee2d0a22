using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Plumb.Api.Streaming;

namespace Plumb.Api.Tests.Streaming;

/// <summary>Just enough of an API server for kubectl to come as far as a pod's streams: discovery, one pod `p`, and <see cref="PodStreams"/>.</summary>
internal sealed class BareServer : IAsyncDisposable
{
    private const string Pod = """
        {"kind":"Pod","apiVersion":"v1","metadata":{"name":"p","namespace":"default","uid":"u-1"},
         "spec":{"nodeName":"n","containers":[{"name":"c","image":"i","stdin":true}]},
         "status":{"phase":"Running","containerStatuses":[{"name":"c","ready":true,"state":{"running":{}}}]}}
        """;

    private const string Resources = """
        {"kind":"APIResourceList","groupVersion":"v1","resources":[
         {"name":"pods","singularName":"pod","namespaced":true,"kind":"Pod","shortNames":["po"],"verbs":["get","list"]},
         {"name":"pods/exec","singularName":"","namespaced":true,"kind":"PodExecOptions","verbs":["create","get"]}]}
        """;

    private readonly WebApplication app;

    private BareServer(WebApplication app) => this.app = app;

    public int Port { get; private init; }

    /// <summary>For clients, which keep caches of what a server can do.</summary>
    public string Home { get; } = Directory.CreateTempSubdirectory("plumb-kubectl-").FullName;

    public string Url => $"http://127.0.0.1:{Port}";

    public static async Task<BareServer> StartAsync(IPodRuntime runtime)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var app = builder.Build();
        var streams = new PodStreams(runtime, TimeProvider.System);
        var pod = new PodIdentity("default", "p", "u-1", "n", ["c"]);
        app.Run(http => AnswerAsync(http, streams, pod));
        await app.StartAsync();
        var address = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
        return new BareServer(app) { Port = new Uri(address).Port };
    }

    public async ValueTask DisposeAsync()
    {
        await app.DisposeAsync();
        Directory.Delete(Home, recursive: true);
    }

    private static Task AnswerAsync(HttpContext http, PodStreams streams, PodIdentity pod)
    {
        const string path = "/api/v1/namespaces/default/pods/p";
        return http.Request.Path.Value switch
        {
            "/api" => Json(http, """{"kind":"APIVersions","versions":["v1"],"serverAddressByClientCIDRs":[]}"""),
            "/apis" => Json(http, """{"kind":"APIGroupList","apiVersion":"v1","groups":[]}"""),
            "/api/v1" => Json(http, Resources),
            path => Json(http, Pod),
            path + "/log" => streams.LogAsync(http, pod),
            path + "/exec" => streams.ExecAsync(http, pod),
            path + "/attach" => streams.AttachAsync(http, pod),
            path + "/portforward" => streams.PortForwardAsync(http, pod),
            _ => NotFound(http),
        };
    }

    private static Task Json(HttpContext http, string body)
    {
        http.Response.ContentType = "application/json";
        return http.Response.WriteAsync(body);
    }

    private static Task NotFound(HttpContext http)
    {
        http.Response.StatusCode = 404;
        return Task.CompletedTask;
    }
}
