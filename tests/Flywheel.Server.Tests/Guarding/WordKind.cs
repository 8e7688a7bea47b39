using System.Text.Json;
using Flywheel.Core.Metrics;
using Flywheel.Core.Traces;

namespace Flywheel.Server.Tests.Guarding;

/// <summary>Finds a word and says where; <c>{"word": "secret"}</c>. The word <c>fault</c> throws.</summary>
sealed class WordKind(bool callsModel = false) : IValidatorKind
{
    public string Name => callsModel ? "judged-word" : "word";
    public string Summary => "Finds a word.";
    public IReadOnlyList<SettingDescription> Settings => [];
    public IReadOnlySet<NodeKind> NodeKinds { get; } = new HashSet<NodeKind>(Enum.GetValues<NodeKind>());
    public IReadOnlySet<MetricSubject> Subjects { get; } = new HashSet<MetricSubject>(Enum.GetValues<MetricSubject>());
    public bool FindsSpans => true;
    public bool CallsModel => callsModel;
    public List<string> Seen { get; } = [];

    public IValidator Create(ValidatorContext context, JsonElement settings) =>
        new Validator(this, settings.GetProperty("word").GetString()!);

    sealed class Validator(WordKind kind, string word) : IValidator
    {
        public string Version => "word-" + word;

        public ValueTask<Finding> CheckAsync(Examinee examinee, CancellationToken ct)
        {
            kind.Seen.Add(examinee.Text!);
            if (word == "fault")
                throw new IOException("the disk is gone");
            if (word == "never")
                return new(Task.Delay(Timeout.Infinite, ct).ContinueWith(_ => Finding.Pass(), TaskScheduler.Default));
            var at = examinee.Text!.IndexOf(word, StringComparison.Ordinal);
            return ValueTask.FromResult(
                at < 0 ? Finding.Pass() : Finding.Fail("found it", 1) with { Spans = [new(at, word.Length, "word")] });
        }
    }
}
