namespace Plumb.Lab.Containers;

/// <summary>How long a container waits before its next run, as the kubelet does it: at once, then 10 s, doubled up to 5 min; forgotten after 10 min of running well.</summary>
internal sealed class RestartBackOff
{
    private static readonly TimeSpan First = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan Forgiven = TimeSpan.FromMinutes(10);

    private TimeSpan _next = TimeSpan.Zero;

    /// <param name="ran">How long the run took that just ended.</param>
    public TimeSpan Next(TimeSpan ran)
    {
        if (ran >= Forgiven)
        {
            _next = TimeSpan.Zero;
        }

        var wait = _next;
        _next = wait == TimeSpan.Zero ? First : wait * 2 < Longest ? wait * 2 : Longest;
        return wait;
    }
}
