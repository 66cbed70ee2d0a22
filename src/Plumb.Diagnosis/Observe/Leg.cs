namespace Plumb.Diagnosis.Observe;

/// <summary>Which way a packet goes that has to do with a probe.</summary>
public enum Leg
{
    There = 1,
    Back,
}
