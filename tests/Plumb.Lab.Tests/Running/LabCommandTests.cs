using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Plumb.Lab.Running;
using Plumb.Linux.Sockets;

namespace Plumb.Lab.Tests.Running;

public sealed class LabCommandTests
{
    [Theory]
    [InlineData("Plumb-Exit-Code: 1|Plumb-Out-Bytes: 4", "\u00fc\u00fc!", "1 \u00fc\u00fc !")]
    [InlineData("Plumb-Exit-Code: 0|Plumb-Out-Bytes: 9", "out", null)]
    [InlineData("", "{}", null)]
    public void What_a_command_wrote_is_told_apart(string header, string body, string? wrote)
    {
        var read = LabCommandAnswer.Read(new UnixAnswer(200, header.Split('|'), Encoding.UTF8.GetBytes(body)));
        Assert.Equal(wrote, read is null ? null : $"{read.ExitCode} {read.Out} {read.Error}");
    }

    [Fact]
    public void Words_of_a_command_arrive_as_they_are()
    {
        var command = new LabCommand(["trace", "a b", "http://\u00fc?x=1&y=%20", ""], true, false, true);
        Assert.Equal(command, LabCommand.Of(new QueryCollection(QueryHelpers.ParseQuery(command.ToQuery()))));
    }
}
