using Plumb.Linux.Addresses;
using Plumb.Linux.Netlink;

namespace Plumb.Linux.Tests.Netlink;

public sealed class WriterAndReaderTests
{
    [Fact]
    public void Attributes_are_padded_and_lengths_are_without_padding()
    {
        using var writer = new NetlinkWriter();
        using (writer.Message(0x1234, NetlinkFlags.Create))
        {
            writer.U8(1, 0xab);
            using (writer.Nest(2))
            {
                writer.Text(3, "abc");
                writer.U16BigEndian(4, 0x0102);
            }
        }

        Assert.Equal(
            "2c000000" + "3412" + "0104" + "00000000" + "00000000"
            + "05000100" + "ab000000"
            + "1400" + "0280" + "08000300" + "61626300" + "06000400" + "01020000",
            Convert.ToHexStringLower(writer.Written),
            ignoreCase: true);
    }

    [Fact]
    public void What_is_written_is_read()
    {
        using var writer = new NetlinkWriter(16);
        using (writer.Message(77))
        {
            writer.U8(1, 200);
            writer.U16(2, 50_000);
            writer.U32(3, 4_000_000_000);
            writer.U64(4, ulong.MaxValue - 1);
            writer.S32(5, -5);
            writer.U16BigEndian(6, 8472);
            writer.U32BigEndian(7, 70_000);
            writer.U64BigEndian(8, 1UL << 40);
            writer.Text(9, "größer");
            writer.Ip(10, IpAddress.Parse("fd00::1"));
            writer.Mac(11, MacAddress.Parse("0a:58:0a:f4:01:05"));
            writer.Flag(12);
        }
        writer.Stamp(9, acknowledged: 0);

        var messages = new NetlinkReader(writer.Written);
        Assert.True(messages.MoveNext());
        Assert.Equal((77, 9u, NetlinkFlags.Request | NetlinkFlags.Acknowledge), (messages.Current.Type, messages.Current.Sequence, messages.Current.Flags));
        var a = new AttributeReader(messages.Current.Payload, "test");
        Assert.Equal(200, Next(ref a).U8("1"));
        Assert.Equal(50_000, Next(ref a).U16("2"));
        Assert.Equal(4_000_000_000, Next(ref a).U32("3"));
        Assert.Equal(ulong.MaxValue - 1, Next(ref a).U64("4"));
        Assert.Equal(-5, Next(ref a).S32("5"));
        Assert.Equal(8472, Next(ref a).U16BigEndian("6"));
        Assert.Equal(70_000u, Next(ref a).U32BigEndian("7"));
        Assert.Equal(1UL << 40, Next(ref a).U64BigEndian("8"));
        Assert.Equal("größer", Next(ref a).Text("9"));
        Assert.Equal("fd00::1", Next(ref a).Ip("10").ToString());
        Assert.Equal("0a:58:0a:f4:01:05", Next(ref a).Mac("11").ToString());
        Assert.Equal(0, Next(ref a).Value.Length);
        Assert.False(a.MoveNext());
        Assert.False(messages.MoveNext());
    }

    [Fact]
    public void A_value_of_the_wrong_length_is_named_with_its_bytes()
    {
        using var writer = new NetlinkWriter();
        using (writer.Message(1))
        {
            writer.U16(4, 0xbeef);
        }

        var exception = Assert.Throws<NetlinkDecodeException>(() =>
        {
            var messages = new NetlinkReader(writer.Written);
            messages.MoveNext();
            var a = new AttributeReader(messages.Current.Payload, "RTM_NEWLINK");
            Next(ref a).U32("IFLA_MTU");
        });

        Assert.Equal("IFLA_MTU", exception.What);
        Assert.Equal("IFLA_MTU: has 2 bytes instead of 4 [efbe]", exception.Message);
    }

    [Fact]
    public void Every_cut_gives_the_one_typed_exception_or_a_shorter_list()
    {
        using var writer = new NetlinkWriter();
        using (writer.Message(1))
        {
            writer.U32(1, 5);
            writer.Text(2, "name");
        }
        for (var length = 0; length < writer.LengthBytes; length++)
        {
            var cut = writer.Written[..length].ToArray();
            if (length == 0)
            {
                Assert.Equal(0, Read(cut));
                continue;
            }
            Assert.Throws<NetlinkDecodeException>(() => Read(cut));
        }
        Assert.Equal(2, Read(writer.Written.ToArray()));
    }

    [Fact]
    public void A_message_left_open_cannot_be_followed_or_sent()
    {
        using var writer = new NetlinkWriter();
        _ = writer.Message(1);

        Assert.Throws<InvalidOperationException>(() => { _ = writer.Message(2); });
        Assert.Throws<InvalidOperationException>(() => writer.Stamp(1, 0));
    }

    [Fact]
    public void A_nest_beyond_sixteen_bits_is_refused()
    {
        using var writer = new NetlinkWriter();
        _ = writer.Message(1);

        Assert.Throws<InvalidOperationException>(() =>
        {
            using (writer.Nest(1))
            {
                writer.Bytes(2, new byte[40_000]);
                writer.Bytes(3, new byte[40_000]);
            }
        });
    }

    private static NetlinkAttribute Next(ref AttributeReader reader)
    {
        Assert.True(reader.MoveNext());
        return reader.Current;
    }

    private static int Read(byte[] bytes)
    {
        var count = 0;
        foreach (var message in new NetlinkReader(bytes))
        {
            foreach (var attribute in new AttributeReader(message.Payload, "test"))
            {
                _ = attribute.Type;
                count++;
            }
        }
        return count;
    }
}
