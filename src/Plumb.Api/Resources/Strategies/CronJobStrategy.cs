using System.Text.Json.Nodes;
using Plumb.Api.Access;
using Plumb.Api.Resources.Validation;
using Plumb.Api.Storage;

namespace Plumb.Api.Resources.Strategies;

internal sealed class CronJobStrategy : Strategy
{
    public static readonly GroupResource Resource = new("batch", "cronjobs");

    private const string Template = "spec.jobTemplate.spec.template";

    /// <summary>A Job's name has ten digits more, and a hyphen.</summary>
    private const int MostName = 52;

    public override void Default(JsonObject root)
    {
        var spec = Fields.Object(root, "spec");
        Fields.DefaultText(spec, "concurrencyPolicy", "Allow");
        Fields.Default(spec, "suspend", false);
        var template = Fields.Object(spec, "jobTemplate");
        Fields.Object(template, "metadata");
        var pods = Fields.Object(Fields.Object(template, "spec"), "template");
        Fields.Object(pods, "metadata");
        PodDefaults.Apply(Fields.Object(pods, "spec"));
        Fields.Default(spec, "successfulJobsHistoryLimit", 3);
        Fields.Default(spec, "failedJobsHistoryLimit", 1);
    }

    public override void PrepareCreate(JsonObject root, in Admission admission)
    {
        root["status"] = new JsonObject();
        PodSecurityAdmission.AdmitTemplate(admission, root, Fields.Object(Fields.Object(root, "spec"), "jobTemplate"));
    }

    public override void Validate(JsonObject root, FieldErrors errors)
    {
        var name = Fields.Text(Fields.Find(root, "metadata"), "name");
        if (name.Length > MostName)
            errors.InvalidText("metadata.name", name, $"must be no more than {MostName} characters");
        var spec = Fields.Object(root, "spec");
        Schedule(spec, errors);
        foreach (var member in (ReadOnlySpan<string>)["startingDeadlineSeconds", "successfulJobsHistoryLimit", "failedJobsHistoryLimit"])
        {
            if (Fields.Number(spec, member) is { } number and < 0)
                errors.Invalid("spec." + member, number.ToString(System.Globalization.CultureInfo.InvariantCulture), "must be greater than or equal to 0");
        }

        PodValidation.Choice(spec, "concurrencyPolicy", "spec", errors, "Allow", "Forbid", "Replace");
        var job = Fields.Object(Fields.Object(spec, "jobTemplate"), "spec");
        SuccessPolicyValidation.Validate(job, "spec.jobTemplate.spec", errors);
        var pods = Fields.Object(job, "template");
        MetadataValidation.Labels(Fields.Find(Fields.Find(pods, "metadata"), "labels"), Template + ".labels", errors);
        var pod = Fields.Object(pods, "spec");
        PodValidation.Spec(pod, Template + ".spec", errors);
        if (Fields.Text(pod, "restartPolicy") == "Always")
            errors.Required(Template + ".spec.restartPolicy", "valid values: \"OnFailure\", \"Never\"");
    }

    public static TimeZoneInfo? Zone(JsonObject spec) =>
        Fields.Text(spec, "timeZone") is not { Length: > 0 } name ? TimeZoneInfo.Utc : TimeZoneInfo.TryFindSystemTimeZoneById(name, out var zone) ? zone : null;

    private static void Schedule(JsonObject spec, FieldErrors errors)
    {
        var text = Fields.Text(spec, "schedule");
        if (text.Length == 0)
        {
            errors.Required("spec.schedule");
        }
        else if (text.Contains("TZ=", StringComparison.Ordinal))
        {
            errors.InvalidText("spec.schedule", text, "cannot use TZ or CRON_TZ in schedule, use timeZone field instead");
        }
        else
        {
            try
            {
                _ = new CronSchedule(text);
            }
            catch (FormatException wrong)
            {
                errors.InvalidText("spec.schedule", text, wrong.Message);
            }
        }

        if (spec["timeZone"] is not null && (Fields.Text(spec, "timeZone") is "" or "Local" || Zone(spec) is null))
            errors.InvalidText("spec.timeZone", Fields.Text(spec, "timeZone"), $"unknown time zone {Fields.Text(spec, "timeZone")}");
    }
}
