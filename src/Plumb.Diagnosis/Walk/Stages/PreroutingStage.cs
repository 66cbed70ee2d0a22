using Plumb.Diagnosis.Walk.Tracking;
using Plumb.Linux.Nftables;

namespace Plumb.Diagnosis.Walk.Stages;

/// <summary>NF_INET_PRE_ROUTING</summary>
internal sealed class PreroutingStage : IStage
{
    public Stage Stage => Stage.Prerouting;

    public IEnumerable<Step> Pass(Traveller traveller, Surroundings around) =>
        Hooks.Pass(traveller, ChainHook.Prerouting, static passed => passed.Go(Stage.Route));
}
