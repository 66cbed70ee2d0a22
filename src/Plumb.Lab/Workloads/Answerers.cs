using Microsoft.AspNetCore.Http;

namespace Plumb.Lab.Workloads;

/// <summary>agnhost serve-hostname: whatever is asked, the pod's name.</summary>
internal sealed class ServeHostname : WorkloadProgram
{
    public override string Name => "serve-hostname";

    public override bool AnswersAll => true;

    public override Task AnswerAsync(HttpContext http, Workload workload) => PageAsync(http, 200, "text/plain", workload.HostName);

    public override string LogLine(HttpContext http, DateTimeOffset startedAt) => CommonLogLine(http, startedAt);
}

/// <summary>agnhost porter: each port says what the variable `SERVE_PORT_n` has for it.</summary>
internal sealed class Porter(IReadOnlyDictionary<ushort, string> words) : WorkloadProgram
{
    public override string Name => "porter";

    public override bool AnswersAll => true;

    public override Task AnswerAsync(HttpContext http, Workload workload) =>
        PageAsync(http, 200, "text/plain", words.GetValueOrDefault((ushort)http.Connection.LocalPort, ""));

    public override string LogLine(HttpContext http, DateTimeOffset startedAt) => CommonLogLine(http, startedAt);
}
