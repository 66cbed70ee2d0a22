namespace Plumb.Diagnosis.Tests;

public sealed class SmokeTests
{
    [Fact]
    public void The_floor_builds() => Assert.True(true);
}
