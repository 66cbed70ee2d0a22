using System.Text.Json;
using Plumb.Linux.Containers;
using Plumb.Linux.Processes;

namespace Plumb.Lab.Containers.Roots;

/// <summary>A container's program and the root file system that it is to find, on their way to the process that becomes it.</summary>
/// <param name="Lower">An image's root directory, or `/`.</param>
/// <param name="Stage">An empty directory.</param>
/// <param name="Directory">Of the program, in the new root.</param>
internal sealed record RootedCommand(
    string Lower,
    string Stage,
    IReadOnlyList<BindMount> Mounts,
    string Program,
    IReadOnlyList<string> Arguments,
    IReadOnlyDictionary<string, string> Environment,
    string Directory,
    ContainerUser User)
{
    public bool ReadOnly { get; init; }

    /// <summary>A file that says whose the image's files are; null: they are whose they are.</summary>
    public string? Owners { get; init; }

    public byte[] ToJson() => LabJson.ToUtf8(json =>
    {
        json.WriteString("lower", Lower);
        json.WriteString("stage", Stage);
        json.WriteBoolean("readOnly", ReadOnly);
        json.WriteString("owners", Owners);
        json.WriteStartArray("mounts");
        foreach (var mount in Mounts)
        {
            json.WriteStartArray();
            json.WriteStringValue(mount.Source);
            json.WriteStringValue(mount.Target);
            json.WriteBooleanValue(mount.ReadOnly);
            json.WriteEndArray();
        }
        json.WriteEndArray();
        json.WriteString("program", Program);
        json.WriteStartArray("arguments");
        foreach (var argument in Arguments)
        {
            json.WriteStringValue(argument);
        }
        json.WriteEndArray();
        json.WriteStartObject("environment");
        foreach (var (name, value) in Environment)
        {
            json.WriteString(name, value);
        }
        json.WriteEndObject();
        json.WriteString("directory", Directory);
        json.WriteNumber("user", User.User);
        json.WriteNumber("group", User.Group);
        json.WriteStartArray("groups");
        foreach (var group in User.Groups)
        {
            json.WriteNumberValue(group);
        }
        json.WriteEndArray();
    });

    public static RootedCommand FromJson(ReadOnlyMemory<byte> utf8)
    {
        using var document = JsonDocument.Parse(utf8);
        var json = document.RootElement;
        var environment = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var variable in json.GetProperty("environment").EnumerateObject())
        {
            environment[variable.Name] = variable.Value.GetString()!;
        }
        return new RootedCommand(
            Text("lower"),
            Text("stage"),
            [.. json.GetProperty("mounts").EnumerateArray().Select(static mount => new BindMount(mount[0].GetString()!, mount[1].GetString()!, mount[2].GetBoolean()))],
            Text("program"),
            [.. json.GetProperty("arguments").EnumerateArray().Select(static argument => argument.GetString()!)],
            environment,
            Text("directory"),
            new ContainerUser(
                json.GetProperty("user").GetUInt32(),
                json.GetProperty("group").GetUInt32(),
                [.. json.GetProperty("groups").EnumerateArray().Select(static group => group.GetUInt32())]))
        {
            ReadOnly = json.GetProperty("readOnly").GetBoolean(),
            Owners = json.GetProperty("owners").GetString(),
        };

        string Text(string name) => json.GetProperty(name).GetString()!;
    }
}
