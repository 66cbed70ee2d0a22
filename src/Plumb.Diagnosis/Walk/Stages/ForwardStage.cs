using Plumb.Diagnosis.Walk.Tracking;
using Plumb.Linux.Nftables;

namespace Plumb.Diagnosis.Walk.Stages;

/// <summary><c>ip_forward</c>: TTL and MTU come before the rules of NF_INET_FORWARD.</summary>
internal sealed class ForwardStage : IStage
{
    public Stage Stage => Stage.Forward;

    public IEnumerable<Step> Pass(Traveller traveller, Surroundings around)
    {
        var packet = traveller.Packet;
        if (packet.TimeToLive <= 1)
        {
            return [traveller.Drop("its TTL is used up", null, traveller.In, Answers.Error(packet, Answers.TimeExceeded(packet.Family)))];
        }
        if (Mtu.Of(traveller) is { } mtu && (packet.DontFragment ? packet.Length > mtu : !traveller.IsV4 && packet.LengthOnLink > mtu))
        {
            return
            [
                traveller.Drop(
                    $"{packet.Length} bytes do not fit the MTU of {mtu} on {traveller.Out}, and it must not be cut: the sender is told",
                    traveller.Space.Link(traveller.Out!),
                    traveller.Out,
                    Answers.Error(packet, Answers.TooBig(packet.Family))),
            ];
        }
        return Hooks.Pass(
            traveller with { Packet = packet with { TimeToLive = (byte)(packet.TimeToLive - 1) } }, ChainHook.Forward, static passed => passed.Go(Stage.Postrouting));
    }
}
