using System.Text.Json.Nodes;
using Plumb.Api.Cel;

namespace Plumb.Api.Tests.Cel;

/// <summary>The language of rules, as rules of networks use it.</summary>
public sealed class CelTests
{
    private static object? Evaluate(string rule, string self, string old = "null", int steps = 100_000)
    {
        var names = new Dictionary<string, object?> { ["self"] = CelEvaluation.From(JsonNode.Parse(self)), ["oldSelf"] = CelEvaluation.From(JsonNode.Parse(old)) };
        return new CelEvaluation(names, steps).Value(CelParser.Parse(rule, "self", "oldSelf"));
    }

    [Theory]
    [InlineData("self.all(l1, self.exists_one(l2, l1.name == l2.name))", """[{"name":"a"},{"name":"b"}]""", true)]
    [InlineData("self.all(l1, self.exists_one(l2, l1.name == l2.name))", """[{"name":"a"},{"name":"a"}]""", false)]
    [InlineData("self.all(l, l.protocol in ['HTTP', 'TCP', 'UDP'] ? !has(l.tls) : true)", """[{"protocol":"HTTP","tls":{}}]""", false)]
    [InlineData("self.all(l, l.protocol in ['HTTP', 'TCP', 'UDP'] ? !has(l.tls) : true)", """[{"protocol":"TLS","tls":{}}]""", true)]
    [InlineData("(!has(self.a) || self.a == 1) && has(self.b)", """{"b":1}""", true)]
    [InlineData("has(self.a.b)", """{"a":{}}""", false)]
    [InlineData("self.path.value.startsWith('/') && !self.path.value.contains('//') && !self.path.value.endsWith('/..')", """{"path":{"value":"/x"}}""", true)]
    [InlineData("self.path.value.startsWith('/') && !self.path.value.contains('//') && !self.path.value.endsWith('/..')", """{"path":{"value":"/x/.."}}""", false)]
    [InlineData("self.x == 1 || true", "{}", true)]
    [InlineData("!isIP(self)", "\"gateway.example\"", true)]
    [InlineData("self == 0x1e", "30", true)]
    [InlineData("isIP(self)", "\"10.0.0.1\"", true)]
    [InlineData("isIP(self)", "\"10.0.01\"", false)]
    [InlineData("isIP(self)", "\"010.0.0.1\"", false)]
    [InlineData("isIP(self)", "\"fe80::1\"", true)]
    [InlineData("isIP(self)", "\"fe80::1%eth0\"", false)]
    [InlineData("isIP(self)", "\"::ffff:10.0.0.1\"", false)]
    [InlineData("isIP(self)", "\"\"", false)]
    [InlineData("isCIDR(self)", "\"10.0.0.0/8\"", true)]
    [InlineData("isCIDR(self)", "\"10.0.0.0/33\"", false)]
    [InlineData("isCIDR(self)", "\"2001:db8::/64\"", true)]
    [InlineData("isCIDR(self)", "\"10.0.0.0/08\"", false)]
    [InlineData("self.x == 1 && false", "{}", false)]
    [InlineData("!(duration(self.request) != duration('0s') && duration(self.backendRequest) > duration(self.request))", """{"request":"1m","backendRequest":"90s"}""", false)]
    [InlineData("!(duration(self.request) != duration('0s') && duration(self.backendRequest) > duration(self.request))", """{"request":"1m30s","backendRequest":"90s"}""", true)]
    [InlineData("(self.size() > 0 ? self[0].m.size() : 0) + (self.size() > 1 ? self[1].m.size() : 0) <= 2", """[{"m":[1,2]},{"m":[1]}]""", false)]
    [InlineData("self.matches(r\"\"\"^[a-z]+\\.x$\"\"\")", "\"abc.x\"", true)]
    [InlineData("self.filter(f, f.type == 'X').size() <= 1", """[{"type":"X"},{"type":"X"}]""", false)]
    [InlineData("self.map(f, f > 1, f * 2) == [4, 6]", "[1,2,3]", true)]
    [InlineData("self == oldSelf", "[1,{\"a\":2}]", true, "[1,{\"a\":2}]")]
    [InlineData("self.split(',').exists(x, x == 'b')", "\"a,b\"", true)]
    [InlineData("size('héé') == 3 && 'a' + 'b' == \"ab\" && -1 < 0 && 7 % 4 == 3 && 1.5 > 1", "1", true)]
    [InlineData("'k' in self && self['k'] == 'v'", """{"k":"v"}""", true)]
    [InlineData("self.__namespace__ == 'x'", """{"namespace":"x"}""", true)]
    [InlineData("self.exists(a, a.exists(b, b == 3)) // as far as there are any", "[[1],[3]]", true)]
    [InlineData("type(self) == string && type(1) == int && type(null) == null_type && type([]) == list && type({}) == map && type(type(1)) == type", "\"a\"", true)]
    [InlineData("type(duration(self)) == google.protobuf.Duration && duration(self).getMinutes() == 90", "\"1h30m\"", true)]
    [InlineData("timestamp(self) < timestamp('2026-01-02T00:00:00Z') && timestamp('2026-01-02T00:00:00Z') - timestamp(self) == duration('24h')", "\"2026-01-01T00:00:00Z\"", true)]
    [InlineData("ip(self).family() == 4 && !ip(self).isLoopback() && ip(self).isGlobalUnicast() && string(ip(self)) == self", "\"10.0.0.1\"", true)]
    [InlineData("ip(self).family() == 6 && ip(self).isLinkLocalUnicast() && !ip.isCanonical('FE80::1') && ip('FE80::1') == ip(self)", "\"fe80::1\"", true)]
    [InlineData("cidr(self).containsIP('10.1.2.3') && !cidr(self).containsIP(ip('11.0.0.1')) && cidr(self).containsCIDR('10.1.0.0/16') && !cidr('10.1.0.0/16').containsCIDR(cidr(self))", "\"10.0.0.0/8\"", true)]
    [InlineData("cidr(self).prefixLength() == 24 && string(cidr(self).masked()) == '192.0.2.0/24' && cidr(self).ip() == ip('192.0.2.77') && cidr(self) != cidr(self).masked()", "\"192.0.2.77/24\"", true)]
    [InlineData("isURL(self) && url(self).getScheme() == 'https' && url(self).getHost() == 'example.com:8443' && url(self).getHostname() == 'example.com' && url(self).getPort() == '8443'", "\"https://example.com:8443/a%20b?k=v&k=w\"", true)]
    [InlineData("url(self).getEscapedPath() == '/a%20b' && url(self).getQuery() == {'k': ['v', 'w']} && !isURL('no url') && url('/p').getHost() == ''", "\"https://example.com:8443/a%20b?k=v&k=w\"", true)]
    [InlineData("quantity(self).isGreaterThan(quantity('1G')) && quantity(self).isLessThan(quantity('2Gi')) && quantity(self).compareTo(quantity('1024Mi')) == 0 && quantity(self) == quantity('1024Mi')", "\"1Gi\"", true)]
    [InlineData("isQuantity('100m') && !isQuantity('x') && quantity('1').add(quantity('500m')).sub(1) == quantity('500m') && !quantity('500m').isInteger() && quantity(self).asInteger() == 2", "\"2\"", true)]
    [InlineData("self.find('[0-9]+') == '12' && self.findAll('[0-9]+') == ['12', '345'] && self.findAll('[0-9]+', 1) == ['12'] && self.find('z') == ''", "\"ab12c345\"", true)]
    [InlineData("'%s is %d of %.2f, %x, %b, %o, %e, 100%%: %s'.format([self, 3, 1.5, 255, true, 8, 12345.678, [1, 'a']]) == 'it is 3 of 1.50, ff, 1, 10, 1.234568e+04, 100%: [1, \"a\"]'", "\"it\"", true)]
    [InlineData("sets.contains(self, [2, 1]) && !sets.contains(self, [4]) && sets.equivalent(self, [3, 2, 1, 1]) && sets.intersects(self, [9, 3]) && !sets.intersects(self, [9])", "[1,2,3]", true)]
    [InlineData("self.all(i, x, i < x) && self.exists(i, x, i == 2 && x == 3) && self.existsOne(i, x, x > 2) && self.transformList(i, x, x > 1, i * x) == [2, 6]", "[1,2,3]", true)]
    [InlineData("self.all(k, v, k.size() == v) && self.transformMap(k, v, v > 1, v * 2) == {'bb': 4}", """{"a":1,"bb":2}""", true)]
    [InlineData("self.?a.?b.orValue(7) == 7 && self.?c.hasValue() && self[?'c'].value() == 1 && !self.?a.b.hasValue() && self.?c.optMap(x, x + 1).value() == 2", """{"c":1}""", true)]
    [InlineData("optional.of(self).or(optional.none()).value() == 1 && optional.none().orValue(2) == 2 && optional.none() == optional.none() && !has(optional.none().x)", "1", true)]
    [InlineData("!format.dns1123Label().validate(self).hasValue() && format.dns1123Label().validate('No').hasValue() && format.named('uuid').hasValue() && !format.named('x').hasValue()", "\"ok\"", true)]
    [InlineData("url('mailto:a').getEscapedPath() == '' && self.all(variables, variables.a == 1)", "[{\"a\":1}]", true)]
    [InlineData("bool('true') && 'abc'.charAt(1) == 'b' && dyn(self) == 3", "3", true)]
    public void Rules_hold_or_do_not(string rule, string self, bool holds, string old = "null") => Assert.Equal(holds, Evaluate(rule, self, old));

    [Theory]
    [InlineData("self.x == 1", "{}", "no such key: x")]
    [InlineData("self[3]", "[1]", "index out of bounds: 3")]
    [InlineData("self + 'a'", "1", "no such overload")]
    [InlineData("self / 0", "1", "division by zero")]
    [InlineData("self * 2", "9223372036854775807", "integer overflow")]
    [InlineData("int('x')", "1", "type conversion error")]
    [InlineData("ip(self)", "\"10.0.0\"", "IP Address '10.0.0' parse error during conversion from string")]
    [InlineData("quantity(self)", "\"x\"", "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'")]
    [InlineData("optional.none().value()", "1", "optional.none() dereference")]
    [InlineData("'%d'.format(['a'])", "1", "could not parse formatting clause: unrecognized formatting clause \"d\"")]
    [InlineData("'%s'.format([])", "1", "index 0 out of range")]
    [InlineData("sets.contains(self, self) && sets.contains(self, self)", "[1,2,3]", "operation cancelled: actual cost limit exceeded", 25)]
    [InlineData("-self", "-9223372036854775808", "integer overflow")]
    [InlineData("{'a': 1, 'a': 2} == self", "{}", "failed with repeated key: a")]
    [InlineData("self == self", "{\"a\":{\"b\":\"xxxxxxxxxxxxxxxxxxxx\",\"c\":[1,2,3,4]}}", "operation cancelled: actual cost limit exceeded", 20)]
    [InlineData("'%s'.format([self])", "{\"a\":{\"b\":\"xxxxxxxxxxxxxxxxxxxx\",\"c\":[1,2,3,4]}}", "operation cancelled: actual cost limit exceeded", 12)]
    [InlineData("['xxxxxxxxxxxxxxxx'].all(a, [a+a+a+a].all(b, [b+b+b+b].all(c, [c+c+c+c].all(d, [d+d+d+d].all(e, [e+e+e+e].all(f, [f+f+f+f].all(g, [g+g+g+g].all(h, [h+h+h+h].all(i, [i+i+i+i].all(j, size(j) > 0))))))))))", "1", "operation cancelled: actual cost limit exceeded")]
    [InlineData("self.all(x, self.all(y, self.all(z, true)))", "[1,2,3,4,5,6,7,8,9,1,2,3,4,5,6,7,8,9,1,2,3,4,5,6,7,8,9,1,2,3,4,5,6,7,8,9,1,2,3,4,5,6,7,8,9,1,2,3,4,5]", "operation cancelled: actual cost limit exceeded")]
    public void What_cannot_be_evaluated_says_why(string rule, string self, string why, int steps = 100_000) =>
        Assert.Equal(why, Assert.ThrowsAny<CelException>(() => Evaluate(rule, self, steps: steps)).Message);

    [Theory]
    [InlineData("quantity('79228162514264337593543950335').add(quantity('79228162514264337593543950335')) == self")]
    [InlineData("timestamp('9999-12-31T00:00:00Z') + duration('48h') == self")]
    [InlineData("url('//p:99999999').getEscapedPath() == self")]
    public void What_no_value_can_hold_is_a_fault_of_the_rule(string rule) => Assert.ThrowsAny<CelException>(() => Evaluate(rule, "1"));

    [Theory]
    [InlineData("foo(self)", 0, "undeclared reference to 'foo' (in container '')")]
    [InlineData("self.foo()", 5, "undeclared reference to 'foo' (in container '')")]
    [InlineData("other == 1", 0, "undeclared reference to 'other' (in container '')")]
    [InlineData("self.all(x, x) && x", 18, "undeclared reference to 'x' (in container '')")]
    [InlineData("self == ", 8, "Syntax error: mismatched input '<EOF>'")]
    [InlineData("self == 'a", 8, "Syntax error: a text has no end")]
    [InlineData("has(self)", 0, "invalid argument to has() macro")]
    [InlineData("lists.range(3)", 0, "undeclared reference to 'lists' (in container '')")]
    [InlineData("self.reverse()", 5, "undeclared reference to 'reverse' (in container '')")]
    [InlineData("math.least(1, 2)", 0, "undeclared reference to 'math' (in container '')")]
    [InlineData("cel.bind(x, 1, x)", 0, "undeclared reference to 'cel' (in container '')")]
    [InlineData("{1: 2}", 1, "keys of maps other than texts are not known here")]
    [InlineData("18446744073709551616u", 0, "invalid uint literal")]
    [InlineData("b'\\u0041'", 2, "Syntax error: an escape is none")]
    [InlineData("sets.foo(self)", 0, "undeclared reference to 'sets.foo' (in container '')")]
    [InlineData("google.protobuf.Struct", 0, "undeclared reference to 'google' (in container '')")]
    [InlineData("self.transformList(x, x)", 22, "Syntax error: mismatched input 'x'")]
    public void What_is_no_rule_is_refused_by_name(string rule, int at, string why)
    {
        var fault = Assert.Throws<CelSyntaxException>(() => CelParser.Parse(rule, "self", "oldSelf"));
        Assert.Equal((at, why), (fault.At, fault.Message));
    }

    [Theory]
    [InlineData("true", "&&true")]
    [InlineData("1", "+1")]
    [InlineData("self", ".a")]
    [InlineData("self", "[0]")]
    public void A_chain_without_end_is_refused(string first, string next) =>
        Assert.Contains("words: at most 5000", Assert.Throws<CelSyntaxException>(() => CelParser.Parse(first + string.Concat(Enumerable.Repeat(next, 500_000)), "self")).Message);

    [Theory]
    [InlineData('(', ')')]
    [InlineData('[', ']')]
    public void A_rule_is_only_so_deep(char open, char close) =>
        Assert.StartsWith("expression recursion limit exceeded", Assert.Throws<CelSyntaxException>(() => CelParser.Parse(new string(open, 2000) + "1" + new string(close, 2000))).Message, StringComparison.Ordinal);
}
