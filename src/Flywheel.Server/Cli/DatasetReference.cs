using Flywheel.Core.Datasets;

namespace Flywheel.Server.Cli;

/// <summary>NAME or NAME@VERSION.</summary>
static class DatasetReference
{
    public static (string Name, string Version) Parse(string given) =>
        given.LastIndexOf('@') is var at and > 0 ? (given[..at], given[(at + 1)..]) : (given, DatasetVersion.Newest);
}
