using Plumb.Api.Cel;

namespace Plumb.Api.Tests.Cel;

/// <summary>What the libraries of a real server's base environment (Kubernetes 1.34) answer, as their own tests and pages state it.</summary>
public sealed class CelLibraryTests
{
    private static object? Evaluate(string rule, int steps = 100_000) => new CelEvaluation(new Dictionary<string, object?>(), steps).Value(CelParser.Parse(rule));

    [Theory]
    [InlineData("b'abc' == bytes('abc') && size(b'abc') == 3 && b'\\xff' != b'\\303\\277' && bytes('ÿ') == b'\\303\\277' && b'ÿ' == bytes('ÿ')")]
    [InlineData("string(b'h\\xc3\\xa9') == 'hé' && b'a' + b'b' == b'ab' && b'a' < b'b' && type(b'') == bytes && rb'\\n' == b'\\\\n' && bytes(b'x') == b'x'")]
    [InlineData("1u + 2u == 3u && 7u / 2u == 3u && 7u % 4u == 3u && 0xFFu == 255u && type(1u) == uint && uint('5') == 5u && uint(5) == 5u && int(5u) == 5 && double(5u) == 5.0")]
    [InlineData("1u == 1 && 1u < 2 && 1 < 2u && 1.5 > 1u && 1u in [1, 2] && string(18446744073709551615u) == '18446744073709551615' && -1 < 18446744073709551615u && uint(3.9) == 3u")]
    [InlineData("-9223372036854775808 < 0 && int('-9223372036854775808') == -9223372036854775808 && int(1.9) == 1 && int(-1.9) == -1 && -5 + 3 == -2 && type(-1) == int")]
    [InlineData("[1, ?optional.none(), ?optional.of(3)] == [1, 3] && {?'a': optional.of(1), ?'b': optional.none()} == {'a': 1}")]
    [InlineData("optional.unwrap([optional.of(1), optional.none()]) == [1] && [optional.of(42), optional.none()].unwrapOpt() == [42]")]
    [InlineData("optional.ofNonZeroValue(0u).hasValue() == false && optional.ofNonZeroValue(b'').hasValue() == false && optional.ofNonZeroValue('x').hasValue()")]
    [InlineData("{'a': {}}[?'b'].or(optional.of({})).orValue(1) == {} && {'a': {'b': 1}}.?a.b.orValue(0) == 1")]
    [InlineData("[1, 2].transformMapEntry(i, v, {string(v): i}) == {'1': 0, '2': 1} && {'a': 'b', 'c': 'd'}.transformMapEntry(k, v, k != 'c', {v: k}) == {'b': 'a'}")]
    [InlineData("[2, 3].exists_one(i, v, v == 3) && {'hello': 'world'}.transformList(k, v, k + v) == ['helloworld']")]
    [InlineData("semver('1.2.3') == semver('1.2.3') && semver('1.2.3') != semver('1.0.0') && semver('v01.01', true) == semver('1.1.0')")]
    [InlineData("isSemver('1.2.3-beta.1+build.1') && !isSemver('') && !isSemver('v1.0.0') && !isSemver(' 1.0.0') && !isSemver('1. 0.0') && !isSemver('1.0.0 ') && !isSemver('01.01.01') && !isSemver('1') && !isSemver('1.1')")]
    [InlineData("!isSemver('', true) && !isSemver(' 1.0.0', true) && !isSemver('1. 0.0', true) && !isSemver('1.0.0 ', true) && isSemver('v1.0.0', true) && isSemver('01.01.01', true) && isSemver('1', true) && isSemver('1.1', true) && !isSemver('1.1-a', true)")]
    [InlineData("semver('1.0.0').isLessThan(semver('1.2.3')) && !semver('1.0.0').isLessThan(semver('1.0.0')) && semver('1.2.3').isGreaterThan(semver('1.0.0')) && !semver('1.0.0').isGreaterThan(semver('1.0.0'))")]
    [InlineData("semver('1.2.3').compareTo(semver('1.2.3')) == 0 && semver('1.0.0').compareTo(semver('1.2.3')) == -1 && semver('1.2.3').compareTo(semver('1.0.0')) == 1 && semver('1.2.3').major() == 1 && semver('1.2.3').minor() == 2 && semver('1.2.3').patch() == 3")]
    [InlineData("['1.0.0-alpha', '1.0.0-alpha.1', '1.0.0-alpha.beta', '1.0.0-beta', '1.0.0-beta.2', '1.0.0-beta.11', '1.0.0-rc.1', '1.0.0'].all(i, v, i == 0 || semver(v).isGreaterThan(semver('1.0.0-alpha'))) && semver('1.0.0-beta.2').isLessThan(semver('1.0.0-beta.11')) && semver('1.0.0-rc.1').isLessThan(semver('1.0.0')) && semver('1.0.0+a') == semver('1.0.0+b')")]
    [InlineData("[1, 2, 2].indexOf(2) == 1 && [1, 2, 2].lastIndexOf(2) == 2 && ['a'].indexOf('b') == -1 && [1, 1, 2].isSorted() && ![2, 1].isSorted() && [1.5, 0.5].sum() == 2.0 && [3, 1].min() == 1 && ['a', 'z'].max() == 'z' && [duration('1m'), duration('30s')].sum() == duration('90s')")]
    [InlineData("'tacocat'.charAt(3) == 'o' && 'tacocat'.charAt(7) == '' && '©αT'.charAt(0) == '©' && '©αT'.charAt(1) == 'α' && 'ta©o©αT'.indexOf('©', 3) == 4 && 'ta©o©αT'.lastIndexOf('©') == 4 && 'tacocat'.indexOf('') == 0 && 'ta©o©αT'.lastIndexOf('©αT', 4) == 4")]
    [InlineData("'hello mellow'.indexOf('ello', 2) == 7 && 'hello mellow'.indexOf('jello') == -1 && 'hello mellow'.lastIndexOf('ello', 6) == 1 && 'hello mellow'.lastIndexOf('') == 12")]
    [InlineData("'hello hello'.replace('he', 'we', 1) == 'wello hello' && 'hello hello'.replace('he', 'we', 0) == 'hello hello' && 'hello hello'.replace('', '_') == '_h_e_l_l_o_ _h_e_l_l_o_' && 'hello hello'.replace('h', '') == 'ello ello'")]
    [InlineData("'hello hello hello'.split(' ', 0) == [] && 'hello hello hello'.split(' ', 1) == ['hello hello hello'] && 'hello hello hello'.split(' ', 2) == ['hello', 'hello hello'] && 'hello hello hello'.split(' ', -1) == ['hello', 'hello', 'hello'] && 'abc'.split('', 2) == ['a', 'bc']")]
    [InlineData("size('😀') == 1 && '😀x'.substring(1) == 'x' && '😀x'.indexOf('x') == 1 && 'a😀'.charAt(1) == '😀' && '😀'.split('') == ['😀'] && 'tacocat'.substring(0, 4) == 'taco' && 'tacocat'.substring(7) == ''")]
    [InlineData("timestamp('2009-02-13T23:31:30.5Z').getFullYear() == 2009 && timestamp('2009-02-13T23:31:30Z').getMonth() == 1 && timestamp('2009-02-13T23:31:30Z').getDate() == 13 && timestamp('2009-02-13T23:31:30Z').getDayOfMonth() == 12 && timestamp('2009-02-13T23:31:30Z').getDayOfWeek() == 5 && timestamp('2009-02-13T23:31:30Z').getDayOfYear() == 43")]
    [InlineData("timestamp('2009-02-13T23:31:30.5Z').getHours() == 23 && timestamp('2009-02-13T23:31:30.5Z').getMilliseconds() == 500 && timestamp('2009-02-13T23:31:30Z').getHours('-08:00') == 15 && timestamp('2009-02-13T23:31:30Z').getDate('02:00') == 14 && timestamp('2009-02-13T23:31:30Z').getHours('Australia/Sydney') == 10")]
    [InlineData("timestamp(1234567890) == timestamp('2009-02-13T23:31:30Z') && int(timestamp('2009-02-13T23:31:30Z')) == 1234567890 && string(timestamp('2009-02-13T23:31:30.5Z')) == '2009-02-13T23:31:30.5Z' && string(duration('1h1.5s')) == '3601.5s' && duration('90s').getSeconds() == 90")]
    [InlineData("'%s %s %d %x'.format([b'xy', 1u, 2u, b'\\xff']) == 'xy 1 2 ff' && '%s'.format([duration('1h')]) == '3600s'")]
    [InlineData("0.0 / 0.0 != 0.0 / 0.0 && !(1u == 1.5)")]
    public void A_library_answers_as_it_does_upstream(string rule) => Assert.Equal(true, Evaluate(rule));

    [Theory]
    [InlineData("semver('v1.0')", "No Major.Minor.Patch elements found")]
    [InlineData("semver('01.0.0')", "Major number must not contain leading zeroes \"01\"")]
    [InlineData("semver('1.0.0-01')", "Numeric PreRelease version must not contain leading zeroes \"01\"")]
    [InlineData("uint(-1)", "unsigned integer overflow")]
    [InlineData("1u - 2u", "unsigned integer overflow")]
    [InlineData("int(18446744073709551615u)", "integer overflow")]
    [InlineData("1u + 1", "no such overload")]
    [InlineData("-(1u)", "no such overload")]
    [InlineData("string(b'\\xff')", "invalid UTF-8 in bytes, cannot convert to string")]
    [InlineData("[].min()", "min called on empty list")]
    [InlineData("[?1]", "no such overload")]
    [InlineData("[1, 2].transformMapEntry(i, v, {'a': v})", "insert failed: key a already exists")]
    [InlineData("'tacocat'.charAt(30)", "index out of range: 30")]
    [InlineData("'tacocat'.indexOf('a', 30)", "index out of range: 30")]
    [InlineData("'tacocat'.substring(40)", "index out of range: 40")]
    [InlineData("'tacocat'.substring(-1)", "index out of range: -1")]
    [InlineData("'tacocat'.substring(3, 1)", "invalid substring range. start: 3, end: 1")]
    [InlineData("timestamp('2009-02-13T23:31:30Z').getHours('Nowhere')", "unknown time zone Nowhere")]
    [InlineData("timestamp(9223372036854775807)", "timestamp overflow")]
    [InlineData("[b'0123456789012345678901234567890123456789'].all(a, [a+a+a+a].all(b, [b+b+b+b].all(c, [c+c+c+c].all(d, [d+d+d+d].all(e, [e+e+e+e].all(f, [f+f+f+f].all(g, [g+g+g+g].all(h, [h+h+h+h].all(i, [i+i+i+i].all(j, size(j) > 0))))))))))", "operation cancelled: actual cost limit exceeded")]
    public void What_a_library_cannot_answer_says_why(string rule, string why) => Assert.Equal(why, Assert.ThrowsAny<CelException>(() => Evaluate(rule)).Message);
}
