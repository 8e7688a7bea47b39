using System.Globalization;
using System.Xml;
using Flywheel.Core.Evaluation;
using Flywheel.Core.Metrics;
using Flywheel.Engine.Evaluation;

namespace Flywheel.Server.Files;

/// <summary>An evaluation as CI systems read it: a suite a metric, a case a row, and a suite of the thresholds.</summary>
/// <remarks>Fail is a failure, error an error; unsure and skipped are skipped with the reason. Without thresholds, no build should break on
/// failures.</remarks>
static class JUnitFile
{
    public static async Task WriteAsync(string path, EvalReport report, IEvalRunStore runs, EvalRun run, CancellationToken ct)
    {
        using var xml = XmlWriter.Create(path, new XmlWriterSettings { Indent = true, CheckCharacters = true });
        xml.WriteStartElement("testsuites");
        xml.WriteAttributeString("name", "flywheel eval");
        Counts(xml,
            report.Metrics.Sum(metric => metric.Outcomes.Values.Sum()) + report.Thresholds.Count,
            report.Metrics.Sum(metric => metric.Outcomes["fail"]) + report.Thresholds.Count(threshold => !threshold.Met),
            report.Metrics.Sum(metric => metric.Outcomes["error"]),
            report.Metrics.Sum(metric => metric.Outcomes["skipped"] + metric.Outcomes["unsure"]));
        xml.WriteAttributeString("time", report.Run.Seconds.ToString("0.000", CultureInfo.InvariantCulture));
        for (var i = 0; i < report.Metrics.Count; i++)
            await SuiteAsync(xml, report.Metrics[i], runs.FindingsAsync(run, i, ct));
        if (report.Thresholds.Count > 0)
            Thresholds(xml, report.Thresholds);
        xml.WriteEndElement();
    }

    static async Task SuiteAsync(XmlWriter xml, EvalMetricView metric, IAsyncEnumerable<EvalFault> findings)
    {
        xml.WriteStartElement("testsuite");
        xml.WriteAttributeString("name", metric.Name);
        Counts(xml, metric.Outcomes.Values.Sum(), metric.Outcomes["fail"], metric.Outcomes["error"],
            metric.Outcomes["skipped"] + metric.Outcomes["unsure"]);
        await foreach (var finding in findings)
        {
            xml.WriteStartElement("testcase");
            xml.WriteAttributeString("classname", metric.Name);
            xml.WriteAttributeString("name", Clean(finding.Id));
            var element = finding.Outcome switch { Outcome.Fail => "failure", Outcome.Error => "error", Outcome.Unsure or Outcome.Skipped =>
                "skipped", _ => null };
            if (element is not null)
            {
                xml.WriteStartElement(element);
                xml.WriteAttributeString(
                    "message", Clean((finding.Outcome == Outcome.Unsure ? "unsure: " : "")
                        + (finding.Reason ?? Wire.Name(finding.Outcome))));
                xml.WriteEndElement();
            }
            xml.WriteEndElement();
        }
        xml.WriteEndElement();
    }

    static void Thresholds(XmlWriter xml, IReadOnlyList<ThresholdView> thresholds)
    {
        xml.WriteStartElement("testsuite");
        xml.WriteAttributeString("name", "thresholds");
        Counts(xml, thresholds.Count, thresholds.Count(threshold => !threshold.Met), 0, 0);
        foreach (var threshold in thresholds)
        {
            xml.WriteStartElement("testcase");
            xml.WriteAttributeString("classname", "thresholds");
            xml.WriteAttributeString(
                "name", Clean(string.Create(CultureInfo.InvariantCulture, $"{threshold.Name} >= {threshold.Minimum}")));
            if (!threshold.Met)
            {
                xml.WriteStartElement("failure");
                xml.WriteAttributeString("message", threshold.Value is { } value
                    ? string.Create(CultureInfo.InvariantCulture, $"{value:0.####} is less than {threshold.Minimum}")
                    : "nothing was decided");
                xml.WriteEndElement();
            }
            xml.WriteEndElement();
        }
        xml.WriteEndElement();
    }

    static void Counts(XmlWriter xml, long tests, long failures, long errors, long skipped)
    {
        foreach (var (name, count) in new[] { ("tests", tests), ("failures", failures), ("errors", errors), ("skipped", skipped) })
            xml.WriteAttributeString(name, count.ToString(CultureInfo.InvariantCulture));
    }

    /// <summary>XML has no way to write most control characters and half surrogate pairs.</summary>
    static string Clean(string text)
    {
        for (var i = 0; i < text.Length; i++)
            if (!XmlConvert.IsXmlChar(text[i]) && !(i + 1 < text.Length && XmlConvert.IsXmlSurrogatePair(text[i + 1], text[i])))
                return string.Create(text.Length, text, static (span, source) =>
                {
                    for (var k = 0; k < source.Length; k++)
                        if (k + 1 < source.Length && XmlConvert.IsXmlSurrogatePair(source[k + 1], source[k]))
                            (span[k], span[k + 1]) = (source[k], source[++k]);
                        else
                            span[k] = XmlConvert.IsXmlChar(source[k]) ? source[k] : '\uFFFD';
                });
            else if (char.IsHighSurrogate(text[i]))
                i++;
        return text;
    }
}
