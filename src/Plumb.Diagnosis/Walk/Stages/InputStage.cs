using Plumb.Diagnosis.Walk.Tracking;
using Plumb.Linux.Nftables;

namespace Plumb.Diagnosis.Walk.Stages;

/// <summary>NF_INET_LOCAL_IN</summary>
internal sealed class InputStage : IStage
{
    public Stage Stage => Stage.Input;

    public IEnumerable<Step> Pass(Traveller traveller, Surroundings around) =>
        Hooks.Pass(traveller, ChainHook.Input, static passed => passed.For is { } upper
            ? (passed with { Space = upper.Space, In = upper.Device, For = null, Connection = null }).Go(Stage.Deliver)
            : passed.Go(Stage.Deliver));
}
