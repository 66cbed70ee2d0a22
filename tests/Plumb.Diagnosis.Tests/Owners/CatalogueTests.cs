using System.Text;
using Plumb.Diagnosis.Owners;
using Plumb.Linux.State;

namespace Plumb.Diagnosis.Tests.Owners;

public sealed class CatalogueTests
{
    [Theory]
    [InlineData(Sign.Chain, "KUBE-SVC-ERIFXISQEP7F7OF4", "kube-proxy")]
    [InlineData(Sign.Chain, "KUBE-KUBELET-CANARY", "kubelet")]
    [InlineData(Sign.Chain, "kube-proxy/service-ULMVA6XW-default/website/tcp/http", "kube-proxy")]
    [InlineData(Sign.Chain, "CNI-DN-094cc19afba7e247bea84", "CNI plugins")]
    [InlineData(Sign.Chain, "cali-tw-cali0123456789a", "Calico")]
    [InlineData(Sign.Chain, "KUBE-ROUTER-INPUT", "kube-router")]
    [InlineData(Sign.Chain, "NETAVARK-1D8721804F16F", "podman")]
    [InlineData(Sign.Chain, "ufw6-user-input", "ufw")]
    [InlineData(Sign.Device, "veth15bf6894", "a container runtime")]
    [InlineData(Sign.Device, "vethwepl1234567", "Weave Net")]
    [InlineData(Sign.Device, "lxc_health", "Cilium")]
    [InlineData(Sign.Device, "br-0123456789ab", "Docker")]
    [InlineData(Sign.Table, "firewalld", "firewalld")]
    [InlineData(Sign.Protocol, "80", "Calico")]
    [InlineData(Sign.RouteTable, "2005", "Cilium")]
    [InlineData(Sign.Set, "KUBE-CLUSTER-IP", "kube-proxy")]
    public void A_name_is_its_owner_s_by_the_longest_pattern_that_fits(Sign sign, string name, string owner) =>
        Assert.Equal(owner, Catalogue.Known.Find(sign, name)?.Owner);

    [Theory]
    [InlineData(Sign.Chain, "KUBE")]
    [InlineData(Sign.Chain, "website")]
    [InlineData(Sign.Device, "eth0")]
    [InlineData(Sign.Device, "br-lan")]
    [InlineData(Sign.Protocol, "4")]
    public void What_is_near_a_known_name_is_nobody_s(Sign sign, string name) => Assert.Null(Catalogue.Known.Find(sign, name));

    [Fact]
    public void Every_owner_that_was_promised_is_there()
    {
        string[] promised =
        [
            "kubelet", "kube-proxy", "Flannel", "Calico", "Weave Net", "Cilium", "Istio", "Docker", "podman", "firewalld", "ufw", "libvirt", "CNI plugins",
            "a container runtime", "systemd-networkd", "Plumb",
        ];
        Assert.Empty(promised.Except(Catalogue.Known.Claims.Select(static claim => claim.Owner)));
        Assert.Empty(Enum.GetValues<Sign>().Except(Catalogue.Known.Claims.Select(static claim => claim.Sign)));
    }

    [Fact]
    public void A_meaning_is_part_of_one_sentence() =>
        Assert.All(Catalogue.Known.Claims, static claim => Assert.False(claim.Meaning.EndsWith('.') || claim.Meaning.Length > 150, claim.ToString()));

    [Theory]
    [InlineData("0x4000", new[] { "kube-proxy", "Plumb" })]
    [InlineData("0x4000/0x4000", new[] { "kube-proxy", "Plumb" })]
    [InlineData("0x8000", new[] { "kubelet" })]
    [InlineData("0x2000", new[] { "podman", "CNI plugins" })]
    [InlineData("0x200", new[] { "Cilium" })]
    [InlineData("0x539", new[] { "Cilium", "Istio" })]
    [InlineData("0x40000", new[] { "Calico", "Weave Net", "Tailscale" })]
    [InlineData("0x1000", new string[0])]
    public void A_mark_s_bits_are_all_theirs_who_use_them(string mark, string[] owners)
    {
        Assert.True(MarkBits.TryParse(mark, out var bits));
        Assert.Equal(owners, Catalogue.Known.OfMark(bits).Select(static claim => claim.Owner).Distinct());
    }

    [Theory]
    [InlineData(0x4000u, "bit 14")]
    [InlineData(0xffff0000u, "bits 16–31")]
    [InlineData(0x5u, "bits 0, 2")]
    public void Bits_are_named_by_number(uint mask, string names) => Assert.Equal(names, MarkBits.Names(mask));

    [Theory]
    [InlineData("{", "no JSON")]
    [InlineData("{}", "no Array")]
    [InlineData("[1]", "no Object")]
    [InlineData("[{}]", "has no name")]
    [InlineData("""[{"owner": ""}]""", "has no name")]
    [InlineData("""[{"owner": "x", "chain": {}}]""", "'chain' is none of chains,")]
    [InlineData("""[{"owner": "x", "chains": []}]""", "'chains' of x is no Object")]
    [InlineData("""[{"owner": "x", "chains": {"A": 1}}]""", "x in the catalogue of owners: 'A' has no meaning")]
    [InlineData("""[{"owner": "x", "marks": {"bit 3": "y"}}]""", "'bit 3' is no Mark")]
    [InlineData("""[{"owner": "x", "protocols": {"256": "y"}}]""", "'256' is no Protocol")]
    public void What_is_no_catalogue_is_refused_with_what_is_wrong(string text, string complaint) =>
        Assert.Contains(complaint, Assert.Throws<FormatException>(() => Catalogue.Read(Encoding.UTF8.GetBytes(text))).Message, StringComparison.Ordinal);

    [Fact]
    public void Another_catalogue_may_be_read()
    {
        var catalogue = Catalogue.Read("""[{"owner": "x", /* y */ "chains": {"A*": "a", "AB?": "b", "ABC": "c"}, "marks": {"8": "m"}}]"""u8.ToArray());
        Assert.Equal(["a", "b", "c", "a"], ((string[])["A", "ABD", "ABC", "ABCD"]).Select(name => catalogue.Find(Sign.Chain, name)?.Meaning));
        Assert.Single(catalogue.OfMark(new FirewallMark(8, 8)));
    }
}
