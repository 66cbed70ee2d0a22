using Plumb.Kubernetes.Objects;
using Plumb.Lab.Node.Volumes;

namespace Plumb.Lab.Tests.Node.Volumes;

public sealed class VolumeOwnershipTests
{
    [Theory]
    [InlineData(null, new long[] { }, null)]
    [InlineData(5L, new long[] { 0 }, 5U)]
    [InlineData(5L, new long[] { 0, 5 }, 5U)]
    [InlineData(5L, new long[] { 0, 6 }, null)]
    [InlineData(null, new long[] { 6, 6 }, 6U)]
    [InlineData(null, new long[] { 6, 7 }, null)]
    [InlineData(null, new long[] { 6, 0 }, null)]
    public void A_token_is_the_users_if_all_containers_are_one(long? pods, long[] containers, uint? user)
    {
        // 0: the container says nothing of its own. The first runs before the others.
        var all = containers.DefaultIfEmpty(0).Select(static own => new Container { SecurityContext = own == 0 ? null : new SecurityContext { RunAsUser = own } }).ToList();
        var ownership = VolumeOwnership.Of(new Pod { Spec = new PodSpec { SecurityContext = new SecurityContext { RunAsUser = pods }, InitContainers = [.. all.Take(1)], Containers = [.. all.Skip(1)] } });
        Assert.Equal((user, user is null ? null : 0x180), (ownership.User, ownership.TokenMode));
    }

    [Fact]
    public void A_group_alone_takes_the_token_from_everybody_else()
    {
        var ownership = VolumeOwnership.Of(new Pod { Spec = new PodSpec { SecurityContext = new SecurityContext { FsGroup = 7 }, Containers = [new Container()] } });
        Assert.Equal((null, 7U, 0x180), (ownership.User, ownership.Group, ownership.TokenMode));
        Assert.Null(ownership.Missing(new Volume { HostPath = new HostPathVolume { Path = "/" } }));
    }
}
