using System.Text.Json.Nodes;

namespace Plumb.Api.Resources.Validation;

internal static class VolumeValidation
{
    /// <returns>The names that mounts may use.</returns>
    public static HashSet<string> Volumes(JsonObject spec, string at, FieldErrors errors)
    {
        var names = new HashSet<string>();
        var index = 0;
        foreach (var volume in Fields.Objects(spec, "volumes"))
        {
            var here = $"{at}[{index++}]";
            var name = Fields.Text(volume, "name");
            if (name.Length == 0)
            {
                errors.Required(here + ".name");
            }
            else
            {
                foreach (var fault in NameSyntax.PlainLabel(name))
                    errors.InvalidText(here + ".name", name, fault);
                if (!names.Add(name))
                    errors.Duplicate(here + ".name", FieldErrors.Quote(name));
            }

            var sources = volume.Where(static member => member.Key != "name" && member.Value is not null).Select(static member => member.Key).ToList();
            if (sources.Count > 1)
                errors.Forbidden($"{here}.{sources.Find(static source => source != "emptyDir") ?? sources[1]}", "may not specify more than 1 volume type");
        }

        return names;
    }

    public static void Mounts(JsonObject container, string at, HashSet<string> volumes, FieldErrors errors)
    {
        var paths = new HashSet<string>();
        var index = 0;
        foreach (var mount in Fields.Objects(container, "volumeMounts"))
        {
            var here = $"{at}[{index++}]";
            var name = Fields.Text(mount, "name");
            if (name.Length == 0)
                errors.Required(here + ".name");
            else if (!volumes.Contains(name))
                errors.NotFound(here + ".name", FieldErrors.Quote(name));
            var path = Fields.Text(mount, "mountPath");
            if (path.Length == 0)
                errors.Required(here + ".mountPath");
            else if (!paths.Add(path))
                errors.InvalidText(here + ".mountPath", path, "must be unique");
        }
    }
}
