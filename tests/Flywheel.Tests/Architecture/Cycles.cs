namespace Flywheel.Tests.Architecture;

/// <summary>Strongly connected components of a graph.</summary>
/// <remarks>Tarjan, SIAM Journal on Computing 1972.</remarks>
static class Cycles
{
    /// <returns>The components of two nodes or more, largest first, each in order.</returns>
    public static IReadOnlyList<IReadOnlyList<string>> In(IReadOnlyDictionary<string, HashSet<string>> graph)
    {
        var index = new Dictionary<string, int>(StringComparer.Ordinal);
        var low = new Dictionary<string, int>(StringComparer.Ordinal);
        var stack = new Stack<string>();
        var onStack = new HashSet<string>(StringComparer.Ordinal);
        var found = new List<IReadOnlyList<string>>();
        foreach (var node in graph.Keys.Order(StringComparer.Ordinal))
            if (!index.ContainsKey(node))
                Visit(node);
        return [.. found.OrderByDescending(each => each.Count)];

        void Visit(string node)
        {
            index[node] = low[node] = index.Count;
            stack.Push(node);
            onStack.Add(node);
            foreach (var next in graph.GetValueOrDefault(node) ?? [])
                if (!index.TryGetValue(next, out var seen))
                {
                    Visit(next);
                    low[node] = Math.Min(low[node], low[next]);
                }
                else if (onStack.Contains(next))
                    low[node] = Math.Min(low[node], seen);
            if (low[node] != index[node])
                return;
            var component = new List<string>();
            string last;
            do
            {
                last = stack.Pop();
                onStack.Remove(last);
                component.Add(last);
            }
            while (last != node);
            if (component.Count > 1)
                found.Add([.. component.Order(StringComparer.Ordinal)]);
        }
    }
}
