using Plumb.Linux.Bpf;

namespace Plumb.Linux.Tests.Bpf;

public sealed class BtfTests
{
    // Laid out by hand after linux/btf.h: header, types, strings.
    private static readonly byte[] Small =
    [
        0x9f, 0xeb, 1, 0, 24, 0, 0, 0, 0, 0, 0, 0, 140, 0, 0, 0, 140, 0, 0, 0, 44, 0, 0, 0,
        // 1: int
        1, 0, 0, 0, 0, 0, 0, 1, 4, 0, 0, 0, 32, 0, 0, 1,
        // 2: struct deep { int in; }
        5, 0, 0, 0, 1, 0, 0, 4, 4, 0, 0, 0, 10, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0,
        // 3: union { struct deep d; }
        0, 0, 0, 0, 1, 0, 0, 5, 8, 0, 0, 0, 13, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0,
        // 4: struct outer { int c; union at 8 bytes }
        15, 0, 0, 0, 2, 0, 0, 4, 16, 0, 0, 0, 21, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 64, 0, 0, 0,
        // 5: enum reason { NONE = 0, WHY = 7 }
        23, 0, 0, 0, 2, 0, 0, 6, 4, 0, 0, 0, 30, 0, 0, 0, 0, 0, 0, 0, 35, 0, 0, 0, 7, 0, 0, 0,
        // 6: typedef of 4
        39, 0, 0, 0, 0, 0, 0, 8, 4, 0, 0, 0,
        0, .. "int\0deep\0in\0d\0outer\0c\0reason\0NONE\0WHY\0type\0"u8,
    ];

    [Fact]
    public void Fields_are_found_also_in_unions_without_a_name()
    {
        var btf = new Btf(Small);

        Assert.Equal(0, btf.OffsetOf("outer", "c"));
        Assert.Equal(8, btf.OffsetOf("outer", "d"));
        Assert.Equal(8, btf.OffsetOf("outer", "d.in"));
        Assert.Null(btf.OffsetOf("outer", "nothing"));
        Assert.Null(btf.OffsetOf("nobody", "c"));
        Assert.Equal("WHY", btf.NamesOf("reason")[7]);
    }

    [Fact]
    public void What_is_cut_off_is_refused()
    {
        for (var length = 0; length < Small.Length; length++)
        {
            Assert.Throws<FormatException>(() => new Btf(Small[..length]));
        }
    }

    [Fact]
    public async Task The_kernels_own_description_gives_the_offsets_that_its_headers_give()
    {
        if (Btf.OfKernel() is not { } kernel)
        {
            Assert.Skip("this kernel does not describe its types");
            return;
        }
        // A structure that programs see too: the compiler is the witness.
        var folder = Directory.CreateTempSubdirectory("btf-").FullName;
        try
        {
            await File.WriteAllTextAsync(
                Path.Combine(folder, "a.c"),
                "#include <stdio.h>\n#include <stddef.h>\n#include <linux/rtnetlink.h>\nint main(void) { printf(\"%zu %zu\", offsetof(struct ifinfomsg, ifi_index), offsetof(struct rtmsg, rtm_flags)); }\n",
                TestContext.Current.CancellationToken);
            await Witness.Run(null, "/usr/bin/cc", "-o", Path.Combine(folder, "a"), Path.Combine(folder, "a.c"));
            var said = await Witness.Run(null, Path.Combine(folder, "a"));
            Assert.Equal(said, $"{kernel.OffsetOf("ifinfomsg", "ifi_index")} {kernel.OffsetOf("rtmsg", "rtm_flags")}");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
        Assert.NotNull(kernel.OffsetOf("sk_buff", "network_header"));
        Assert.NotNull(kernel.OffsetOf("net_device", "nd_net.net"));
        Assert.Contains("SKB_DROP_REASON_NETFILTER_DROP", kernel.NamesOf("skb_drop_reason").Values);
    }
}
