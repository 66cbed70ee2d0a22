using System.Text.Json;

namespace Plumb.Api.Storage;

/// <summary>Reads, in one pass over an object's JSON, what <see cref="StoredObject"/> keeps beside it.</summary>
internal ref struct MetadataReader
{
    public MetadataReader()
    {
    }

    public string Uid = "";
    public string NodeName = "";
    public string Phase = "";
    public long ResourceVersion;
    public int VersionAt = -1;
    public long Generation;
    public DateTimeOffset CreationTimestamp;
    public DateTimeOffset? DeletionTimestamp;
    public long? DeletionGracePeriodSeconds;
    public List<string> Finalizers = [];
    public List<Owner> Owners = [];
    public List<KeyValuePair<string, string>> Labels = [];

    public void Read(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json, StoredObject.Deep);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("metadata"u8))
                ReadMetadata(ref reader);
            else if (reader.ValueTextEquals("spec"u8))
                NodeName = ReadMember(ref reader, "nodeName"u8) ?? "";
            else if (reader.ValueTextEquals("status"u8))
                Phase = ReadMember(ref reader, "phase"u8) ?? "";
            else
                reader.Skip();
        }
    }

    private void ReadMetadata(ref Utf8JsonReader reader)
    {
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            return;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("uid"u8))
                Uid = ReadText(ref reader) ?? "";
            else if (reader.ValueTextEquals("resourceVersion"u8))
                ReadVersion(ref reader);
            else if (reader.ValueTextEquals("generation"u8))
                Generation = ReadNumber(ref reader) ?? 0;
            else if (reader.ValueTextEquals("creationTimestamp"u8))
                CreationTimestamp = ReadTime(ref reader) ?? default;
            else if (reader.ValueTextEquals("deletionTimestamp"u8))
                DeletionTimestamp = ReadTime(ref reader);
            else if (reader.ValueTextEquals("deletionGracePeriodSeconds"u8))
                DeletionGracePeriodSeconds = ReadNumber(ref reader);
            else if (reader.ValueTextEquals("labels"u8))
                ReadLabels(ref reader);
            else if (reader.ValueTextEquals("finalizers"u8))
                ReadFinalizers(ref reader);
            else if (reader.ValueTextEquals("ownerReferences"u8))
                ReadOwners(ref reader);
            else
                reader.Skip();
        }
    }

    private void ReadVersion(ref Utf8JsonReader reader)
    {
        ResourceVersion = long.TryParse(ReadText(ref reader), out var version) ? version : 0;
        if (reader.TokenType == JsonTokenType.String)
            VersionAt = (int)reader.TokenStartIndex;
    }

    private void ReadLabels(ref Utf8JsonReader reader)
    {
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            return;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var key = reader.GetString()!;
            Labels.Add(new(key, ReadText(ref reader) ?? ""));
        }
    }

    private void ReadFinalizers(ref Utf8JsonReader reader)
    {
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartArray)
            return;
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
            Finalizers.Add(reader.GetString() ?? "");
    }

    private void ReadOwners(ref Utf8JsonReader reader)
    {
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartArray)
            return;
        while (reader.Read() && reader.TokenType == JsonTokenType.StartObject)
        {
            string apiVersion = "", kind = "", name = "", uid = "";
            bool controller = false, blocks = false;
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                if (reader.ValueTextEquals("apiVersion"u8))
                    apiVersion = ReadText(ref reader) ?? "";
                else if (reader.ValueTextEquals("kind"u8))
                    kind = ReadText(ref reader) ?? "";
                else if (reader.ValueTextEquals("name"u8))
                    name = ReadText(ref reader) ?? "";
                else if (reader.ValueTextEquals("uid"u8))
                    uid = ReadText(ref reader) ?? "";
                else if (reader.ValueTextEquals("controller"u8))
                    controller = reader.Read() && reader.TokenType == JsonTokenType.True;
                else if (reader.ValueTextEquals("blockOwnerDeletion"u8))
                    blocks = reader.Read() && reader.TokenType == JsonTokenType.True;
                else
                    reader.Skip();
            }

            Owners.Add(new Owner(apiVersion, kind, name, uid, controller, blocks));
        }
    }

    /// <summary>The text of one member of the object that follows; the rest of it is passed over.</summary>
    private static string? ReadMember(ref Utf8JsonReader reader, ReadOnlySpan<byte> member)
    {
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
        {
            reader.Skip();
            return null;
        }

        string? found = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals(member))
                found = ReadText(ref reader);
            else
                reader.Skip();
        }

        return found;
    }

    private static string? ReadText(ref Utf8JsonReader reader)
    {
        reader.Read();
        if (reader.TokenType == JsonTokenType.String)
            return reader.GetString();
        reader.Skip();
        return null;
    }

    private static long? ReadNumber(ref Utf8JsonReader reader)
    {
        reader.Read();
        if (reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out var number))
            return number;
        reader.Skip();
        return null;
    }

    private static DateTimeOffset? ReadTime(ref Utf8JsonReader reader)
    {
        reader.Read();
        if (reader.TokenType == JsonTokenType.String && reader.TryGetDateTimeOffset(out var time))
            return time;
        reader.Skip();
        return null;
    }
}
