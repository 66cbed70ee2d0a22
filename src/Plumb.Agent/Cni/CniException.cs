namespace Plumb.Agent.Cni;

/// <summary>Error codes of the CNI specification, section "Error"; 100 and above are the plugin's own.</summary>
public enum CniErrorCode
{
    IncompatibleVersion = 1,
    UnsupportedField = 2,
    UnknownContainer = 3,
    InvalidEnvironment = 4,
    IoFailure = 5,
    CannotDecode = 6,
    InvalidConfiguration = 7,
    TryAgainLater = 11,
    NotAvailable = 50,
    NotAvailableAndLimited = 51,

    /// <summary>The kernel refused an entry; the message names it.</summary>
    KernelRefused = 100,

    /// <summary>CHECK: something that ADD made is not as it was.</summary>
    NotAsMade = 101,
}

/// <summary>Ends a CNI call with an error that the runtime shows to people.</summary>
public sealed class CniException(CniErrorCode code, string message, string details = "") : Exception(message)
{
    public CniErrorCode Code { get; } = code;

    public string Details { get; } = details;
}
