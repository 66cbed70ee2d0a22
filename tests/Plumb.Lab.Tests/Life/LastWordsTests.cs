namespace Plumb.Lab.Tests.Life;

/// <summary>What a container leaves behind to be read in its pod's status, and how much of it.</summary>
public sealed class LastWordsTests(OneNode node) : IClassFixture<OneNode>
{
    private const string Volume = """ "volumes":[{"name":"v","emptyDir":{}}], """;

    [Theory]
    [InlineData("log", """ "terminationMessagePolicy":"FallbackToLogsOnError" """, "for i in $(seq 1000); do echo line $i; done; exit 1", 2048, "line 1000\n")]
    [InlineData("silent", """ "terminationMessagePolicy":"File" """, "for i in $(seq 1000); do echo line $i; done; exit 1", 0, "")]
    [InlineData("well", """ "terminationMessagePolicy":"FallbackToLogsOnError" """, "echo all is well", 0, "")]
    [InlineData("file", """ "volumeMounts":[{"name":"v","mountPath":"/plumb-v"}] """, "yes abc | tr -d '\\n' | head -c 100000 > /dev/termination-log; printf end >> /dev/termination-log", 4096, "abca")]
    [InlineData("both", """ "terminationMessagePolicy":"FallbackToLogsOnError","volumeMounts":[{"name":"v","mountPath":"/plumb-v"}] """, "echo said; printf written > /dev/termination-log; exit 1", 7, "written")]
    public async Task Last_words_are_cut_where_a_kubelet_cuts_them(string name, string more, string script, int length, string end)
    {
        await node.PodAsync("words-" + name, $$$"""
            "restartPolicy":"Never",{{{Volume}}}"containers":[{"name":"c","image":"busybox","command":["sh","-c",{{{System.Text.Json.JsonSerializer.Serialize(script)}}}],{{{more}}}}]
            """);
        var pod = await node.UntilAsync("words-" + name, static one => one.Status.ContainerStatuses is [{ State.Terminated: not null }]);
        var message = pod.Status.ContainerStatuses[0].State!.Terminated!.Message ?? "";
        // Of a log at most eighty lines are looked at.
        Assert.InRange(message.Length, length == 2048 ? 80 : length, length);
        Assert.EndsWith(end, message, StringComparison.Ordinal);
    }
}
