using System.Net.Sockets;
using System.Text;

namespace Plumb.EndToEnd.Cni;

/// <summary>The plugin's executable by itself, with an agent of the test's own, or with none.</summary>
public sealed class RelayTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("p-").FullName;

    private string Path => System.IO.Path.Combine(_directory, "a \"b\\c.sock");

    private string Configuration => $$"""{"prevResult":{"socket":"/elsewhere"},"cniVersion":"1.0.0","list":["socket",{"x":"}"}],"socket":{{System.Text.Json.JsonSerializer.Serialize(Path, Relaxed)}}}""";

    private static System.Text.Json.JsonSerializerOptions Relaxed { get; } = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task What_the_runtime_tells_reaches_the_agent_and_nothing_else_of_its_environment()
    {
        var asked = AnswerAsync("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
        var (code, output) = await Plugin.CallAsync(Configuration, ("CNI_COMMAND", "ADD"), ("CNI_CONTAINERID", "abc"), ("CNI_ARGS", "K8S_POD_NAME=ä"), ("SECRET", "x"));
        Assert.Equal((0, "{}"), (code, output));
        var call = $"CNI_COMMAND=ADD\0CNI_CONTAINERID=abc\0CNI_ARGS=K8S_POD_NAME=ä\0\0{Configuration}";
        Assert.Equal($"POST /cni HTTP/1.0\r\nHost: plumb\r\nContent-Length: {Encoding.UTF8.GetByteCount(call)}\r\n\r\n{call}", await asked);
    }

    [Fact]
    public async Task An_answer_and_a_configuration_of_any_size_pass()
    {
        var padding = new string('x', 300_000);
        var asked = AnswerAsync($"HTTP/1.1 500 Internal Server Error\r\nContent-Length: {padding.Length}\r\n\r\n{padding}");
        var configuration = Configuration[..^1] + $",\"padding\":\"{padding}\"}}";
        Assert.Equal((1, padding), await Plugin.CallAsync(configuration, ("CNI_COMMAND", "ADD")));
        Assert.EndsWith(configuration, await asked, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ADD", 11)]
    [InlineData("DEL", 11)]
    [InlineData("CHECK", 11)]
    [InlineData("GC", 11)]
    [InlineData("STATUS", 50)]
    public async Task Without_an_agent_the_plugin_says_so_itself(string verb, int code)
    {
        var (exit, error) = await Plugin.JsonAsync(Configuration, ("CNI_COMMAND", verb));
        Assert.Equal((1, code, "1.0.0"), (exit, (int)error["code"]!, (string?)error["cniVersion"]));
        Assert.Equal($"socket {Path}: errno 2", (string?)error["details"]); // ENOENT
    }

    [Theory]
    [InlineData("")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Le")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{}")]
    [InlineData("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")]
    [InlineData("HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n")]
    [InlineData("SSH-2.0-OpenSSH\r\n\r\n")]
    public async Task An_agent_that_ends_before_it_has_answered_is_one_to_ask_again(string answer)
    {
        _ = AnswerAsync(answer);
        var (exit, error) = await Plugin.JsonAsync(Configuration, ("CNI_COMMAND", "ADD"));
        Assert.Equal((1, 11), (exit, (int)error["code"]!));
    }

    [Fact]
    public async Task Versions_need_no_agent()
    {
        var (exit, versions) = await Plugin.JsonAsync("""{"cniVersion":"0.4.0"}""", ("CNI_COMMAND", "VERSION"));
        Assert.Equal((0, "0.4.0"), (exit, (string?)versions["cniVersion"]));
        Assert.Equal(["0.3.1", "0.4.0", "1.0.0", "1.1.0"], versions["supportedVersions"]!.AsArray().Select(static one => (string)one!));
    }

    [Theory]
    [InlineData("0.3.1", """[{"version":"4","address":"127.0.0.1/8","interface":0}]""")]
    [InlineData("1.0.0", """[{"address":"127.0.0.1/8","interface":0}]""")]
    public async Task Called_as_loopback_it_turns_lo_on_without_an_agent(string version, string addresses)
    {
        var configuration = $$"""{"cniVersion":"{{version}}","name":"cni-loopback","type":"loopback"}""";
        const string script =
            """
            CNI_COMMAND=CHECK "$0" < "$1"; echo " $?"; CNI_COMMAND=ADD "$0" < "$1"; echo " $?"; ip -br link show lo | grep -o LOOPBACK,UP; CNI_COMMAND=CHECK "$0" < "$1"; echo " $?"
            CNI_COMMAND=DEL CNI_NETNS= "$0" < "$1"; echo " $?"; CNI_COMMAND=ADD CNI_NETNS=/nowhere "$0" < "$1"; echo " $?"
            """;
        var file = System.IO.Path.Combine(_directory, "configuration");
        await File.WriteAllTextAsync(file, configuration, Cancel);
        var environment = new Dictionary<string, string?> { ["CNI_NETNS"] = "/proc/self/ns/net", ["CNI_CONTAINERID"] = "a", ["CNI_IFNAME"] = "lo" };

        var said = (await Commands.RunAsync(environment, null, "unshare", "--user", "--map-root-user", "--net", "sh", "-c", script, Plugin.Path, file)).Succeeds();

        Assert.Equal(
            [
                $$"""{"cniVersion":"{{version}}","code":101,"msg":"lo of CNI_NETNS is not on","details":""} 1""",
                $$"""{"cniVersion":"{{version}}","interfaces":[{"name":"lo","mac":"00:00:00:00:00:00"}],"ips":{{addresses}}} 0""",
                "LOOPBACK,UP",
                " 0",
                " 0",
                $$"""{"cniVersion":"{{version}}","code":5,"msg":"lo of CNI_NETNS cannot be turned on","details":"errno 2"} 1""",
            ],
            said.Lines);
    }

    [Fact]
    public async Task Somebody_who_types_its_name_is_told_what_it_is()
    {
        var (exit, error) = await Plugin.JsonAsync("");
        Assert.Equal((1, 4), (exit, (int)error["code"]!));
        Assert.Contains("CNI_COMMAND", (string?)error["msg"], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"socket":"\u002ftmp/x"}""")]
    [InlineData("{\"socket\":\"/0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678\"}")]
    public async Task A_path_that_cannot_be_a_sockets_is_named(string configuration)
    {
        var (exit, error) = await Plugin.JsonAsync(configuration, ("CNI_COMMAND", "STATUS"));
        Assert.Equal((1, 50), (exit, (int)error["code"]!));
        Assert.EndsWith("errno 36", (string?)error["details"], StringComparison.Ordinal); // ENAMETOOLONG
    }

    /// <summary>Listens for one call, answers, and tells what was asked.</summary>
    private Task<string> AnswerAsync(string answer)
    {
        var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(Path));
        listener.Listen();
        return ServeAsync(listener, answer);
    }

    private static async Task<string> ServeAsync(Socket listener, string answer)
    {
        using var one = listener;
        using var caller = await listener.AcceptAsync(Cancel);
        var asked = new MemoryStream();
        var buffer = new byte[65536];
        while (!IsWhole(asked))
        {
            asked.Write(buffer, 0, await caller.ReceiveAsync(buffer, Cancel));
        }
        await caller.SendAsync(Encoding.UTF8.GetBytes(answer), Cancel);
        return Encoding.UTF8.GetString(asked.ToArray());
    }

    private static bool IsWhole(MemoryStream asked)
    {
        var bytes = asked.ToArray();
        var end = bytes.AsSpan().IndexOf("\r\n\r\n"u8);
        return end > 0 && bytes.Length - end - 4 == int.Parse(Encoding.UTF8.GetString(bytes.AsSpan(0, end)).Split("Content-Length: ")[1], System.Globalization.CultureInfo.InvariantCulture);
    }
}
