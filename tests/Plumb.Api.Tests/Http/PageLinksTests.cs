using System.Text;
using Plumb.Api.Http.Endpoints;

namespace Plumb.Api.Tests.Http;

/// <summary>Pages that come through the API's proxies: their links lead through it, too.</summary>
public sealed class PageLinksTests
{
    private static async Task<string> ThroughAsync(string page, int bytesAtOnce)
    {
        using var to = new MemoryStream();
        await new PageLinks("/api/proxy", "10.0.0.1:80").CopyAsync(new Slow(Encoding.UTF8.GetBytes(page), bytesAtOnce), to, TestContext.Current.CancellationToken);
        return Encoding.UTF8.GetString(to.ToArray());
    }

    [Theory]
    [InlineData("<a href=\"/x?a=1&amp;b#c\">test</a>", "<a href=\"/api/proxy/x?a=1&amp;b#c\">test</a>")]
    [InlineData("<A class='b' HREF = '/x'>", "<A class='b' HREF = '/api/proxy/x'>")]
    [InlineData("<img src=/x.png alt=/y>", "<img src=/api/proxy/x.png alt=/y>")]
    [InlineData("<img longdesc=\"/l\" src=\"/s\"/>", "<img longdesc=\"/api/proxy/l\" src=\"/api/proxy/s\"/>")]
    [InlineData("<a href=\"http://10.0.0.1:80/x\">", "<a href=\"/api/proxy/x\">")]
    [InlineData("<a href=\"//10.0.0.1:80/x\">", "<a href=\"/api/proxy/x\">")]
    [InlineData("<a href=\"https://example.com/x\">", null)]
    [InlineData("<a href=\"//example.com/x\">", null)]
    [InlineData("<a href=\"x/y\">", null)]
    [InlineData("<a href=\"\">", null)]
    [InlineData("<a href>", null)]
    [InlineData("<a href=", null)]
    [InlineData("<a href=\"/api/proxy/x\">", null)]
    [InlineData("<p href=\"/x\">", null)]
    [InlineData("<!-- <a href=\"/x\"> --><a href=\"/x\">", "<!-- <a href=\"/x\"> --><a href=\"/api/proxy/x\">")]
    [InlineData("<script src='/s.js'>'<a href=\"/x\">'</SCRIPT><a href=\"/x\">", "<script src='/api/proxy/s.js'>'<a href=\"/x\">'</SCRIPT><a href=\"/api/proxy/x\">")]
    [InlineData("a < b <3 <!doctype html><é <a title='>' href='/x'>", "a < b <3 <!doctype html><é <a title='>' href='/api/proxy/x'>")]
    [InlineData("</a href='/x'><", null)]
    public async Task A_link_to_the_root_leads_to_where_the_root_is(string page, string? wanted)
    {
        // However it is cut on its way.
        for (var bytesAtOnce = 1; bytesAtOnce < 40; bytesAtOnce++)
            Assert.Equal(wanted ?? page, await ThroughAsync(page, bytesAtOnce));
    }

    [Fact]
    public async Task What_is_written_slowly_is_not_held_back()
    {
        var to = new MemoryStream();
        var from = new Slow(Encoding.UTF8.GetBytes("<p>first</p>second"), 12);
        var seen = "";
        from.BeforeSecond = () => seen = Encoding.UTF8.GetString(to.ToArray());
        await new PageLinks("/p", "h").CopyAsync(from, to, TestContext.Current.CancellationToken);
        Assert.Equal("<p>first</p>", seen);
    }

    [Fact]
    public async Task A_tag_without_an_end_is_text()
    {
        var page = "<a href='/x' " + new string('x', 200_000) + "<a href='/y'>";
        Assert.Equal(page.Replace("'/y'", "'/api/proxy/y'", StringComparison.Ordinal), await ThroughAsync(page, 5000));
    }

    private sealed class Slow(byte[] bytes, int atOnce) : MemoryStream(bytes)
    {
        private int _reads;

        public Action? BeforeSecond { get; set; }

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (++_reads == 2)
                BeforeSecond?.Invoke();
            return base.ReadAsync(buffer[..Math.Min(buffer.Length, atOnce)], cancellationToken);
        }
    }
}
