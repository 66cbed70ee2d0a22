using System.Text.Json;

namespace Plumb.Api.Resources.Tables;

/// <summary>`kubectl get pods`: the status column tells in one word what a pod's containers are at.</summary>
internal static class PodTable
{
    public static readonly TableLayout Layout = new(
        TableLayout.Name,
        new Column("Ready", static row => Summary(row).Ready),
        new Column("Status", static row => Summary(row).Reason),
        new Column("Restarts", static row => Restarts(row)),
        TableLayout.Age,
        new Column("IP", static row => Json.OrNone(row.Root.Items("status", "podIPs").Select(static ip => ip.Text("ip")).FirstOrDefault() ?? row.Root.Text("status", "podIP")), 1),
        new Column("Node", static row => Json.OrNone(row.Stored.NodeName), 1),
        new Column("Nominated Node", static row => Json.OrNone(row.Root.Text("status", "nominatedNodeName")), 1),
        new Column("Readiness Gates", static row => Gates(row), 1))
    {
        Completed = static row => row.Stored.Phase switch
        {
            "Succeeded" => ("Succeeded", "The pod has completed successfully."),
            "Failed" => ("Failed", "The pod failed."),
            _ => null,
        },
    };

    private static (string Ready, string Reason, long Restarts, DateTimeOffset? LastRestart) Summary(Row row)
    {
        var status = row.Root.Get("status");
        var spec = row.Root.Get("spec");
        var reason = status.Text("reason") is { Length: > 0 } given ? given : row.Stored.Phase;
        foreach (var condition in status.Items("conditions"))
        {
            if (condition.Text("type") == "PodScheduled" && condition.Text("reason") == "SchedulingGated")
                reason = "SchedulingGated";
        }

        var total = spec.Count("containers");
        var ready = 0;
        long restarts = 0;
        DateTimeOffset? last = null;

        // Init containers: the first that is not done names the state. Sidecars (restartPolicy Always) count as containers.
        var sidecars = Sidecars(spec);
        total += sidecars.Count;
        var initialising = false;
        var index = 0;
        long initRestarts = 0;
        foreach (var container in status.Items("initContainerStatuses"))
        {
            initRestarts += container.Number("restartCount");
            last = Later(last, container.Time("lastState", "terminated", "finishedAt"));
            var isSidecar = sidecars.Contains(container.Text("name"));
            if (isSidecar)
                restarts += container.Number("restartCount");
            var state = InitState(container, isSidecar, index, spec.Count("initContainers"));
            if (state is null)
            {
                if (isSidecar && container.Flag("ready"))
                    ready++;
                index++;
                continue;
            }

            reason = state;
            initialising = true;
            break;
        }

        if (!initialising || Initialized(status))
        {
            if (initialising)
                initialising = false;
            restarts = sidecars.Count > 0 ? restarts : 0;
            last = null;
            var running = false;
            foreach (var container in status.Items("containerStatuses").Reverse())
            {
                restarts += container.Number("restartCount");
                last = Later(last, container.Time("lastState", "terminated", "finishedAt"));
                var waiting = container.Text("state", "waiting", "reason");
                var terminated = container.Get("state", "terminated");
                if (waiting.Length > 0)
                {
                    reason = waiting;
                }
                else if (terminated.ValueKind == JsonValueKind.Object)
                {
                    reason = TerminatedReason(terminated);
                }
                else if (container.Flag("ready") && container.Get("state", "running").ValueKind == JsonValueKind.Object)
                {
                    running = true;
                    ready++;
                }
            }

            if (reason == "Completed" && running)
                reason = HasReadyCondition(status) ? "Running" : "NotReady";
        }
        else
        {
            restarts = initRestarts;
        }

        if (row.Stored.IsDeleting)
            reason = status.Text("reason") == "NodeLost" ? "Unknown" : IsTerminal(row.Stored.Phase) ? reason : "Terminating";
        return ($"{ready}/{total}", reason, restarts, last);
    }

    private static bool IsTerminal(string phase) => phase is "Succeeded" or "Failed";

    private static string? InitState(JsonElement container, bool isSidecar, int index, int count)
    {
        var terminated = container.Get("state", "terminated");
        if (terminated.ValueKind == JsonValueKind.Object && terminated.Number("exitCode") == 0)
            return null;
        if (isSidecar && container.Flag("started"))
            return null;
        if (terminated.ValueKind == JsonValueKind.Object)
            return "Init:" + TerminatedReason(terminated);
        var waiting = container.Text("state", "waiting", "reason");
        return waiting.Length > 0 && waiting != "PodInitializing" ? "Init:" + waiting : $"Init:{index}/{count}";
    }

    private static string TerminatedReason(JsonElement terminated)
    {
        if (terminated.Text("reason") is { Length: > 0 } reason)
            return reason;
        return terminated.Number("signal") is var signal and not 0 ? $"Signal:{signal}" : $"ExitCode:{terminated.Number("exitCode")}";
    }

    private static string Restarts(Row row)
    {
        var (_, _, restarts, last) = Summary(row);
        return restarts > 0 && last is not null ? $"{restarts} ({Durations.Since(last, row.Now)} ago)" : restarts.ToString();
    }

    private static string Gates(Row row)
    {
        var gates = row.Root.Count("spec", "readinessGates");
        if (gates == 0)
            return "<none>";
        var met = 0;
        foreach (var gate in row.Root.Items("spec", "readinessGates"))
        {
            foreach (var condition in row.Root.Items("status", "conditions"))
            {
                if (condition.Text("type") == gate.Text("conditionType") && condition.Text("status") == "True")
                    met++;
            }
        }

        return $"{met}/{gates}";
    }

    private static HashSet<string> Sidecars(JsonElement spec)
    {
        var names = new HashSet<string>();
        foreach (var container in spec.Items("initContainers"))
        {
            if (container.Text("restartPolicy") == "Always")
                names.Add(container.Text("name"));
        }

        return names;
    }

    private static bool Initialized(JsonElement status) => HasCondition(status, "Initialized");

    private static bool HasReadyCondition(JsonElement status) => HasCondition(status, "Ready");

    private static bool HasCondition(JsonElement status, string type)
    {
        foreach (var condition in status.Items("conditions"))
        {
            if (condition.Text("type") == type && condition.Text("status") == "True")
                return true;
        }

        return false;
    }

    private static DateTimeOffset? Later(DateTimeOffset? left, DateTimeOffset? right) => left is null || right > left ? right ?? left : left;
}
