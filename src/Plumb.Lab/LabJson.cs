using System.Buffers;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Plumb.Lab.Running;
using Plumb.Linux.Addresses;
using Plumb.Linux.State;
using Plumb.Network.Facts;

namespace Plumb.Lab;

/// <summary>
/// What crosses between a lab's process and the commands that start and ask it: options, progress, status. Both are of one build,
/// as a rule; what one of them does not know is left out, and has its default at the other.
/// </summary>
/// <remarks>
/// By hand: a serializer of such records of values compiles 400 methods at each start of a lab, which took a fifth of it.
/// </remarks>
internal static class LabJson
{
    public static byte[] ToUtf8(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }
        return buffer.WrittenSpan.ToArray();
    }

    public static void Write(Utf8JsonWriter json, LabOptions options)
    {
        json.WriteString("name", options.Name.ToString());
        json.WriteNumber("nodes", options.Nodes);
        json.WriteNumber("overlay", (int)options.Overlay);
        json.WriteNumber("services", (int)options.Services);
        Write(json, "nodeRanges", options.NodeRanges);
        Write(json, "podRanges", options.PodRanges);
        Write(json, "serviceRanges", options.ServiceRanges);
        if (options.DnsUpstreams is { } upstreams)
        {
            Write(json, "dnsUpstreams", upstreams);
        }
        Write(json, "manifests", options.Manifests);
        json.WriteString("from", options.From);
        if (options.CniConfigurations is { } configurations)
        {
            Write(json, "cniConfigurations", configurations);
        }
        json.WriteStartObject("images");
        foreach (var (image, source) in options.Images)
        {
            json.WriteString(image, source);
        }
        json.WriteEndObject();
        json.WriteBoolean("agentProcesses", options.AgentProcesses);
        json.WriteNumber("apiPort", options.ApiPort);
        json.WriteBoolean("waitForPods", options.WaitForPods);
        Write(json, "command", options.Command);
        json.WriteString("runtimeRoot", options.RuntimeRoot);
        json.WriteBoolean("detached", options.Detached);
        if (options.AskedAt is { } askedAt)
        {
            json.WriteString("askedAt", askedAt);
        }
    }

    public static LabOptions Options(JsonElement json)
    {
        var images = new Dictionary<string, string>();
        foreach (var image in json.GetProperty("images").EnumerateObject())
        {
            images.Add(image.Name, image.Value.GetString()!);
        }
        return new LabOptions
        {
            Name = LabName.Parse(Text(json, "name")),
            Nodes = json.GetProperty("nodes").GetInt32(),
            Overlay = (OverlayKind)json.GetProperty("overlay").GetInt32(),
            Services = (ServicesKind)json.GetProperty("services").GetInt32(),
            NodeRanges = Ranges(json, "nodeRanges"),
            PodRanges = Ranges(json, "podRanges"),
            ServiceRanges = Ranges(json, "serviceRanges"),
            DnsUpstreams = Find(json, "dnsUpstreams") is null ? null : Texts(json, "dnsUpstreams"),
            Manifests = Texts(json, "manifests"),
            From = Find(json, "from")?.GetString(),
            CniConfigurations = Find(json, "cniConfigurations") is null ? null : Texts(json, "cniConfigurations"),
            Images = images,
            AgentProcesses = json.GetProperty("agentProcesses").GetBoolean(),
            ApiPort = json.GetProperty("apiPort").GetInt32(),
            WaitForPods = json.GetProperty("waitForPods").GetBoolean(),
            Command = Texts(json, "command"),
            RuntimeRoot = json.GetProperty("runtimeRoot").GetString(),
            Detached = json.GetProperty("detached").GetBoolean(),
            AskedAt = Find(json, "askedAt") is { } askedAt ? askedAt.GetDateTimeOffset() : null,
        };
    }

    public static void Write(Utf8JsonWriter json, LabProgress progress)
    {
        json.WriteNumber("step", (int)progress.Step);
        json.WriteNumber("elapsedTicks", progress.Elapsed.Ticks);
        json.WriteString("detail", progress.Detail);
        json.WriteNumber("done", progress.Done);
        json.WriteNumber("total", progress.Total);
        if (progress.Lab is { } lab)
        {
            json.WriteStartObject("lab");
            Write(json, lab);
            json.WriteEndObject();
        }
    }

    public static LabProgress Progress(JsonElement json) =>
        new((LabStep)json.GetProperty("step").GetInt32(), TimeSpan.FromTicks(json.GetProperty("elapsedTicks").GetInt64()), json.GetProperty("detail").GetString())
        {
            Done = json.GetProperty("done").GetInt32(),
            Total = json.GetProperty("total").GetInt32(),
            Lab = Find(json, "lab") is { } lab ? Status(lab) : null,
        };

    public static void Write(Utf8JsonWriter json, LabStatus lab)
    {
        json.WriteString("name", lab.Name.ToString());
        json.WriteNumber("phase", (int)lab.Phase);
        json.WriteString("kubeconfig", lab.Kubeconfig);
        json.WriteString("api", lab.Api.OriginalString);
        json.WriteNumber("processId", lab.ProcessId);
        json.WriteString("startedAt", lab.StartedAt);
        json.WriteNumber("overlay", (int)lab.Overlay);
        json.WriteNumber("services", (int)lab.Services);
        Write(json, "nodeRanges", lab.NodeRanges);
        Write(json, "podRanges", lab.PodRanges);
        Write(json, "serviceRanges", lab.ServiceRanges);
        Write(json, "oldServicesLeft", lab.OldServicesLeft);
        json.WriteNumber("memoryBytes", lab.MemoryBytes);
        json.WriteStartArray("machines");
        foreach (var machine in lab.Machines)
        {
            json.WriteStartObject();
            json.WriteString("name", machine.Name);
            json.WriteString("id", machine.Id.Name);
            Write(json, "addresses", machine.Addresses);
            json.WriteString("namespacePath", machine.NamespacePath);
            if (machine.Ready is { } ready)
            {
                json.WriteBoolean("ready", ready);
            }
            Write(json, "agentProcessId", machine.AgentProcessId);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteStartArray("pods");
        foreach (var pod in lab.Pods)
        {
            json.WriteStartObject();
            json.WriteString("namespace", pod.Namespace);
            json.WriteString("name", pod.Name);
            json.WriteString("node", pod.Node);
            json.WriteString("id", pod.Id.Name);
            Write(json, "addresses", pod.Addresses);
            json.WriteString("namespacePath", pod.NamespacePath);
            json.WriteString("phase", pod.Phase);
            Write(json, "container", pod.Container);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteStartArray("hostPorts");
        foreach (var port in lab.HostPorts)
        {
            json.WriteStartObject();
            json.WriteString("service", port.Service);
            json.WriteString("protocol", port.Protocol);
            json.WriteNumber("nodePort", port.NodePort);
            Write(json, "hostPort", port.HostPort);
            json.WriteString("warning", port.Warning);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    public static LabStatus Status(JsonElement json)
    {
        var machines = new List<MachineStatus>();
        foreach (var machine in json.GetProperty("machines").EnumerateArray())
        {
            machines.Add(new MachineStatus(
                Text(machine, "name"),
                new NamespaceId(Text(machine, "id")),
                Addresses(machine),
                Text(machine, "namespacePath"),
                Find(machine, "ready") is { } ready ? ready.GetBoolean() : null,
                Number(machine, "agentProcessId")));
        }
        var pods = new List<SandboxStatus>();
        foreach (var pod in json.GetProperty("pods").EnumerateArray())
        {
            pods.Add(new SandboxStatus(
                Text(pod, "namespace"),
                Text(pod, "name"),
                Text(pod, "node"),
                new NamespaceId(Text(pod, "id")),
                Addresses(pod),
                Text(pod, "namespacePath"),
                Text(pod, "phase"),
                Number(pod, "container")));
        }
        return new LabStatus(
            LabName.Parse(Text(json, "name")),
            (LabPhase)json.GetProperty("phase").GetInt32(),
            Text(json, "kubeconfig"),
            new Uri(Text(json, "api")),
            json.GetProperty("processId").GetInt32(),
            json.GetProperty("startedAt").GetDateTimeOffset(),
            (OverlayKind)json.GetProperty("overlay").GetInt32(),
            Ranges(json, "podRanges"),
            Ranges(json, "serviceRanges"),
            machines,
            pods)
        {
            NodeRanges = Ranges(json, "nodeRanges"),
            Services = (ServicesKind)json.GetProperty("services").GetInt32(),
            OldServicesLeft = [.. Texts(json, "oldServicesLeft")],
            MemoryBytes = json.GetProperty("memoryBytes").GetInt64(),
            HostPorts = [.. HostPorts(json)],
        };
    }

    private static IEnumerable<HostPortStatus> HostPorts(JsonElement json)
    {
        foreach (var port in json.GetProperty("hostPorts").EnumerateArray())
        {
            yield return new HostPortStatus(
                Text(port, "service"), Text(port, "protocol"), port.GetProperty("nodePort").GetUInt16(), (ushort?)Number(port, "hostPort"), port.GetProperty("warning").GetString());
        }
    }

    public static void Write(Utf8JsonWriter json, PodResolver resolver)
    {
        json.WriteString("node", resolver.Node);
        json.WriteString("file", resolver.File);
    }

    public static PodResolver Resolver(JsonElement json) => new(Text(json, "node"), Text(json, "file"));

    public static void Write(Utf8JsonWriter json, StoreRestored restored)
    {
        json.WriteNumber("before", restored.Before);
        json.WriteNumber("resourceVersion", restored.ResourceVersion);
        json.WriteNumber("objects", restored.Objects);
    }

    public static StoreRestored Restored(JsonElement json) =>
        new(json.GetProperty("before").GetInt64(), json.GetProperty("resourceVersion").GetInt64(), json.GetProperty("objects").GetInt32());

    /// <summary>Why a request to the lab failed, in one line.</summary>
    public static byte[] Failure(string message) => ToUtf8(json => json.WriteString("message", message));

    public static string? FailureMessage(JsonElement json) => Find(json, "message")?.GetString();

    private static void Write(Utf8JsonWriter json, string name, IReadOnlyList<string> texts)
    {
        json.WriteStartArray(name);
        foreach (var text in texts)
        {
            json.WriteStringValue(text);
        }
        json.WriteEndArray();
    }

    private static void Write(Utf8JsonWriter json, string name, ValueList<IpPrefix> ranges)
    {
        json.WriteStartArray(name);
        foreach (var range in ranges)
        {
            json.WriteStringValue(range.ToString());
        }
        json.WriteEndArray();
    }

    private static void Write(Utf8JsonWriter json, string name, ValueList<IpAddress> addresses)
    {
        json.WriteStartArray(name);
        foreach (var address in addresses)
        {
            json.WriteStringValue(address.ToString());
        }
        json.WriteEndArray();
    }

    private static void Write(Utf8JsonWriter json, string name, int? number)
    {
        if (number is { } known)
        {
            json.WriteNumber(name, known);
        }
    }

    private static string Text(JsonElement json, string name) => json.GetProperty(name).GetString()!;

    private static string[] Texts(JsonElement json, string name)
    {
        var array = json.GetProperty(name);
        var texts = new string[array.GetArrayLength()];
        for (var i = 0; i < texts.Length; i++)
        {
            texts[i] = array[i].GetString()!;
        }
        return texts;
    }

    private static int? Number(JsonElement json, string name) => Find(json, name)?.GetInt32();

    private static ValueList<IpPrefix> Ranges(JsonElement json, string name) => [.. Texts(json, name).Select(IpPrefix.Parse)];

    private static ValueList<IpAddress> Addresses(JsonElement json) => [.. Texts(json, "addresses").Select(IpAddress.Parse)];

    private static JsonElement? Find(JsonElement json, string name) => json.TryGetProperty(name, out var value) ? value : null;
}
