namespace Plumb.Lab.Node;

/// <summary>Waits that double from one failure to the next.</summary>
internal struct BackOff(TimeSpan first, TimeSpan longest)
{
    public TimeSpan Delay { get; private set; } = first;

    public void Next() => Delay = Delay * 2 < longest ? Delay * 2 : longest;
}
