using Flywheel.Core;
namespace Flywheel.Server.Api;

static class Paging
{
    const int Most = 500;

    /// <summary>The page size asked for, or an error that names the range.</summary>
    public static int Limit(int limit) => limit is >= 1 and <= Most
        ? limit
        : throw RequestException.BadField("limit", $"`limit` is {limit}: use 1 to {Most}.");
}
