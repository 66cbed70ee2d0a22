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

    /// <inheritdoc cref="ContainerRoot.IsShielded"/>
    public bool IsShielded { get; init; }

    /// <summary>Null: all that the lab may do.</summary>
    public Privileges? Privileges { get; init; }

    /// <summary>A file that says whose the image's files are; null: they are whose they are.</summary>
    public string? Owners { get; init; }

    /// <summary>Strangers send the command: these are the files, by their paths, of a root in which only programs are the machine's. Null: it is any other.</summary>
    public IReadOnlyDictionary<string, string>? StrangersFiles { get; init; }

    /// <summary>It has a control group's file, by which it goes there before it runs.</summary>
    public bool JoinsGroup { get; init; }

    public byte[] ToJson() => LabJson.ToUtf8(json =>
    {
        json.WriteString("lower", Lower);
        json.WriteString("stage", Stage);
        json.WriteBoolean("readOnly", ReadOnly);
        json.WriteBoolean("isShielded", IsShielded);
        if (Privileges is { } privileges)
        {
            json.WriteNumber("capabilities", privileges.Capabilities.Bits);
            json.WriteBoolean("noNewPrivileges", privileges.NoNew);
        }
        json.WriteString("owners", Owners);
        json.WriteBoolean("joinsGroup", JoinsGroup);
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
        Write("environment", Environment);
        if (StrangersFiles is { } files)
        {
            Write("strangersFiles", files);
        }
        json.WriteString("directory", Directory);
        json.WriteBoolean("isPowerless", User.IsPowerless);
        json.WriteNumber("user", User.User);
        json.WriteNumber("group", User.Group);
        json.WriteStartArray("groups");
        foreach (var group in User.Groups)
        {
            json.WriteNumberValue(group);
        }
        json.WriteEndArray();

        void Write(string property, IReadOnlyDictionary<string, string> texts)
        {
            json.WriteStartObject(property);
            foreach (var (name, value) in texts)
            {
                json.WriteString(name, value);
            }
            json.WriteEndObject();
        }
    });

    public static RootedCommand FromJson(ReadOnlyMemory<byte> utf8)
    {
        using var document = JsonDocument.Parse(utf8);
        var json = document.RootElement;
        return new RootedCommand(
            Text("lower"),
            Text("stage"),
            [.. json.GetProperty("mounts").EnumerateArray().Select(static mount => new BindMount(mount[0].GetString()!, mount[1].GetString()!, mount[2].GetBoolean()))],
            Text("program"),
            [.. json.GetProperty("arguments").EnumerateArray().Select(static argument => argument.GetString()!)],
            Texts(json.GetProperty("environment")),
            Text("directory"),
            new ContainerUser(
                json.GetProperty("user").GetUInt32(),
                json.GetProperty("group").GetUInt32(),
                [.. json.GetProperty("groups").EnumerateArray().Select(static group => group.GetUInt32())])
            {
                IsPowerless = json.GetProperty("isPowerless").GetBoolean(),
            })
        {
            ReadOnly = json.GetProperty("readOnly").GetBoolean(),
            IsShielded = json.GetProperty("isShielded").GetBoolean(),
            Privileges = json.TryGetProperty("capabilities", out var capabilities)
                ? new Privileges(new CapabilitySet(capabilities.GetUInt64())) { NoNew = json.GetProperty("noNewPrivileges").GetBoolean() }
                : null,
            Owners = json.GetProperty("owners").GetString(),
            JoinsGroup = json.GetProperty("joinsGroup").GetBoolean(),
            StrangersFiles = json.TryGetProperty("strangersFiles", out var files) ? Texts(files) : null,
        };

        static Dictionary<string, string> Texts(JsonElement texts) => texts.EnumerateObject().ToDictionary(static text => text.Name, static text => text.Value.GetString()!, StringComparer.Ordinal);

        string Text(string name) => json.GetProperty(name).GetString()!;
    }
}
