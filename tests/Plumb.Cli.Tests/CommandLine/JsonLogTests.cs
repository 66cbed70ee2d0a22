using System.Text.Json;
using Microsoft.Extensions.Logging;
using Plumb.Output;

namespace Plumb.Cli.Tests.CommandLine;

public sealed partial class JsonLogTests
{
    [Fact]
    public void An_event_is_one_object_on_one_line_with_its_parts_by_name()
    {
        using var to = new StringWriter();
        var log = new JsonLog(to, TimeProvider.System);

        Gone(log, "node-1", 3, new IOException("no\n\"space\""));
        Said(log, "nothing");

        var lines = to.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(2, lines.Length);
        var gone = JsonElement.Parse(lines[0]);
        Assert.Equal(DateTimeKind.Utc, gone.GetProperty("time").GetDateTime().Kind);
        Assert.Equal("warning", gone.GetProperty("level").GetString());
        Assert.Equal((7, "Gone"), (gone.GetProperty("event").GetInt32(), gone.GetProperty("name").GetString()));
        Assert.Equal("3 routes of node-1\nare gone", gone.GetProperty("message").GetString());
        Assert.Equal("""{"level":"node-1","count":"3"}""", gone.GetProperty("parts").GetRawText());
        Assert.Contains("System.IO.IOException: no\n\"space\"", gone.GetProperty("error").GetString(), StringComparison.Ordinal);
        Assert.Equal("information", JsonElement.Parse(lines[1]).GetProperty("level").GetString());
        Assert.False(JsonElement.Parse(lines[1]).TryGetProperty("error", out _));
    }

    [LoggerMessage(7, LogLevel.Warning, "{Count} routes of {Level}\nare gone")]
    private static partial void Gone(ILogger log, string level, int count, Exception why);

    [LoggerMessage(8, LogLevel.Information, "{What}")]
    private static partial void Said(ILogger log, string what);
}
