namespace Plumb.Api.Resources;

/// <summary>What a strategy may look at beside the object itself.</summary>
internal readonly record struct Admission(Registry Registry, ResourceDefinition Definition, WriteOptions Options)
{
    public void Warn(string text) => Options.Warnings?.Add(text);
}
