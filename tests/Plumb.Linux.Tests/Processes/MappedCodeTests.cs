using Plumb.Linux.Processes;

namespace Plumb.Linux.Tests.Processes;

public sealed class MappedCodeTests
{
    [Fact]
    public void What_is_released_is_gone_and_comes_back_when_it_is_needed()
    {
        var first = MappedCode.Release();
        var second = MappedCode.Release();
        Assert.InRange(first, 1 << 20, 1 << 30);
        // What the other tests have needed meanwhile, and this one.
        Assert.InRange(second, 0, first - 1);
        Assert.Equal("e3b0c442", Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData([]).AsSpan(0, 4)));
    }
}
