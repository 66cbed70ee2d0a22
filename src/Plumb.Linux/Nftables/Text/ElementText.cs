using System.Text;
using Plumb.Linux.State;

namespace Plumb.Linux.Nftables.Text;

/// <summary>Elements of sets and maps as nft prints them.</summary>
internal static class ElementText
{
    public static string NaturalKey(SetSchema schema, SetElement element)
    {
        var text = new StringBuilder(64).Append(TableId.FamilyName(schema.Table.Family)).Append(' ').Append(schema.Table.Name)
            .Append(' ').Append(schema.Name).Append(' ');
        AppendKey(text, schema, element);
        return text.ToString();
    }

    public static string Print(SetSchema schema, SetElement element, string? comment)
    {
        var text = new StringBuilder("element ").Append(schema.Table).Append(' ').Append(schema.Name).Append(" { ");
        Append(text, schema, element, comment);
        return text.Append(" }").ToString();
    }

    public static void Append(StringBuilder text, SetSchema schema, SetElement element, string? comment)
    {
        AppendKey(text, schema, element);
        foreach (var statement in element.Statements)
        {
            text.Append(' ').Append(StatementText.Of(statement));
        }
        if (element.TimeoutMilliseconds is { } timeout)
        {
            ValueText.AppendTime(text.Append(" timeout "), timeout);
        }
        if (element.ExpiresMilliseconds is { } expires)
        {
            ValueText.AppendTime(text.Append(" expires "), expires);
        }
        if (comment is not null)
        {
            text.Append(" comment \"").Append(comment).Append('"');
        }
        AppendData(text, schema, element);
    }

    public static void AppendKey(StringBuilder text, SetSchema schema, SetElement element)
    {
        if (element.IsCatchAll)
        {
            text.Append('*');
            return;
        }
        var key = element.Key.Span;
        var last = element.IsRange ? element.Last.Span : key;
        if (key.Length < schema.KeyBytes || last.Length != key.Length)
        {
            text.Append("0x").Append(element.Key);
            return;
        }
        for (int i = 0, at = 0; i < schema.Key.Count; i++)
        {
            var field = schema.Key[i];
            text.Append(i == 0 ? "" : " . ");
            if (field.Type.IsText && schema.IsInterval && element.IsRange)
            {
                // Names that begin alike: a range from the beginning to all ones behind it.
                var name = key.Slice(at, field.Bytes);
                ValueText.AppendName(text, name, wildcard: !name.SequenceEqual(last.Slice(at, field.Bytes)));
            }
            else
            {
                ValueText.AppendRange(text, field.Type, key.Slice(at, field.Bytes), last.Slice(at, field.Bytes), schema.KeyOrder(i));
            }
            at += field.PaddedBytes;
        }
    }

    public static void AppendFields(StringBuilder text, ValueList<SetField> fields, ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < SetSchema.Bytes(fields))
        {
            text.Append("0x").Append(Convert.ToHexStringLower(bytes));
            return;
        }
        for (int i = 0, at = 0; i < fields.Count; i++)
        {
            text.Append(i == 0 ? "" : " . ");
            ValueText.Append(text, fields[i].Type, bytes.Slice(at, fields[i].Bytes), fields[i].Order);
            at += fields[i].PaddedBytes;
        }
    }

    private static void AppendData(StringBuilder text, SetSchema schema, SetElement element)
    {
        if (element.Verdict is { } verdict)
        {
            text.Append(" : ").Append(verdict);
        }
        else if (element.ObjectName is { } name)
        {
            text.Append(" : \"").Append(name).Append('"');
        }
        else if (schema.Data is MapData.Fields { Items: var fields })
        {
            AppendFields(text.Append(" : "), fields, element.Data.Span);
        }
    }
}
