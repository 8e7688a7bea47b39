using Flywheel.Validators.Detection.Adversarial;
using Flywheel.Studies.Detectors;

switch (args)
{
    case ["attacks", ..]:
        AttackStudy.Run(args.Contains("--show"));
        return 0;
    case ["train", var path]:
        var model = AttackTraining.Train([.. AttackCorpus.Attacks(), .. AttackCorpus.Ordinary(withNotInject: true, withTests: true)], AttackCorpus.Licences);
        await using (var file = File.Create(path))
            model.Write(file);
        Console.WriteLine($"{path}: {new FileInfo(path).Length:N0} bytes, threshold {model.Threshold:0.00}, version {model.Version}");
        return 0;
    case ["scope", var embedder]:
        await ScopeStudy.RunAsync(embedder);
        return 0;
    case ["writing"]:
        await WritingStudy.RunAsync();
        return 0;
    case ["guards"]:
        await GuardStudy.RunAsync();
        return 0;
    case ["speed"]:
        await SpeedStudy.RunAsync();
        return 0;
    default:
        Console.Error.WriteLine("usage: attacks [--show] | train FILE | scope lexical|hybrid | writing | speed | guards");
        return 2;
}
