using Plumb.Diagnosis.Packets;
using Plumb.Linux.Addresses;
using Plumb.Linux.Conntrack;
using Plumb.Linux.Nftables;
using Plumb.Linux.Nftables.Expressions;
using Plumb.Linux.Nftables.Expressions.Loads;
using Plumb.Linux.Nftables.Language;
using Plumb.Linux.State;

namespace Plumb.Diagnosis.Rules.Nftables;

/// <summary>
/// What expressions put into registers of a packet, its devices and its connection (nft_payload_eval, nft_meta_get_eval, nft_ct_get_eval, nft_fib). What a walk cannot
/// see is loaded as not known.
/// </summary>
internal static class Loads
{
    private const int InterfaceNameBytes = 16; // IFNAMSIZ
    private const ushort ARPHRD_ETHER = 1;
    private const ushort ARPHRD_LOOPBACK = 772;

    public static void Payload(PayloadExpression load, Machine machine)
    {
        var length = (int)load.LengthBytes;
        Span<byte> bytes = stackalloc byte[length];
        Span<byte> unknown = stackalloc byte[length];
        var headers = machine.Headers;
        switch (load.Base)
        {
            case PayloadBase.Network:
            case PayloadBase.Transport:
                var isThere = load.Base == PayloadBase.Network
                    ? headers.TryReadNetwork((int)load.OffsetBytes, bytes, unknown)
                    : headers.TryReadTransport((int)load.OffsetBytes, bytes, unknown);
                if (!isThere)
                {
                    machine.Verdict = Machine.Break;
                    return;
                }
                machine.Registers.Set(load.Register, bytes);
                unknown.CopyTo(machine.Registers.Unknown(load.Register, length));
                break;
            default:
                machine.Registers.Forget(load.Register, length);
                break;
        }
    }

    public static void Meta(MetaExpression load, Machine machine)
    {
        var (registers, packet, place) = (machine.Registers, machine.Packet, machine.Place);
        switch (load.Key)
        {
            case MetaKey.Length:
                registers.Set(load.Register, (uint)packet.Length);
                break;
            case MetaKey.Protocol:
                registers.Set16BigEndian(load.Register, packet.Family == IpFamily.V4 ? (ushort)0x0800 : (ushort)0x86dd);
                break;
            case MetaKey.NetfilterProtocol:
                registers.Set8(load.Register, (byte)packet.Family);
                break;
            case MetaKey.L4Protocol:
                registers.Set8(load.Register, packet.Protocol);
                break;
            case MetaKey.Priority:
                registers.Set(load.Register, packet.Priority);
                break;
            case MetaKey.Mark:
                registers.Set(load.Register, packet.Mark);
                break;
            case MetaKey.InputName:
                SetName(load.Register, place.InDevice, registers);
                break;
            case MetaKey.OutputName:
                SetName(load.Register, place.OutDevice, registers);
                break;
            case MetaKey.InputIndex:
                SetIndex(load.Register, place.InDevice, place.In, registers);
                break;
            case MetaKey.OutputIndex:
                SetIndex(load.Register, place.OutDevice, place.Out, registers);
                break;
            case MetaKey.InputType:
                SetType(load.Register, place.InDevice, place.In, machine);
                break;
            case MetaKey.OutputType:
                SetType(load.Register, place.OutDevice, place.Out, machine);
                break;
            case MetaKey.PacketType when !packet.Destination.IsMulticast:
                registers.Set8(load.Register, 0); // PACKET_HOST
                break;
            case MetaKey.Trace:
                registers.Set8(load.Register, 0);
                break;
            case MetaKey.UserId or MetaKey.GroupId or MetaKey.Cgroup when place.Hook is ChainHook.Prerouting or ChainHook.Forward:
                machine.Verdict = Machine.Break; // nobody here has sent it
                break;
            case MetaKey.UserId or MetaKey.GroupId when place.Sender is { } sender:
                registers.Set(load.Register, load.Key == MetaKey.UserId ? sender.User : sender.Group);
                break;
            default:
                registers.Forget(load.Register, load.Key is MetaKey.InputKind or MetaKey.OutputKind or MetaKey.SlaveDeviceName ? InterfaceNameBytes : sizeof(ulong));
                break;
        }
    }

    public static void Connection(ConntrackExpression load, Machine machine)
    {
        var registers = machine.Registers;
        if (load.Key == ConntrackKey.State)
        {
            registers.Set(load.Register, (uint)States(machine.Connection));
            return;
        }
        if (machine.Connection is not { IsTracked: true } connection)
        {
            machine.Verdict = Machine.Break;
            return;
        }
        var direction = load.Direction is { } stated ? stated == ConntrackDirection.Reply : connection.IsReply;
        var tuple = direction ? connection.Reply : connection.Original;
        switch (load.Key)
        {
            case ConntrackKey.Direction:
                registers.Set8(load.Register, connection.IsReply ? (byte)1 : (byte)0);
                break;
            case ConntrackKey.Mark:
                registers.Set(load.Register, connection.Mark.Value);
                break;
            case ConntrackKey.Status:
                var (status, unknown) = Status(connection);
                registers.Set(load.Register, status);
                BitConverter.TryWriteBytes(registers.Unknown(load.Register, sizeof(uint)), unknown);
                break;
            case ConntrackKey.Zone:
                registers.Set16(load.Register, connection.Zone);
                break;
            case ConntrackKey.L3Protocol:
                registers.Set8(load.Register, (byte)tuple.Source.Family);
                break;
            case ConntrackKey.Protocol:
                registers.Set8(load.Register, tuple.Protocol);
                break;
            case ConntrackKey.Source or ConntrackKey.SourceIp or ConntrackKey.SourceIp6:
                SetAddress(load, tuple.Source, machine);
                break;
            case ConntrackKey.Destination or ConntrackKey.DestinationIp or ConntrackKey.DestinationIp6:
                SetAddress(load, tuple.Destination, machine);
                break;
            case ConntrackKey.ProtocolSource:
                registers.Set16BigEndian(load.Register, tuple.SourcePort);
                break;
            case ConntrackKey.ProtocolDestination when direction && connection.HasRandomSourcePort:
                registers.Forget(load.Register, sizeof(ushort));
                break;
            case ConntrackKey.ProtocolDestination:
                registers.Set16BigEndian(load.Register, tuple.DestinationPort);
                break;
            default:
                registers.Forget(load.Register, load.Key is ConntrackKey.Labels or ConntrackKey.Helper ? 16 : sizeof(ulong));
                break;
        }
    }

    public static void Fib(FibExpression load, Machine machine)
    {
        var registers = machine.Registers;
        var place = machine.Place;
        var device = (load.Flags & FibFlags.InputInterface) != 0 ? place.InDevice : (load.Flags & FibFlags.OutputInterface) != 0 ? place.OutDevice : null;
        if (place.Fib is not { } ask)
        {
            registers.Forget(load.Destination, load.Result == FibResult.OutputName ? InterfaceNameBytes : sizeof(uint));
            return;
        }
        var asked = (load.Flags & FibFlags.SourceAddress) != 0 ? machine.Packet.Source : machine.Packet.Destination;
        var answer = ask(asked);
        if (load.Result == FibResult.AddressType)
        {
            registers.Set(load.Destination, (uint)AddressTypes.Of(asked, answer, device));
            return;
        }
        // Only a way that leads out counts, and with a device only by that one.
        var found = answer.Type == (byte)FibAddressType.Unicast && answer.Device is not null && (device is null || device == answer.Device) ? answer.Device : null;
        if (place.Hook == ChainHook.Prerouting && place.InDevice is { } inDevice && (inDevice == "lo" || place.In?.Type is LinkType.Loopback))
        {
            found = inDevice;
        }
        if ((load.Flags & FibFlags.Present) != 0)
        {
            registers.Set8(load.Destination, found is null ? (byte)0 : (byte)1);
        }
        else if (load.Result == FibResult.OutputName)
        {
            SetName(load.Destination, found, registers);
        }
        else if (found is null)
        {
            registers.Set(load.Destination, 0);
        }
        else
        {
            SetIndex(load.Destination, found, found == place.InDevice ? place.In : found == place.OutDevice ? place.Out : null, registers);
        }
    }

    private static ConntrackStates States(Connection? connection) => connection?.State switch
    {
        ConnectionState.Untracked => ConntrackStates.Untracked,
        ConnectionState.New or ConnectionState.Template => ConntrackStates.New,
        ConnectionState.Established => ConntrackStates.Established,
        ConnectionState.Related => ConntrackStates.Related,
        _ => ConntrackStates.Invalid, // also before conntrack has seen it
    };

    private static (uint Known, uint Unknown) Status(Connection connection)
    {
        if (connection.Entry is { } entry)
        {
            return (entry.Status | (connection.IsReply ? (uint)ConntrackStatuses.SeenReply : 0), 0);
        }
        var status = (ConntrackStatuses)0;
        status |= connection.SourceTranslated || connection.HasRandomSourcePort ? ConntrackStatuses.SourceNat : 0;
        status |= connection.DestinationTranslated ? ConntrackStatuses.DestinationNat : 0;
        status |= connection.IsKnown ? ConntrackStatuses.Confirmed : 0;
        status |= connection.IsReply || connection.State == ConnectionState.Established ? ConntrackStatuses.SeenReply : 0;
        const uint sourceDone = 1 << 7, destinationDone = 1 << 8;
        var done = (connection.SourceDecided ? sourceDone : 0) | (connection.DestinationDecided ? destinationDone : 0);
        const ConntrackStatuses told = ConntrackStatuses.SourceNat | ConntrackStatuses.DestinationNat | ConntrackStatuses.Confirmed | ConntrackStatuses.SeenReply;
        // Of a first packet all is known: nothing has happened to its connection yet.
        var unknown = connection.IsKnown ? ~(uint)told & ~(sourceDone | destinationDone) : 0;
        return ((uint)status | done, unknown);
    }

    private static void SetAddress(ConntrackExpression load, IpAddress address, Machine machine)
    {
        // ct ip saddr of a connection of IPv6 is none.
        if ((load.Key is ConntrackKey.SourceIp or ConntrackKey.DestinationIp && address.Family != IpFamily.V4)
            || (load.Key is ConntrackKey.SourceIp6 or ConntrackKey.DestinationIp6 && address.Family != IpFamily.V6))
        {
            machine.Verdict = Machine.Break;
            return;
        }
        machine.Registers.Set(load.Register, address.ToBytes());
    }

    private static void SetName(Register register, string? device, Registers registers)
    {
        Span<byte> name = stackalloc byte[InterfaceNameBytes];
        name.Clear();
        System.Text.Encoding.ASCII.GetBytes(device ?? "", name);
        registers.Set(register, name);
    }

    private static void SetIndex(Register register, string? device, DeviceFacts? facts, Registers registers)
    {
        if (device is null)
        {
            registers.Set(register, 0);
        }
        else if (facts is not null)
        {
            registers.Set(register, (uint)facts.Index);
        }
        else
        {
            registers.Forget(register, sizeof(uint));
        }
    }

    private static void SetType(Register register, string? device, DeviceFacts? facts, Machine machine)
    {
        if (device is null)
        {
            machine.Verdict = Machine.Break;
            return;
        }
        switch (facts?.Type)
        {
            case LinkType.Loopback:
                machine.Registers.Set16(register, ARPHRD_LOOPBACK);
                break;
            case LinkType.Bridge or LinkType.Veth or LinkType.Vxlan or LinkType.Stacked:
                machine.Registers.Set16(register, ARPHRD_ETHER);
                break;
            default:
                machine.Registers.Forget(register, sizeof(ushort));
                break;
        }
    }
}
