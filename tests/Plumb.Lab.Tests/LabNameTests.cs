namespace Plumb.Lab.Tests;

public sealed class LabNameTests
{
    [Theory]
    [InlineData("a")]
    [InlineData("ci-42")]
    [InlineData("0x")]
    public void A_DNS_label_is_a_name(string text) => Assert.Equal(text, LabName.Parse(text).ToString());

    [Theory]
    [InlineData("")]
    [InlineData("-a")]
    [InlineData("a-")]
    [InlineData("A")]
    [InlineData("a.b")]
    [InlineData("../etc")]
    [InlineData("ä")]
    public void Anything_else_is_refused_with_what_is_allowed(string text)
    {
        var refused = Assert.Throws<LabException>(() => LabName.Parse(text));
        Assert.Contains($"'{text}'", refused.Message, StringComparison.Ordinal);
        Assert.Contains("lower-case letters", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Sixty_three_characters_fit_and_one_more_does_not()
    {
        Assert.Equal(63, LabName.Parse(new string('a', 63)).ToString().Length);
        Assert.Throws<LabException>(() => LabName.Parse(new string('a', 64)));
    }

    [Fact]
    public void No_name_is_the_default_one()
    {
        Assert.Equal(LabName.Default, default);
        Assert.Equal("default", default(LabName).ToString());
    }

    [Fact]
    public void Options_come_back_from_the_text_in_which_they_cross_to_the_lab_s_process()
    {
        var options = new LabOptions
        {
            Name = LabName.Parse("ci"),
            Nodes = 7,
            Manifests = ["a.yaml", "-"],
            Images = new Dictionary<string, string> { ["x:1"] = "/srv/x" },
            Command = ["kubectl", "get", "pods"],
            ApiPort = 16443,
        };
        var back = LabOptions.FromJson(options.ToJson());
        Assert.Equal(options.ToJson(), back.ToJson());
        Assert.Equal((options.Name, 7, options.PodRanges, 16443), (back.Name, back.Nodes, back.PodRanges, back.ApiPort));
        Assert.Equal(options.Command, back.Command);
    }
}
