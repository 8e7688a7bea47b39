using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Flywheel.Core.Traces;

namespace Flywheel.Core.Metrics;

/// <summary>Whether a metric looks at a span, and if not, why: every pair gets an answer.</summary>
public static class Applicability
{
    /// <returns>Null when the metric runs; otherwise the reason in words.</returns>
    public static string? WhyNot(Metric metric, string node, NodeKind kind, SpanKey key) =>
        WhyNotAt(metric, node, kind)
        ?? (metric.Sampling < 1 && Draw(metric.Name, key) >= metric.Sampling ? $"not sampled (rate {metric.Sampling:0.####})" : null);

    /// <summary>Whether a metric is about a node at all, before there is a span to sample.</summary>
    /// <returns>Null when it is; otherwise the reason in words.</returns>
    public static string? WhyNotAt(Metric metric, string node, NodeKind kind)
    {
        if (!metric.Subject.IsOfSpan())
            return $"metrics about a {Wire.Name(metric.Subject)} are not validated yet";
        if (metric.Nodes is { } nodes && !nodes.Contains(node))
            return $"not about node {node}";
        return metric.Kinds is { } kinds && !kinds.Contains(kind) ? $"not about {Wire.Name(kind)} nodes" : null;
    }

    /// <summary>
    /// A uniform draw in [0, 1) that depends only on the purpose and the span: the same on every machine and on every retry,
    /// so that a sample can be checked afterwards.
    /// </summary>
    public static double Draw(string purpose, SpanKey key)
    {
        Span<byte> hash = stackalloc byte[32];
        SHA256.HashData(Encoding.UTF8.GetBytes($"{purpose}\n{key.Trace}\n{key.Span}"), hash);
        return (BinaryPrimitives.ReadUInt64LittleEndian(hash) >> 11) * (1.0 / (1UL << 53));
    }
}
