using System.Net;
using System.Text.Json.Nodes;

namespace Plumb.Api.Tests.Access;

/// <summary>Roles and tokens as kubectl meets them, over TLS.</summary>
public sealed class AccessTests : KubectlFixture
{
    private const string Robot = "system:serviceaccount:default:robot";

    private async Task RobotAsync()
    {
        await RunAsync("create", "serviceaccount", "robot");
        await RunAsync("create", "role", "reader", "--verb=get,list", "--resource=pods,pods/log");
        await RunAsync("create", "rolebinding", "robot-reads", "--role=reader", "--serviceaccount=default:robot");
    }

    [Theory]
    [InlineData("list", "pods", "default", true)]
    [InlineData("get", "pods/log", "default", true)]
    [InlineData("delete", "pods", "default", false)]
    [InlineData("list", "secrets", "default", false)]
    [InlineData("list", "pods", "kube-system", false)]
    [InlineData("get", "pods/exec", "default", false)]
    public async Task What_no_binding_grants_is_denied(string verb, string resource, string @namespace, bool allowed)
    {
        await RobotAsync();
        var of = resource.Split('/');
        string[] subresource = of.Length > 1 ? ["--subresource", of[1]] : [];
        Assert.Equal(allowed ? "yes" : "no", (await RunAsync(["auth", "can-i", verb, of[0], .. subresource, "-n", @namespace, "--as", Robot], fails: !allowed)).Trim());
    }

    [Fact]
    public async Task A_service_account_s_token_opens_what_its_roles_open_until_the_account_is_gone()
    {
        await RobotAsync();
        var token = (await RunAsync("create", "token", "robot")).Trim();
        Assert.Contains("No resources found", await RunAsync("get", "pods", "--token", token), StringComparison.Ordinal);
        Assert.Contains(
            $"secrets is forbidden: User \"{Robot}\" cannot list resource \"secrets\" in API group \"\" in the namespace \"default\"",
            await RunAsync(["get", "secrets", "--token", token], fails: true), StringComparison.Ordinal);
        Assert.Contains($"nodes \"n\" is forbidden: User \"{Robot}\" cannot get resource \"nodes\" in API group \"\" at the cluster scope", await RunAsync(["get", "node", "n", "--token", token], fails: true), StringComparison.Ordinal);
        Assert.Matches($@"Username\s+{Robot}", await RunAsync("auth", "whoami", "--token", token));
        Assert.Matches(@"pods\s+\[\]\s+\[\]\s+\[get list\]", await RunAsync("auth", "can-i", "--list", "--token", token));
        await RunAsync("delete", "serviceaccount", "robot");
        Assert.Contains("Unauthorized", await RunAsync(["get", "pods", "--token", token], fails: true), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task A_token_review_tells_whose_a_token_is_and_for_whom_it_was_made()
    {
        await RobotAsync();
        var mine = (await RunAsync("create", "token", "robot", "--audience=lamp")).Trim();
        Assert.Null(await ReviewAsync(mine, ""));
        Assert.Equal(Robot, await ReviewAsync(mine, "\"lamp\",\"other\""));
        Assert.Null(await ReviewAsync(mine[..^2] + "xx", "\"lamp\""));
    }

    [Fact]
    public async Task The_roles_that_clusters_have_are_there_and_grant_by_namespace()
    {
        await RobotAsync();
        await RunAsync("create", "rolebinding", "robot-edits", "--clusterrole=edit", "--serviceaccount=default:robot");
        Assert.Equal("yes", (await RunAsync("auth", "can-i", "create", "deployments.apps", "--as", Robot)).Trim());
        Assert.Equal("no", (await RunAsync(["auth", "can-i", "create", "roles.rbac.authorization.k8s.io", "--as", Robot], fails: true)).Trim());
        Assert.StartsWith("no", await RunAsync(["auth", "can-i", "list", "nodes", "--as", Robot], fails: true), StringComparison.Ordinal);
        await RunAsync("create", "clusterrolebinding", "group-rules", "--clusterrole=cluster-admin", "--group=owners");
        Assert.Equal("yes", (await RunAsync("auth", "can-i", "*", "*", "--as=somebody", "--as-group=owners")).Trim());
    }

    [Fact]
    public async Task A_cluster_role_made_of_others_has_their_rules()
    {
        var (code, _) = await Server.SendAsync("POST", "/apis/rbac.authorization.k8s.io/v1/clusterroles", """{"metadata":{"name":"part","labels":{"of":"all"}},"rules":[{"apiGroups":["x.io"],"resources":["lamps"],"verbs":["get"]}]}""");
        Assert.Equal(HttpStatusCode.Created, code);
        await Server.SendAsync("POST", "/apis/rbac.authorization.k8s.io/v1/clusterroles", """{"metadata":{"name":"all"},"aggregationRule":{"clusterRoleSelectors":[{"matchLabels":{"of":"all"}}]},"rules":[]}""");
        await RunAsync("create", "clusterrolebinding", "b", "--clusterrole=all", "--user=eve");
        var (_, review) = await Server.SendAsync("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", """{"spec":{"user":"eve","resourceAttributes":{"group":"x.io","resource":"lamps","verb":"get","namespace":"default"}}}""");
        Assert.Equal("""{"allowed":true,"reason":"RBAC: allowed by ClusterRoleBinding \u0022b\u0022 of ClusterRole \u0022all\u0022 to User \u0022eve\u0022"}""", review["status"]!.ToJsonString());
    }

    private async Task<string?> ReviewAsync(string token, string audiences)
    {
        var (_, review) = await Server.SendAsync("POST", "/apis/authentication.k8s.io/v1/tokenreviews", $$$"""{"spec":{"token":"{{{token}}}","audiences":[{{{audiences}}}]}}""");
        return (bool?)review["status"]!["authenticated"] == true ? (string)review["status"]!["user"]!["username"]! : null;
    }
}
