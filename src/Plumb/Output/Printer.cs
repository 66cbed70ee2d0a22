using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Plumb.CommandLine;
using Plumb.Commands;
using Plumb.Tracing;

namespace Plumb.Output;

/// <summary>One result, as text for a person or as JSON for a program.</summary>
internal static class Printer
{
    public static void Print<T>(T result, Func<JsonTypeInfo<T>> json, Invocation invocation, ValueOption<OutputFormat> format, Action<T, TextWriter, Style> text)
    {
        var terminal = invocation.Terminal;
        if (invocation.Value(format) == OutputFormat.Json)
        {
            terminal.Out.WriteLine(JsonSerializer.Serialize(result, json()));
        }
        else
        {
            text(result, terminal.Out, terminal.Style);
        }
    }
}

/// <summary>The results of all commands. Their property names are promised to programs: they may be added to, not renamed.</summary>
[JsonSourceGenerationOptions(
    WriteIndented = true,
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UseStringEnumConverter = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(KubeconfigResult))]
[JsonSerializable(typeof(DownResult))]
[JsonSerializable(typeof(Plumb.Agent.Installing.RemovalReport))]
[JsonSerializable(typeof(Plumb.Installing.KernelCheck))]
[JsonSerializable(typeof(ImagesResult))]
[JsonSerializable(typeof(SetResult))]
[JsonSerializable(typeof(StatusResult))]
[JsonSerializable(typeof(StoreResult))]
[JsonSerializable(typeof(LabReport))]
[JsonSerializable(typeof(ExplainResult))]
[JsonSerializable(typeof(DnsResult))]
[JsonSerializable(typeof(TraceResult))]
[JsonSerializable(typeof(Mirroring.MirrorResult))]
[JsonSerializable(typeof(Whatif.WhatifResult))]
internal sealed partial class ResultJson : JsonSerializerContext;
