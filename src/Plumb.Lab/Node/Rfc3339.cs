namespace Plumb.Lab.Node;

internal static class Rfc3339
{
    /// <summary>As metav1.Time is written: UTC, whole seconds.</summary>
    public static string ToRfc3339(this DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'");
}
