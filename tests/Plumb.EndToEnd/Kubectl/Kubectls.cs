namespace Plumb.EndToEnd.Kubectl;

/// <summary>The clients that these tests go through: the machine's own, and each that PLUMB_TEST_KUBECTLS names (paths, with colons between).</summary>
public sealed class Kubectls : TheoryData<string>
{
    public Kubectls()
    {
        Add("kubectl");
        foreach (var program in (Environment.GetEnvironmentVariable("PLUMB_TEST_KUBECTLS") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries))
        {
            Add(program);
        }
    }
}
