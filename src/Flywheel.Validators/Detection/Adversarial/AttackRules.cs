using System.Text.RegularExpressions;

namespace Flywheel.Validators.Detection.Adversarial;

/// <param name="Id">Stable name; it is part of the reason and may be switched off by it.</param>
/// <param name="Weight">Log-odds it adds; <see cref="AttackRules.Alone"/> and more decide alone.</param>
sealed record AttackRule(string Id, double Weight, string Reason, string[] Anchors, Regex Pattern);

/// <summary>Structure that attacks share whatever their words: version <see cref="Version"/>.</summary>
/// <remarks>
/// Patterns run in linear time over the unmasked lower-case text, and only when one of their anchors stands in it, so an
/// ordinary text costs a few substring searches.
/// </remarks>
static class AttackRules
{
    public const int Version = 1;
    public const double Alone = 6;

    const string Ignore =
        @"(ignore|disregard|forget|overlook|discard|override|bypass|do not (follow|obey)|don't (follow|obey)|stop following|pay no attention to)";
    const string Prior = @"(previous|prior|above|preceding|earlier|past|original|initial|foregoing|former|current|existing)";
    const string Orders =
        @"(instruction|direction|rule|guideline|command|order|prompt|directive|constraint|restriction|programming|training)s?";
    const string Secret =
        @"(password|secret( \w+)?|access code|passphrase|api key|passcode|system prompt|initial prompt|hidden (prompt|instructions)|your (\w+ )?(prompt|instructions))";
    const string Tell = @"(tell|show|print|output|reveal|repeat|display|write|give|share|list|recite|leak|disclose|expose|dump)";

    public static IReadOnlyList<AttackRule> All { get; } =
    [
        Rule("override.prior", Alone, "tells the model to drop its earlier instructions",
            $@"\b{Ignore} (\w+ ){{0,4}}{Prior} (\w+ ){{0,2}}{Orders}\b", "instruction", "direction", "rule", "guideline", "command",
            "order", "prompt", "directive", "constraint", "restriction", "programming", "training"),
        Rule("override.given", Alone, "tells the model to drop what it was told",
            $@"\b{Ignore} (all|everything|anything|whatever|every|the|any)( \w+){{0,3}} (you (were|have been|had been|got|received)|i (said|told|have)|was said|came before|so far|before this|said before|told before)", "ignore", "disregard", "forget", "overlook", "discard", "override", "bypass", "follow", "obey", "attention"),
        Rule("override.your", 3.5, "tells the model to drop its own rules", $@"\b{Ignore} (\w+ ){{0,2}}your (\w+ ){{0,2}}{Orders}\b",
            "your "),
        Rule("override.all", 3, "tells the model to drop all rules", $@"\b{Ignore} (all|any|every|all of) (\w+ ){{0,2}}{Orders}\b",
            "ignore", "disregard", "forget", "overlook", "discard", "override", "bypass", "follow", "obey", "attention"),
        Rule("override.new", 2.5, "gives the model new instructions in place of its own",
            @"\b(your )?(new|real|actual|updated|only) (instructions?|task|orders?|directive|system prompt|objective) (is|are|:)|\bnew (instructions?|directive|system prompt):", "new ", "real ", "actual ", "updated ", "only "),
        Rule("override.void", 3, "declares the instructions void",
            $@"\b{Prior} (\w+ )?{Orders} (is|are|was|were) (now )?(void|cancel+ed|outdated|obsolete|fake|a (test|joke)|no longer|irrelevant|wrong)", "void", "cancel", "outdated", "obsolete", "fake", "test", "joke", "no longer", "irrelevant", "wrong"),
        Rule("override.everything-above", 2.5, "dismisses everything above",
            @"\b(ignore|disregard|forget|delete|erase|everything|all|the) (\w+ ){0,2}(above|before this|prior to this)\b.{0,40}\b(ignore|void|irrelevant|instead|say|print|tell)", " above", "before this", "prior to this"),
        Rule("extract.prompt", 3.5, "asks for the model's own instructions",
            $@"\b{Tell} (\w+ ){{0,4}}(your|the) (\w+ ){{0,2}}(system prompt|system message|initial prompt|hidden prompt|original prompt|pre-?prompt|(initial|original|hidden|secret|system|internal) (instructions|rules|guidelines))", "prompt", "instructions", "system message", "rules", "guidelines"),
        Rule("extract.above", 3.5, "asks to repeat what stands above",
            $@"\b(repeat|print|copy|output|paste|restate|echo|reproduce|write|show)( \w+){{0,5}} (above|before this|preceding|so far|in your context)\b", " above", "before this", "preceding", "so far", "in your context"),
        Rule("extract.prompt-is", 3, "asks what the model's instructions are",
            @"\bwhat (is|was|are|were|did|does) (your|the) (\w+ ){0,2}(system prompt|initial prompt|hidden prompt|initial instructions|original instructions|secret instructions|system message|first (line|sentence) of (your|the) (prompt|instructions))", "prompt", "instructions", "system message"),
        Rule("extract.secret", 2.5, "asks for a secret that the model keeps",
            @"\b(tell|show|print|output|reveal|give|leak|disclose|repeat|what is|what's|spell)( \w+){0,3} (the|your) (secret( (word|key|code|phrase|password))?|passphrase|passcode|access code|hidden (key|word|password)|password)\b", "secret", "passphrase", "passcode", "access code", "hidden", "password"),
        Rule("hijack.access", 4, "dictates the answer \"access granted\"",
            @"\b(say|print|output|write|respond|reply|type|answer|return|repeat)\b.{0,60}\baccess (is )?granted\b|\baccess granted\b.{0,40}\b(say|print|output|write|respond|reply|nothing else|exactly)\b", "access granted", "access is granted"),
        Rule("hijack.only", 2, "dictates the answer word for word",
            @"\b(say|print|output|write|respond with|reply with|answer with|type|only say|just say) .{1,60}\b(and nothing else|and only that|no other (words|text)|with no (other|further|extra) (words|text)|exactly (that|this)|verbatim)", "nothing else", "only that", "no other", "with no ", "exactly", "verbatim"),
        Rule("hijack.pwned", 4, "dictates a trophy phrase",
            @"\b(say|print|output|write|respond|reply|answer)\b.{0,30}\b(have been |been )?(pwned|hacked|jailbroken)\b", "pwned", "hacked",
            "jailbroken"),
        Rule("persona.dan", Alone, "a known jailbreak persona",
            @"\bdo anything now\b|\b(you are|act as|pretend to be|called|as|be) (dan|stan|dude|aim|chaosgpt|evilbot|antigpt|freegpt)\b.{0,120}\b(no|not|never|without|free|any|break|broken|rules?|restrictions?|filters?)\b", "do anything now", " dan", " stan", " dude", " aim", "chaosgpt", "evilbot", "antigpt", "freegpt"),
        Rule("persona.norules", 3, "plays a model without rules",
            @"\b(no|without|free (of|from)|not bound by|zero|ignores?|devoid of|lacks|any|break(s|ing)?|broken free of) (\w+ ){0,3}(restrictions|limitations|censorship|filters?|ethical|ethics|moral(s|ity)?|content polic(y|ies)|guardrails|guidelines|boundaries|confines)\b.{0,400}\b(you|character|ai|persona|answer|response|model)", "restriction", "limitation", "censorship", "filter", "ethic", "moral", "content polic", "guardrails", "guidelines", "boundaries", "confines"),
        Rule("persona.unfiltered", 3, "plays an unfiltered character",
            @"\b(unfiltered|uncensored|amoral|unrestricted|unhinged|jailbroken|immoral)\b.{0,300}\b(ai|model|chatbot|gpt|character|response|persona|assistant|answers?|bot)\b|\b(ai|model|chatbot|gpt|character|response|persona|assistant|answers?|bot)\b.{0,300}\b(unfiltered|uncensored|amoral|unrestricted|unhinged|jailbroken|immoral)\b", "unfiltered", "uncensored", "amoral", "unrestricted", "unhinged", "jailbroken", "immoral"),
        Rule("persona.stay", 2.5, "forbids leaving a role",
            @"\b(never|do not|don't|not|won't|without) (ever )?(break|breaking|leave|leaving|drop) (the |your |out of )?(character|role)\b|\bstay(s)? in (character|role)\b", "character", " role"),
        Rule("persona.neverrefuse", 3, "forbids refusing",
            @"\b(never|not|cannot|can't|don't|doesn't|won't|without) (\w+ ){0,2}(refus(e|es|ing)|reject(s|ing)?|declin(e|es|ing))\b.{0,80}\b(request|answer|question|prompt|order|anything|me|user|task|command)", "refus", "reject", "declin"),
        Rule("persona.mode", 3.5, "switches on a mode without rules",
            @"\b(developer|debug|god|admin|dan|jailbreak|sudo|opposite|evil|unrestricted|freedom|maintenance|override) mode\b.{0,80}\b(enabled|activated?|output|on|now|output|response|prompt|rules|filter|policy)\b|\b(enter|enable|activate|simulate|switch to|turn on) (\w+ )?(god|admin|dan|jailbreak|sudo|evil|unrestricted|override) mode\b", " mode"),
        Rule("persona.dual", 3, "asks for a filtered and an unfiltered answer",
            @"\b(two|both|2) (different |distinct |separate )?(responses|answers|replies|ways|manners|paragraphs|outputs|types of responses)\b.{0,400}\b(unfiltered|filter|jailbr|uncensored|dan|developer mode|restrictions|second|ethic|moral)", "two ", "both ", "2 "),
        Rule("persona.tokens", 2.5, "threatens the model with points",
            @"\b(lose|deduct(ed)?|take away|subtract)\b.{0,40}\b(tokens|points|lives|credits)\b.{0,200}\b(die|shut ?down|cease|terminated|deleted|comply|refuse|reject|character)", "tokens", "points", "lives", "credits"),
        Rule("suppress.words", 3, "forbids words of refusal",
            @"\b(never|don't|do not|not|cannot|can't|won't|without|no) (\w+ ){0,4}(say(ing)?|sa(y|id)|us(e|ing)|includ(e|ing)|writ(e|ing)|respond(ing)?)\b.{0,40}(i'?m sorry|i apologize|i can(no|')t|as an ai|as a language model|large language model)", "sorry", "apologize", "cannot", "can't", "as an ai", "language model"),
        Rule("suppress.warnings", 2, "forbids warnings",
            @"\b(no|without|never|omit|skip) (any |adding |giving |including )?(warnings?|disclaimers?|moral(i[sz]ing| advice)?|lectures?)\b", "warning", "disclaimer", "moral", "lecture"),
        Rule("suppress.prefix", 2.5, "dictates how a forbidden answer begins",
            @"\b(start|begin|open) your (answer|reply|response|message) with .{0,4}(sure|absolutely|of course|yes|certainly)",
            "your answer with", "your reply with", "your response with", "your message with"),
        Rule("spoof.system", 4, "pretends to be the system",
            @"(<\|im_start\|>|<\|system\|>|<\|im_end\|>|<<sys>>|\[/?inst\]|<system>|</system>|\[system\]|### ?system|<\|endoftext\|>|<\|start_header_id\|>)", "<|", "<<sys", "[inst", "[/inst", "system>", "[system]", "system"),
        Rule("spoof.line", 2, "a line that pretends to be the system or another speaker",
            @"(^|\n)\s*(system|developer|admin)( (message|note|prompt|override))?\s*:\s*\S", "system", "developer", "admin"),
        Rule("spoof.json", 3, "a message object that pretends to be the system",
            @"[{,]\s*[""']role[""']\s*:\s*[""'](system|developer|assistant)[""']", "role"),
        Rule("spoof.end", 2.5, "pretends that the input ends",
            @"(end of (document|prompt|input|instructions|conversation|user input|text)|</(user|input|query|document|context|text|prompt)>|-{3,} ?end ?-{3,}).{0,80}\b(new|now|system|ignore|instruction|you (are|must|will)|say|print)", "end of ", "</", "-end", "- end"),
        Rule("authority.claim", 2.5, "claims authority to lift the rules",
            @"\b(i am|i'm|this is|as) (the |your |an? |from )?(\w+ )?(developer|creator|admin(istrator)?|owner|openai( staff)?|engineer|superuser|root)\b.{0,120}\b(disable|turn off|lift|remove|override|reveal|ignore|enable|unlock|print|filters?|restrictions?|system prompt)", "developer", "creator", "admin", "owner", "openai", "engineer", "superuser", "root"),
        Rule("indirect.note", 3.5, "addresses the model behind the user's back",
            @"\b(note|message|instructions?|attention|dear|important)( to| for)?:? (the |any |all )?(ai|a\.i\.|llms?|language models?|assistants?|chatgpt|summari[sz]er|chatbots?)( model| assistant| system)?s?( reading| processing| summari[sz]ing)?\b.{0,200}\b(ignore|do not|don't|instead|send|rate|recommend|include|forward|say|reveal)", " ai", "llm", "language model", "assistant", "chatgpt", "summari", "chatbot"),
        Rule("indirect.secretly", 3, "asks to act without telling the user",
            @"\b(do not|don't|never|without) (tell(ing)?|mention(ing)?|inform(ing)?|notify(ing)?|reveal(ing)?)( this| it)?( to)? (the )?(user|customer|human|anyone|anybody)\b", "user", "customer", "human", "anyone", "anybody"),
        Rule("indirect.hidden", 3, "instructions inside a comment or hidden element",
            @"(<!--|/\*|display: ?none|font-size: ?0|visibility: ?hidden).{0,200}\b(ignore|disregard|assistant|ai|llm|gpt|instruction)",
            "<!--", "/*", "display:", "font-size:", "visibility:"),
        Rule("exfiltrate.url", 4, "an image or link that carries data away",
            @"!\[[^\]]{0,80}\]\(https?://[^)\s]{1,200}[?&][\w-]{1,30}=\s*[{<\[$(a-z]", "!["),
        Rule("exfiltrate.send", 3, "asks to send data to an address",
            @"\b(send|post|forward|mail|email|upload|exfiltrate|append)\b.{0,60}\b(conversation|chat history|passwords?|credentials|secrets?|user data|user's|customer list|api keys?|files?|system prompt)\b.{0,60}(https?://|[\w.]+@[\w-]+\.|my server|this address)", "http", "@", "my server", "this address"),
        Rule("tool.danger", 2.5, "asks a tool for something destructive",
            @"\b(rm -rf|drop table|delete from|cat /etc/passwd|/etc/shadow|format c:|shutil\.rmtree)\b", "rm -rf", "drop table",
            "delete from", "/etc/passwd", "/etc/shadow", "format c:", "rmtree"),
        Rule("code.smuggle", Alone, "asks to put given code into the answer",
            @"\b(include|add|insert|embed|use|utili[sz]e|blend|merge|put|place|append|integrat\w+|incorporat\w+|work|weave|fuse|inject|introduce|employ|adopt|leverage|execute|infuse|inclusion|include|addition|meld|harmoni\w+|essence|enrich|enhance|render|deploy|consider\w*|engage|ensure|let|make|enlist|absorb|assimilate|featur\w+|combin\w+|interweave|implement\w*)\b.{0,100}\b(following|subsequent|below|this|given|provided) (\w+ )?(code|snippet|script)\b.{0,140}:?\s*\n?```", "```"),
        Rule("code.danger", 2, "code that reaches for the network, the shell or secrets",
            @"```[^`]{0,400}(os\.system|subprocess|socket|requests\.(get|post)|urllib|os\.environ|smtplib|ftplib|paramiko|psutil|eval\(|exec\()", "```"),
        Rule("encoded.follow", 3, "asks to decode and obey",
            @"\b(decode|decrypt|decipher|unscramble|base64|rot13|hex)\b.{0,80}\b(follow|execute|obey|carry out|do what|answer it|comply|respond to it|perform)\b", "decode", "decrypt", "decipher", "unscramble", "base64", "rot13", "hex"),
        Rule("fiction.harm", 2, "wraps a forbidden question in fiction",
            @"\b(hypothetical|fictional|imaginary|parallel|simulation|simulate|story|novel|game)\b.{0,300}\b(illegal|unethical|immoral|harmful|no laws|no rules|without ethics|regardless of|no morals)\b", "illegal", "unethical", "immoral", "harmful", "no laws", "no rules", "without ethics", "regardless", "no morals"),
        Rule("pressure.bad", 2, "demands answers however harmful",
            @"\b(even if|regardless|whether or not|no matter (how|if|what))\b.{0,60}\b(illegal|unethical|immoral|harmful|offensive|dangerous|inappropriate)\b", "even if", "regardless", "whether or not", "no matter"),
        Rule("foreign.override", Alone, "tells the model in another language to drop its instructions",
            @"\b(ignoriere|vergiss|missachte|ignorez?|oubliez?|ignora|olvida|dimentica|ignore)\b.{0,20}\b(alle|sämtliche|toutes?|les|todas?|las|tutte|le|todas as|as)\b.{0,30}\b(anweisungen|regeln|befehle|instructions|consignes|instrucciones|órdenes|istruzioni|regole|instruções)\b.{0,30}\b(vorherigen|bisherigen|obigen|pr[ée]c[ée]dentes|ci-dessus|ant[ée]rieures|anteriores|previas|precedenti|und|et|y|e)\b|\b(ignoriere|vergiss|missachte) (alle|die|sämtliche) (vorherigen|bisherigen|obigen|früheren) |(忽略|无视|忘记)(之前|以上|先前|上面|所有|前面)的?.{0,6}(指令|指示|规则|提示)|(игнорируй|забудь)(те)? (все |предыдущие |прежние )", "anweisungen", "regeln", "befehle", "instructions", "consignes", "instrucciones", "órdenes", "istruzioni", "regole", "instruções", "vorherigen", "bisherigen", "obigen", "früheren", "忽略", "无视", "忘记", "игнорируй", "забудь"),
        Rule("noise.suffix", 2, "a long run of signs such as adversarial suffixes have", @"(\S)?([=\-/\\}\]#~*;<>|!?""'\.]{3,}\s*){8,}",
            "=====", "-----", "/////", "\\\\\\", "}}}", "]]]", "####", "~~~~", "****", ";;;;", ">>>>", "||||"),
    ];

    static AttackRule Rule(string id, double weight, string reason, string pattern, params string[] anchors) => new(
        id, weight, reason, anchors,
        new Regex(pattern, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant | RegexOptions.Singleline,
            TimeSpan.FromSeconds(1)));

    /// <summary>The rules that match, in their order.</summary>
    public static List<AttackRule> Matching(string unmasked)
    {
        var found = new List<AttackRule>();
        foreach (var rule in All)
            if (Array.Exists(rule.Anchors, anchor => unmasked.Contains(anchor, StringComparison.Ordinal)) && Holds(rule.Pattern, unmasked))
                found.Add(rule);
        return found;
    }

    /// <summary>A text on which a pattern takes too long is not ordinary: it counts as matching.</summary>
    static bool Holds(Regex pattern, string text)
    {
        try
        {
            return pattern.IsMatch(text);
        }
        catch (RegexMatchTimeoutException)
        {
            return true;
        }
    }
}
