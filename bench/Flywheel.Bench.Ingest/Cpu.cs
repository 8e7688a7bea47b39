using System.Diagnostics;
using System.Globalization;
using Npgsql;

namespace Flywheel.Bench.Ingest;

/// <summary>Seconds of processor time: on a shared machine they tell more than seconds by the clock.</summary>
static class Cpu
{
    public static double Own()
    {
        using var self = Process.GetCurrentProcess();
        return self.TotalProcessorTime.TotalSeconds;
    }

    /// <summary>User and system time of one process; with <paramref name="ended"/> also that of its children that ended.</summary>
    public static double Of(int process, bool ended = false)
    {
        try
        {
            var fields = File.ReadAllText($"/proc/{process}/stat").Split(") ")[1].Split(' ');
            return fields[11..(ended ? 15 : 13)].Sum(field => double.Parse(field, CultureInfo.InvariantCulture)) / 100;
        }
        catch (IOException)
        {
            return 0;
        }
    }

    /// <summary>The postmaster of a PostgreSQL on this machine; 0 when it runs elsewhere.</summary>
    public static async Task<int> PostmasterAsync(string connection)
    {
        await using var data = NpgsqlDataSource.Create(connection);
        await using var command = data.CreateCommand("select pg_backend_pid()");
        var backend = (int)(await command.ExecuteScalarAsync())!;
        return Parent(backend);
    }

    /// <summary>All processes of one PostgreSQL.</summary>
    public static double OfPostgres(int postmaster) => postmaster == 0
        ? 0
        : Of(postmaster, ended: true) + Directory.EnumerateDirectories("/proc")
            .Select(folder => int.TryParse(Path.GetFileName(folder), out var id) ? id : 0)
            .Where(id => id != 0 && Parent(id) == postmaster)
            .Sum(id => Of(id));

    static int Parent(int process)
    {
        try
        {
            return int.Parse(File.ReadAllText($"/proc/{process}/stat").Split(") ")[1].Split(' ')[1], CultureInfo.InvariantCulture);
        }
        catch (IOException)
        {
            return 0;
        }
    }
}
