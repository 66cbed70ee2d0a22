using System.Text.Json.Nodes;

namespace Plumb.Api.Cel;

/// <summary>What stands between two values. Numbers of both kinds compare with each other, and are added only to their own.</summary>
internal static class CelOperators
{
    public static object Apply(string sign, object? left, object? right) => sign switch
    {
        "==" => Same(left, right),
        "!=" => !Same(left, right),
        "in" => right switch
        {
            List<object?> list => list.Exists(item => Same(item, left)),
            JsonObject members when left is string name => members.ContainsKey(name),
            _ => throw CelEvaluation.Overload(),
        },
        "<" => Order(left, right) < 0,
        "<=" => Order(left, right) <= 0,
        ">" => Order(left, right) > 0,
        ">=" => Order(left, right) >= 0,
        _ => Arithmetic(sign, left, right),
    };

    public static bool Same(object? left, object? right) => (left, right) switch
    {
        (null, null) => true,
        (long a, double b) => a == b,
        (double a, long b) => a == b,
        (double a, double b) => a == b,
        (ulong, long or double) or (long or double, ulong) => Order(left, right) == 0,
        (List<object?> a, List<object?> b) => a.Count == b.Count && a.Zip(b).All(static pair => Same(pair.First, pair.Second)),
        (JsonObject a, JsonObject b) => JsonNode.DeepEquals(a, b),
        _ => left is not null && left.Equals(right),
    };

    public static int Order(object? left, object? right) => (left, right) switch
    {
        (long a, long b) => a.CompareTo(b),
        (double a, double b) => a.CompareTo(b),
        (long a, double b) => ((double)a).CompareTo(b),
        (double a, long b) => a.CompareTo((double)b),
        (ulong a, ulong b) => a.CompareTo(b),
        (ulong a, long b) => b < 0 ? 1 : a.CompareTo((ulong)b),
        (long, ulong) => -Order(right, left),
        (ulong a, double b) => ((double)a).CompareTo(b),
        (double a, ulong b) => a.CompareTo((double)b),
        (CelBytes a, CelBytes b) => a.CompareTo(b),
        (string a, string b) => string.CompareOrdinal(a, b),
        (bool a, bool b) => a.CompareTo(b),
        (TimeSpan a, TimeSpan b) => a.CompareTo(b),
        (DateTimeOffset a, DateTimeOffset b) => a.CompareTo(b),
        _ => throw CelEvaluation.Overload(),
    };

    private static object Arithmetic(string sign, object? left, object? right)
    {
        try
        {
            return (sign, left, right) switch
            {
                ("+", long a, long b) => checked(a + b),
                ("-", long a, long b) => checked(a - b),
                ("*", long a, long b) => checked(a * b),
                ("/", long, 0L) => throw new CelException("division by zero"),
                ("%", long, 0L) => throw new CelException("modulus by zero"),
                ("/", long a, long b) => checked(a / b),
                ("%", long a, long b) => b == -1 ? 0L : a % b,
                ("+", ulong a, ulong b) => checked(a + b),
                ("-", ulong a, ulong b) => checked(a - b),
                ("*", ulong a, ulong b) => checked(a * b),
                ("/", ulong, 0UL) => throw new CelException("division by zero"),
                ("%", ulong, 0UL) => throw new CelException("modulus by zero"),
                ("/", ulong a, ulong b) => a / b,
                ("%", ulong a, ulong b) => a % b,
                ("+", CelBytes a, CelBytes b) => a + b,
                ("+", double a, double b) => a + b,
                ("-", double a, double b) => a - b,
                ("*", double a, double b) => a * b,
                ("/", double a, double b) => a / b,
                ("+", string a, string b) => a + b,
                ("+", List<object?> a, List<object?> b) => (List<object?>)[.. a, .. b],
                ("+", TimeSpan a, TimeSpan b) => a + b,
                ("-", TimeSpan a, TimeSpan b) => a - b,
                ("+", DateTimeOffset a, TimeSpan b) => a + b,
                ("+", TimeSpan a, DateTimeOffset b) => b + a,
                ("-", DateTimeOffset a, TimeSpan b) => a - b,
                ("-", DateTimeOffset a, DateTimeOffset b) => a - b,
                _ => throw CelEvaluation.Overload(),
            };
        }
        catch (OverflowException)
        {
            throw new CelException(left is ulong ? "unsigned integer overflow" : "integer overflow");
        }
    }
}
