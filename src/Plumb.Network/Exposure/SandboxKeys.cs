using Plumb.Network.Facts;

namespace Plumb.Network.Exposure;

/// <summary>For layers whose plan of one sandbox asks for nothing but that, and for the node itself.</summary>
internal static class SandboxKeys
{
    public static IEnumerable<PlanKey> Touched(string layer, Change change, NetworkView after)
    {
        if (change.Subject.Kind == SubjectKind.Sandbox)
        {
            yield return new PlanKey(layer, change.Subject);
        }
        else if (change.Subject == Subject.Machine)
        {
            foreach (var id in after.Node.Sandboxes.Keys)
            {
                yield return new PlanKey(layer, id.Subject);
            }
        }
    }
}
