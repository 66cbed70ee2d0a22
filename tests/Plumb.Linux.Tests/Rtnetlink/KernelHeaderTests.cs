using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using Plumb.Linux.Native;
using Plumb.Linux.Netlink;
using Plumb.Linux.Processes;
using Plumb.Linux.Rtnetlink;
using Plumb.Linux.TrafficControl;

namespace Plumb.Linux.Tests.Rtnetlink;

/// <summary>Constants and structures against a C program that is compiled from this machine's headers.</summary>
public sealed partial class KernelHeaderTests
{
    private const string Includes = """
        #define _GNU_SOURCE
        #include <stddef.h>
        #include <stdio.h>
        #include <errno.h>
        #include <fcntl.h>
        #include <poll.h>
        #include <sched.h>
        #include <signal.h>
        #include <spawn.h>
        #include <unistd.h>
        #include <termios.h>
        #include <sys/epoll.h>
        #include <sys/inotify.h>
        #include <sys/ioctl.h>
        #include <sys/mman.h>
        #include <sys/mount.h>
        #include <sys/socket.h>
        #include <sys/stat.h>
        #include <sys/syscall.h>
        #include <sys/wait.h>
        #include <netinet/in.h>
        #include <linux/close_range.h>
        #include <linux/filter.h>
        #include <linux/if.h>
        #include <linux/if_ether.h>
        #include <linux/if_packet.h>
        #include <linux/netlink.h>
        #include <linux/rtnetlink.h>
        #include <linux/if_link.h>
        #include <linux/if_addr.h>
        #include <linux/if_bridge.h>
        #include <linux/if_tunnel.h>
        #include <linux/genetlink.h>
        #include <linux/ip_vs.h>
        #include <linux/netfilter/nfnetlink.h>
        #include <linux/netfilter/ipset/ip_set.h>
        #include <linux/wireguard.h>
        #include <linux/neighbour.h>
        #include <linux/gen_stats.h>
        #include <linux/pkt_cls.h>
        #include <linux/prctl.h>
        #include <linux/seccomp.h>
        #include <linux/tc_act/tc_gact.h>
        #include <linux/tc_act/tc_mirred.h>
        #include <linux/fib_rules.h>
        #include <linux/net_namespace.h>
        #include <linux/veth.h>
        #include <linux/nsfs.h>
        #include <linux/memfd.h>
        #define IFF_UP 1
        #define IFF_LOOPBACK 8

        """;

    [Fact]
    public async Task Every_constant_with_a_kernels_name_has_the_kernels_value()
    {
        var constants = Constants().ToList();
        Assert.True(constants.Count > 150, $"only {constants.Count} constants were found");

        var kernel = await Compile(string.Concat(constants.Select(c => $"printf(\"{c.Name} %lld\\n\", (long long)({c.Name}));\n")));

        Assert.Empty(constants.Where(c => kernel[c.Name] != c.Value).Select(c => $"{c.Name} is {kernel[c.Name]}, not {c.Value}"));
    }

    [Fact]
    public async Task Every_structure_has_the_kernels_size()
    {
        (string Name, int Size)[] structures =
        [
            ("ifinfomsg", Unsafe.SizeOf<LinkMessage.Header>()),
            ("ifaddrmsg", Unsafe.SizeOf<AddressMessage.Header>()),
            ("rtmsg", Unsafe.SizeOf<RouteMessage.Header>()),
            ("rtnexthop", Unsafe.SizeOf<RouteHop.NextHopHeader>()),
            ("ndmsg", Unsafe.SizeOf<NeighbourMessage.Header>()),
            ("fib_rule_hdr", Unsafe.SizeOf<RuleMessage.Header>()),
            ("tcmsg", Unsafe.SizeOf<TrafficMessage.Header>()),
            ("tc_mirred", Unsafe.SizeOf<ActionList.MirredParameters>()),
            ("sockaddr_nl", Unsafe.SizeOf<NetlinkAddress>()),
            ("pollfd", Unsafe.SizeOf<PollDescriptor>()),
            ("nlmsghdr", NetlinkControl.HeaderBytes),
            ("nlattr", NetlinkControl.AttributeHeaderBytes),
        ];

        var kernel = await Compile(string.Concat(structures.Select(s => $"printf(\"{s.Name} %zu\\n\", sizeof(struct {s.Name}));\n")));

        Assert.All(structures, s => Assert.Equal((s.Name, kernel[s.Name]), (s.Name, s.Size)));
    }

    [Fact]
    public async Task Offsets_that_are_read_by_number_are_the_kernels()
    {
        var kernel = await Compile("""
            printf("stx_ino %zu\n", offsetof(struct statx, stx_ino));
            printf("stx_dev_major %zu\n", offsetof(struct statx, stx_dev_major));
            printf("statx %zu\n", sizeof(struct statx));
            printf("si_code %zu\n", offsetof(siginfo_t, si_code));
            printf("si_pid %zu\n", offsetof(siginfo_t, si_pid));
            printf("si_status %zu\n", offsetof(siginfo_t, si_status));
            printf("siginfo_t %zu\n", sizeof(siginfo_t));
            printf("spawn %d\n", sizeof(posix_spawnattr_t) <= 1024 && sizeof(posix_spawn_file_actions_t) <= 1024);
            printf("sigset_t %zu\n", sizeof(sigset_t));
            """);

        Assert.Equal(
            (32, 136, 256, 8, 16, 24, 128, 1, 128),
            (kernel["stx_ino"], kernel["stx_dev_major"], kernel["statx"], kernel["si_code"], kernel["si_pid"], kernel["si_status"],
                kernel["siginfo_t"], kernel["spawn"], kernel["sigset_t"]));
    }

    private static IEnumerable<(string Name, long Value)> Constants()
    {
        const BindingFlags all = BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;
        var namespaces = new[] { "Plumb.Linux.Native", "Plumb.Linux.Netlink", "Plumb.Linux.Rtnetlink", "Plumb.Linux.Namespaces", "Plumb.Linux.Processes", "Plumb.Linux.Ipset", "Plumb.Linux.Ipvs", "Plumb.Linux.Wireguard", "Plumb.Linux.TrafficControl" };
        var seen = new HashSet<string>();
        foreach (var type in typeof(NetlinkSocket).Assembly.GetTypes().Where(t => namespaces.Contains(t.Namespace)))
        {
            foreach (var field in type.GetFields(all).Where(f => f.IsLiteral && KernelName().IsMatch(f.Name) && seen.Add(f.Name)))
            {
                yield return (field.Name, Convert.ToInt64(type.IsEnum ? Convert.ChangeType(field.GetRawConstantValue()!, Enum.GetUnderlyingType(type), CultureInfo.InvariantCulture) : ToLong(field.GetRawConstantValue()!), CultureInfo.InvariantCulture));
            }
        }
    }

    private static object ToLong(object value) => value is nint or nuint ? Convert.ToInt64(value.ToString(), CultureInfo.InvariantCulture) : value;

    // IFLA_MTU, O_CLOEXEC, EPOLLIN, SYS_pidfd_open, ENOENT; not Libc.Name.
    [GeneratedRegex("^(E[A-Z0-9]{2,}|[A-Z][A-Z0-9]*_[A-Za-z0-9_]+)$")]
    private static partial Regex KernelName();

    private static async Task<Dictionary<string, int>> Compile(string body)
    {
        if (!File.Exists("/usr/bin/gcc"))
        {
            Assert.Skip("gcc is not installed: constants and structures are not compared with the kernel's headers");
        }
        var directory = Directory.CreateTempSubdirectory("plumb-headers");
        try
        {
            var source = Path.Combine(directory.FullName, "check.c");
            var program = Path.Combine(directory.FullName, "check");
            await File.WriteAllTextAsync(source, Includes + "int main(void) {\n" + body + "\nreturn 0; }\n");
            await Witness.Run(null, "gcc", "-w", "-o", program, source);
            var output = await Witness.Run(null, program);
            return output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split(' '))
                .ToDictionary(words => words[0], words => (int)long.Parse(words[1], CultureInfo.InvariantCulture));
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }
}
