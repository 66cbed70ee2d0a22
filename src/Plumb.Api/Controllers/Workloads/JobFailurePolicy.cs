using Plumb.Api.Storage;
using Plumb.Kubernetes.Json;
using Plumb.Kubernetes.Objects;

namespace Plumb.Api.Controllers.Workloads;

/// <summary>What a failed pod means for its job (`podFailurePolicy`). Pure.</summary>
internal static class JobFailurePolicy
{
    /// <param name="Action">`Count` also where no rule matches.</param>
    /// <param name="Message">Of `FailJob`: why.</param>
    internal readonly record struct Meaning(string Action, string Message);

    public static Meaning Of(PodFailurePolicy? policy, StoredObject stored)
    {
        if (policy is null)
            return new("Count", "");
        var pod = stored.As(KubernetesJson.TypeInfo<Pod>());
        for (int i = 0; i < policy.Rules.Count; i++)
        {
            var rule = policy.Rules[i];
            if (What(rule, pod) is { } what)
                return new(rule.Action, $"{what} matching {rule.Action} rule at index {i}");
        }
        return new("Count", "");
    }

    /// <returns>Null: the rule does not match.</returns>
    private static string? What(PodFailurePolicyRule rule, Pod pod)
    {
        string name = $"{pod.Metadata.Namespace}/{pod.Metadata.Name}";
        if (rule.OnExitCodes is not { } codes)
        {
            foreach (var wanted in rule.OnPodConditions)
            {
                if (pod.Status.Conditions.Find(wanted.Type)?.Status == wanted.Status)
                    return $"Pod {name} has condition {wanted.Type}";
            }
            return null;
        }
        foreach (var container in pod.Status.ContainerStatuses.Concat(pod.Status.InitContainerStatuses))
        {
            if ((string.IsNullOrEmpty(codes.ContainerName) || codes.ContainerName == container.Name)
                && container.State?.Terminated is { ExitCode: not 0 and var code } && codes.Values.Contains(code) == (codes.Operator == "In"))
                return $"Container {container.Name} for pod {name} failed with exit code {code}";
        }
        return null;
    }
}
