using Plumb.CommandLine;

namespace Plumb.Cli.Tests.CommandLine;

/// <summary>A wrong command line gets one line that says what is wrong and what would be right, and exit code 2.</summary>
public sealed class UsageTests
{
    [Theory]
    [InlineData("upp", "plumb: no command upp; did you mean up?; `plumb --help` lists them")]
    [InlineData("--nodes 3", "plumb: no option --nodes here; options stand behind a command, see `plumb --help`")]
    [InlineData("up --node 3", "plumb up: no option --node; did you mean --nodes?")]
    [InlineData("up --nodes 0", "plumb up: --nodes: '0' is not a number from 1 to 50")]
    [InlineData("up --nodes 51", "plumb up: --nodes: '51' is not a number from 1 to 50")]
    [InlineData("up --nodes three", "plumb up: --nodes: 'three' is not a number from 1 to 50")]
    [InlineData("up --nodes -1", "plumb up: --nodes: '-1' is not a number from 1 to 50")]
    [InlineData("up --nodes", "plumb up: --nodes needs a value: --nodes N")]
    [InlineData("up --nodes 2 --nodes 3", "plumb up: --nodes can be given once only")]
    [InlineData("up here", "plumb up: 'here' is one word too many")]
    [InlineData("up --overlay bgp", "plumb up: --overlay: bgp is not in this version, which has: vxlan, routed")]
    [InlineData("up --overlay vlan", "plumb up: --overlay: 'vlan' is none of: vxlan, routed")]
    [InlineData("up --services ebpf", "plumb up: --services: ebpf is not in this version, which has: nftables, iptables, none")]
    [InlineData("up --name Blue", "plumb up: --name: 'Blue' cannot be a lab's name: use 1 to 63 lower-case letters, digits and '-', not '-' first or last")]
    [InlineData("up --pod-cidr 10.244.0.0", "plumb up: --pod-cidr: '10.244.0.0' is not an address range such as 10.244.0.0/16")]
    [InlineData("up --pod-cidr 10.244.1.0/16", "plumb up: --pod-cidr: 10.244.1.0/16 is an address inside 10.244.0.0/16; did you mean 10.244.0.0/16?")]
    [InlineData("up --pod-cidr 10.96.0.0/16", "plumb up: the pods' range 10.96.0.0/16 (--pod-cidr) overlaps the services' range 10.96.0.0/12 (--service-cidr): choose ranges that share no address")]
    [InlineData("up --cluster-cidr 192.168.0.0/16", "plumb up: the nodes' range 192.168.1.0/24 (--node-cidr) overlaps the pods' range 192.168.0.0/16 (--pod-cidr): choose ranges that share no address")]
    [InlineData("up --pod-cidr 10.244.0.0/23", "plumb up: --pod-cidr 10.244.0.0/23: too small, the pods' range has to be a /22 or larger")]
    [InlineData("up --pod-cidr 10.244.0.0/25 --nodes 1", "plumb up: --pod-cidr 10.244.0.0/25: too small, the pods' range has to be a /23 or larger")]
    [InlineData("up -f nowhere.yaml", "plumb up: --file: there is no file or folder 'nowhere.yaml'")]
    [InlineData("up -f - -f -", "plumb up: --file: standard input (-) can be read once only")]
    [InlineData("up --image httpd", "plumb up: --image: 'httpd' is not NAME=PATH")]
    [InlineData("up --image httpd=nowhere", "plumb up: --image: there is no folder or archive 'nowhere'")]
    [InlineData("up --detach -- true", "plumb up: --detach leaves the lab running and `-- COMMAND` takes it down: choose one")]
    [InlineData("up --", "plumb up: a command is missing behind `--`")]
    [InlineData("down -- true", "plumb down: nothing can stand behind `--` here: true")]
    [InlineData("down blue --all", "plumb down: either --all or one lab's name")]
    [InlineData("down blue --name red", "plumb down: NAME says blue and --name says red")]
    [InlineData("set --services ipvs", "plumb set: --services: ipvs is not in this version, which has: nftables, iptables, none")]
    [InlineData("set", "plumb set: what shall be set? --services KIND")]
    [InlineData("status -o yaml", "plumb status: --output: 'yaml' is none of: text, json")]
    [InlineData("shell", "plumb shell: POD|NODE|outside is missing: plumb shell POD|NODE|outside [options] [-- COMMAND…]")]
    [InlineData("shell node-1 --namespaces net,user", "plumb shell: --namespaces: 'user' is none of: net, pid, mount")]
    [InlineData("completions tcsh", "plumb completions: 'tcsh' is none of: bash, zsh, fish")]
    [InlineData("help upp", "plumb: no command upp; did you mean up?; `plumb --help` lists them")]
    public async Task A_wrong_command_line_gets_one_clear_line(string line, string said)
    {
        var result = await Said.By(line.Split(' '));

        Assert.Equal(said + "\n", result.Error);
        Assert.Empty(result.Output);
        Assert.Equal(ExitCode.Usage, result.ExitCode);
    }

    [Fact]
    public async Task No_word_at_all_shows_help_and_counts_as_wrong()
    {
        var result = await Said.By();

        Assert.Contains("Usage: plumb COMMAND", result.Output);
        Assert.Equal(ExitCode.Usage, result.ExitCode);
    }

    [Theory]
    [InlineData("statsu", "status", 1)]
    [InlineData("up", "up", 0)]
    [InlineData("dwn", "down", 1)]
    [InlineData("", "abc", 3)]
    public void The_distance_of_words_counts_their_differences(string left, string right, int distance)
    {
        Assert.Equal(distance, Nearest.Distance(left, right));
        Assert.Equal(distance, Nearest.Distance(right, left));
    }

    [Fact]
    public void A_word_that_is_like_none_gets_no_suggestion() => Assert.Equal("", Nearest.Suggest("frobnicate", Verbs.Names));
}
