namespace Plumb.Lab.Rootless;

/// <summary>
/// The command line by which a process becomes a lab's: in a user, mount and pid namespace of its own, in the network namespace
/// of whoever called.
/// </summary>
/// <remarks>
/// What the caller's shell waits for is a small shell that passes signals on to the lab's process, pid 1 of its pid namespace.
/// <c>unshare --fork</c> would be the shorter way, but it blocks SIGTERM while it waits: <c>kill</c> on the pid that the caller knows
/// would do nothing. When the shell is killed, PDEATHSIG takes the lab's process, and with it every process of its pid namespace.
/// </remarks>
internal static class Supervisor
{
    /// <summary>Set for the lab's own processes only; whatever else it starts is not told.</summary>
    public const string DiagnosticsVariable = "DOTNET_EnableDiagnostics";

    // Commands that a shell starts in the background read nothing unless told so (hence descriptor 3). A signal cuts `wait` short, and its
    // answer is then the signal's number and not the lab's: it is repeated until no signal came, and says 127 when the lab's was told before.
    // Until the lab's process has its handlers, the kernel drops what is sent to it, as it is pid 1 of its namespace: it is told again and
    // again, by a process of that namespace, which ends with it. Whoever was interrupted ends by that signal, so that a script that called it
    // ends too. The files by which debuggers find a .NET process would stay in /tmp when a lab is killed: who wants them says so.
    private const string Script =
        $$"""
        tell() {
          if [ -z "$told" ]; then
            told=yes
            while kill -TERM 1; do sleep 0.1; done 2>/dev/null &
          fi
        }
        end() {
          signal=${signal:-$1}
          cut=yes
          if [ -n "$lab" ]; then tell; fi
        }
        lab= signal= told= before=
        trap 'end INT' INT
        trap 'end TERM' TERM
        trap 'end HUP' HUP
        exec 3<&0
        {{DiagnosticsVariable}}=${{{DiagnosticsVariable}}:-0} "$@" <&3 3<&- &
        lab=$!
        exec 3<&-
        if [ -n "$signal" ]; then tell; fi
        while :; do
          cut=
          wait $lab
          status=$?
          if [ -n "$before" ] && [ $status = 127 ]; then status=$before; fi
          if [ -z "$cut" ]; then break; fi
          before=$status
        done
        case $signal:$status in
          :*) ;;
          *:129 | *:130 | *:143) trap - $signal; kill -$signal $$ ;;
        esac
        exit $status
        """;

    /// <param name="unshare">Path of the program.</param>
    /// <param name="setpriv">Path of the program.</param>
    /// <param name="users">The lab's user namespace has the user's subordinate ids, too.</param>
    /// <param name="program">The lab's process and its arguments.</param>
    public static List<string> CommandLine(string unshare, string setpriv, bool users, IReadOnlyList<string> program) =>
    [
        .. User(unshare, users), "--mount", "--pid", "--",
        "/bin/sh", "-c", Script, "plumb",
        setpriv, "--pdeathsig", "KILL", "--",
        unshare, "--mount-proc", "--",
        .. program,
    ];

    /// <summary>Asks for subordinate ids and does nothing with them: the programs that hand them out may be there and not be allowed to.</summary>
    public static List<string> ProbeUsers(string unshare) => [.. User(unshare, users: true), "--", "/bin/true"];

    private static List<string> User(string unshare, bool users) =>
        users ? [unshare, "--user", "--map-root-user", "--map-auto"] : [unshare, "--user", "--map-root-user"];

    /// <summary>Asks for all that a lab needs and does nothing with it: 2 ms.</summary>
    public static List<string> Probe(string unshare) =>
        [unshare, "--user", "--map-root-user", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc", "--", "/bin/sh", "-c", ":"];
}
