namespace Plumb.Api.Resources.Tables;

/// <summary>The columns of a kind's Table.</summary>
internal sealed class TableLayout
{
    public static readonly TableLayout NameAndAge = new();
}
