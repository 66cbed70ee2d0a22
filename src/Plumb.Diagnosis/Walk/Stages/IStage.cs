using Plumb.Diagnosis.Walk.Segments;
using Plumb.Diagnosis.Walk.Stacks;
using Plumb.Diagnosis.Worlds;

namespace Plumb.Diagnosis.Walk.Stages;

/// <summary>One stage of the packet path: what may become of a packet here. Every way, with its probability.</summary>
internal interface IStage
{
    Stage Stage { get; }

    IEnumerable<Step> Pass(Traveller traveller, Surroundings around);
}

/// <summary>What is beyond the namespace that a packet is in.</summary>
internal sealed record Surroundings(IWorld World, Segment Segment, Uppers Uppers);
