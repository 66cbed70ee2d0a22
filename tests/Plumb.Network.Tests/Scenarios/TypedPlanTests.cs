using System.Diagnostics;
using Plumb.Linux.Addresses;
using Plumb.Linux.Kernel;
using Plumb.Linux.Namespaces;
using Plumb.Linux.Nftables.Text;
using Plumb.Linux.State;
using Plumb.Network.Facts;
using Plumb.Network.Planning;

namespace Plumb.Network.Tests.Scenarios;

/// <summary>What a plan's text makes when it is typed into a shell is what applying the plan makes.</summary>
public sealed class TypedPlanTests
{
    public static TheoryData<string> Names =>
        [.. Scenario.Names.Where(static name => name.StartsWith("Three nodes", StringComparison.Ordinal) || name.StartsWith("Nodes with a router", StringComparison.Ordinal))];

    [Theory, MemberData(nameof(Names))]
    public async Task Typed_commands_and_a_loaded_ruleset_make_what_the_agent_makes(string name)
    {
        var scenario = Scenario.Read(name);
        var planner = scenario.Plan("node-1");
        var all = planner.Desired.Entries.Values.OrderBy(static desired => desired.Entry.Key).ToList();
        using var applied = new World(planner);
        applied.Kernels.Apply([.. all.Select(static desired => new DeltaItem(desired, null))]);
        using var typed = new World(planner);
        foreach (var (place, commands) in CommandText.Sections(planner.Index, planner.View.Node.Namespace))
        {
            await typed.RunAsync(place, "sh -ex", string.Join('\n', commands));
        }
        await typed.RunAsync(planner.View.Node.Namespace, "nft -f -", RulesetText.Print(all));

        Assert.Equal(applied.Print(), typed.Print());
    }

    /// <summary>A node with its wire, and a namespace for each pod.</summary>
    private sealed class World : IDisposable
    {
        private readonly string _directory = Directory.CreateTempSubdirectory("plumb-typed-").FullName;
        private readonly Dictionary<NamespaceId, NetworkNamespace> _places = [];
        private readonly Planner _planner;

        public World(Planner planner)
        {
            _planner = planner;
            var (home, outside) = (planner.View.Node.Namespace, new NamespaceId("outside"));
            foreach (var place in planner.Desired.Entries.Keys.Select(static key => key.Namespace).Append(home).Append(outside).Distinct())
            {
                var network = _places[place] = NetworkNamespace.Create();
                Kernels.Add(place, network);
                // `netns default/client` is a path for ip: it holds a slash.
                var link = Path.Combine(_directory, place.Name);
                Directory.CreateDirectory(Path.GetDirectoryName(link)!);
                File.CreateSymbolicLink(link, network.ProcPath);
            }
            var wire = planner.View.Node.Underlay!;
            List<Entry> given =
            [
                new LinkEntry(home, "lo", new LinkType.Loopback()) { Up = true },
                new LinkEntry(home, wire.Device, new LinkType.Veth(outside, "port")) { Mac = MacAddress.Parse("02:00:00:00:00:01"), MtuBytes = wire.MtuBytes, Up = true, NoAutomaticAddress = true },
                new LinkEntry(outside, "port", new LinkType.Veth(home, wire.Device)) { Up = true, NoAutomaticAddress = true },
                .. wire.Addresses.Select(address => new AddressEntry(home, wire.Device, address) { NoDuplicateDetection = address.Family == IpFamily.V6 ? true : null }),
            ];
            Kernels.Apply([.. given.Select(static entry => new DeltaItem(new Desired(entry), null))]);
        }

        public Kernels Kernels { get; } = new();

        /// <summary>All that stands there, but what kernels choose by themselves.</summary>
        public string Print()
        {
            var desired = _planner.Desired.Entries;
            var observed = Kernels.Observe([.. _places.Keys], kinds: null, desired.Keys);
            Assert.All(desired.Values, want => Assert.True(
                observed.Entries.TryGetValue(want.Entry.Key, out var holds) && want.Entry.IsSatisfiedBy(holds.Entry), $"{want.Entry} is not there"));
            return string.Join('\n', observed.Entries.Values
                .Where(static holds => holds.Owner != Owner.Kernel)
                .OrderBy(static holds => holds.Entry.Key)
                .Select(holds => $"{Common(holds.Entry, desired.GetValueOrDefault(holds.Entry.Key)?.Entry)} {OwnerOf(holds)} {holds.Stamp}"));
        }

        // ip cannot say whose an address is.
        private static string OwnerOf(Observed holds) => holds.Entry is AddressEntry ? "" : holds.Owner.ToString();


        public async Task RunAsync(NamespaceId place, string command, string input)
        {
            var start = new ProcessStartInfo("nsenter", [$"--net={_places[place].ProcPath}", .. command.Split(' ')])
            {
                WorkingDirectory = _directory,
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            };
            var cancel = TestContext.Current.CancellationToken;
            using var process = Process.Start(start)!;
            var output = process.StandardOutput.ReadToEndAsync(cancel);
            var error = process.StandardError.ReadToEndAsync(cancel);
            await process.StandardInput.WriteAsync(input);
            process.StandardInput.Close();
            await process.WaitForExitAsync(cancel);
            await output;
            Assert.True(process.ExitCode == 0, $"{place}: {await error}");
        }

        public void Dispose()
        {
            Kernels.Dispose();
            Directory.Delete(_directory, recursive: true);
        }

        // A hardware address that nobody asked for is chosen at random.
        private static Entry Common(Entry entry, Entry? want) => entry switch
        {
            LinkEntry link when want is LinkEntry { Mac: null } || link.Name == "port" => link with { Mac = null },
            AddressEntry address => address with { Protocol = null },
            _ => entry,
        };
    }
}
