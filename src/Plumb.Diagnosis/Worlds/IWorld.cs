using Plumb.Linux.State;

namespace Plumb.Diagnosis.Worlds;

/// <summary>Where state comes from: a lab, a node's own kernel, a file, a test. Nothing else asks.</summary>
public interface IWorld
{
    /// <summary>A namespace as it was when it was first asked for, by whichever thread; null when it cannot be seen from here.</summary>
    Space? Find(NamespaceId id);

    /// <summary>All that can be seen, for what concerns nobody in particular: a frame in a tunnel, a broadcast.</summary>
    IEnumerable<NamespaceId> Known { get; }
}

/// <summary>A world of states that are given.</summary>
public sealed class GivenWorld(IEnumerable<Space> spaces) : IWorld
{
    private readonly Dictionary<NamespaceId, Space> _spaces = spaces.ToDictionary(static space => space.Id);

    public Space? Find(NamespaceId id) => _spaces.GetValueOrDefault(id);

    public IEnumerable<NamespaceId> Known => _spaces.Keys;
}
