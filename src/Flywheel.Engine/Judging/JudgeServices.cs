using System.Security.Cryptography;
using Flywheel.Core.Judging;
using Flywheel.Engine.Models;
using Microsoft.Extensions.AI;

namespace Flywheel.Engine.Judging;

/// <summary>US dollars for a call.</summary>
/// <param name="model">As the provider names it; null when unknown.</param>
public delegate double PriceOf(string? model, UsageDetails usage);

/// <summary>What judges need from outside.</summary>
/// <param name="Chat">The chat client of the provider with this name; null asks for the default. Throws when there is none.</param>
/// <param name="Examples">Null: judges work without examples.</param>
/// <param name="Price">Null: calls are free, as with offline models.</param>
public sealed record JudgeServices(Func<string?, IChatClient> Chat, IJudgeExamples? Examples = null, PriceOf? Price = null)
{
    /// <summary>Pays for calls and keeps replies; null when judges are free to call, as for the rows of a file.</summary>
    public IJudgeCallStore? Ledger { get; init; }

    /// <summary>Null: judges work without guidelines.</summary>
    public IJudgeGuidelines? Guidelines { get; init; }

    /// <summary>Null: verdicts carry the confidence as it came, and no line.</summary>
    public IJudgeCalibrations? Calibrations { get; init; }

    /// <summary>Whether a failed call may be billed all the same; its expected cost is then kept.</summary>
    public Func<Exception, bool> MayHaveCost { get; init; } = static _ => true;

    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>What the provider of this name can enforce of a reply's form; null asks for the default provider.</summary>
    public Func<string?, StructuredOutput> Structured { get; init; } = static _ => StructuredOutput.Schema;

    /// <summary>Draws the word that separates data from instructions; nobody who wrote the data may be able to guess it.</summary>
    public Func<string> NewFence { get; init; } = static () => RandomNumberGenerator.GetHexString(24, lowercase: true);
}
