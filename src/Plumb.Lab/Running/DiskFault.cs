using System.ComponentModel;
using System.Net.Sockets;

namespace Plumb.Lab.Running;

/// <summary>Tells failures of the disk under the run directory from all others.</summary>
internal static class DiskFault
{
    private const int ENOSPC = 28;
    private const int EROFS = 30;
    private const int EDQUOT = 122;

    /// <summary>The system's words for it; null when the failure is another.</summary>
    public static string? Reason(Exception failure)
    {
        for (var at = failure; at is not null; at = at.InnerException)
        {
            var code = at switch
            {
                IOException io => io.HResult,
                SocketException socket => socket.NativeErrorCode,
                _ => 0,
            };
            if (code is ENOSPC or EROFS or EDQUOT)
            {
                return new Win32Exception(code).Message;
            }
        }
        return null;
    }
}
