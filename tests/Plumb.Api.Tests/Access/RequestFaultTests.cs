using System.Net;

namespace Plumb.Api.Tests.Access;

/// <summary>What is asked by creating, and what is wrong with it: told as a real server tells it, and never as a fault of the server.</summary>
public sealed class RequestFaultTests
{
    private const string Home = "/api/v1/namespaces/default";

    [Theory]
    [InlineData("""{"spec":{"expirationSeconds":599}}""", 422, "TokenRequest.authentication.k8s.io \"\" is invalid: spec.expirationSeconds: Invalid value: 599: may not specify a duration less than 10 minutes")]
    [InlineData("""{"spec":{"expirationSeconds":-9223372036854775808}}""", 422, "TokenRequest.authentication.k8s.io \"\" is invalid: spec.expirationSeconds: Invalid value: -9223372036854775808: may not specify a duration less than 10 minutes")]
    [InlineData("""{"spec":{"expirationSeconds":9223372036854775807}}""", 422, "TokenRequest.authentication.k8s.io \"\" is invalid: spec.expirationSeconds: Invalid value: 9223372036854775807: may not specify a duration larger than 2^32 seconds")]
    [InlineData("""{"spec":{"expirationSeconds":1e300}}""", 400, "TokenRequest in version \"v1\" cannot be handled as a TokenRequest: json: cannot unmarshal number 1e300 into Go struct field TokenRequestSpec.spec.expirationSeconds of type int64")]
    [InlineData("""{"spec":{"expirationSeconds":"1h"}}""", 400, "TokenRequest in version \"v1\" cannot be handled as a TokenRequest: json: cannot unmarshal string into Go struct field TokenRequestSpec.spec.expirationSeconds of type int64")]
    [InlineData("""{"spec":{"audiences":"me"}}""", 400, "TokenRequest in version \"v1\" cannot be handled as a TokenRequest: json: cannot unmarshal string into Go struct field TokenRequestSpec.spec.audiences of type []string")]
    [InlineData("""{"metadata":{"name":"other"}}""", 422, "TokenRequest.authentication.k8s.io \"a\" is invalid: metadata.name: Invalid value: \"other\": must match the service account name if specified")]
    [InlineData("""{"spec":{"expirationSeconds":4294967296}}""", 201, "")]
    public async Task A_token_is_asked_for_in_bounds(string body, int code, string message)
    {
        await using var server = await TestServer.StartAsync();
        await server.CreateAsync(Home + "/serviceaccounts", """{"metadata":{"name":"a"}}""");
        var (said, answer) = await server.SendAsync("POST", Home + "/serviceaccounts/a/token", body);
        Assert.Equal((code, message), ((int)said, (string?)answer["message"] ?? ""));
    }

    [Theory]
    [InlineData("PUT", """{"metadata":{"name":"d"},"spec":{"replicas":"2"}}""", 400, "Scale in version \"v1\" cannot be handled as a Scale: json: cannot unmarshal string into Go struct field ScaleSpec.spec.replicas of type int32")]
    [InlineData("PUT", """{"metadata":{"name":"d"},"spec":{"replicas":4294967296}}""", 400, "Scale in version \"v1\" cannot be handled as a Scale: json: cannot unmarshal number 4294967296 into Go struct field ScaleSpec.spec.replicas of type int32")]
    [InlineData("PUT", """{"metadata":{"name":"d"},"spec":[]}""", 400, "Scale in version \"v1\" cannot be handled as a Scale: json: cannot unmarshal array into Go struct field Scale.spec of type v1.ScaleSpec")]
    [InlineData("PATCH", """{"spec":{"replicas":2}}""", 200, "")]
    public async Task A_scale_is_a_number(string method, string body, int code, string message)
    {
        await using var server = await TestServer.StartAsync();
        const string deployments = "/apis/apps/v1/namespaces/default/deployments";
        await server.CreateAsync(deployments, """{"metadata":{"name":"d"},"spec":{"selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"i"}]}}}}""");
        var (said, answer) = await server.SendAsync(method, deployments + "/d/scale", body, method == "PUT" ? "application/json" : "application/merge-patch+json");
        Assert.Equal((code, message), ((int)said, (string?)answer["message"] ?? ""));
    }

    [Theory]
    [InlineData("selfsubjectaccessreviews", """{"spec":{}}""", "SelfSubjectAccessReview.authorization.k8s.io \"\" is invalid: spec.resourceAttributes: Invalid value: null: exactly one of nonResourceAttributes or resourceAttributes must be specified")]
    [InlineData("subjectaccessreviews", """{"spec":{"resourceAttributes":{"verb":"get"}}}""", "SubjectAccessReview.authorization.k8s.io \"\" is invalid: spec.user: Invalid value: \"\": at least one of user or group must be specified")]
    [InlineData("subjectaccessreviews", """{"spec":{"user":"u","resourceAttributes":{"verb":"get"},"nonResourceAttributes":{"path":"/x","verb":"get"}}}""", "SubjectAccessReview.authorization.k8s.io \"\" is invalid: spec.nonResourceAttributes: Invalid value: {\"Path\":\"/x\",\"Verb\":\"get\"}: cannot be specified in combination with resourceAttributes")]
    [InlineData("subjectaccessreviews", """{"spec":{"user":"u","groups":"g"}}""", "SubjectAccessReview in version \"v1\" cannot be handled as a SubjectAccessReview: json: cannot unmarshal string into Go struct field SubjectAccessReviewSpec.spec.groups of type []string")]
    public async Task A_question_about_access_says_who_and_what(string resource, string body, string message)
    {
        await using var server = await TestServer.StartAsync();
        var (code, answer) = await server.SendAsync("POST", $"/apis/authorization.k8s.io/v1/{resource}", body);
        Assert.True(code is HttpStatusCode.UnprocessableEntity or HttpStatusCode.BadRequest, answer.ToJsonString());
        Assert.Equal(message, (string)answer["message"]!);
    }
}
