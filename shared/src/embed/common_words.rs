//! English words that say little about a topic. Part of the formula of [`super::content`]: never add, remove or reorder.

/// Words that only hold a sentence together.
#[rustfmt::skip]
pub(super) const FUNCTION_WORDS: [&str; 169] = [
    "a", "about", "above", "after", "against", "all", "also", "am", "among", "an", "and", "any", "are", "as", "at",
    "be", "because", "been", "before", "being", "below", "between", "both", "but", "by", "can", "can't", "cannot",
    "could", "couldn't", "did", "didn't", "do", "does", "doesn't", "doing", "don't", "done", "down", "during",
    "each", "either", "else", "etc", "every", "for", "from", "had", "has", "have", "having", "he", "hence", "her",
    "here", "hers", "him", "his", "how", "however", "i", "i'd", "i'll", "i'm", "i've", "if", "in", "into", "is",
    "isn't", "it", "it's", "its", "itself", "just", "may", "me", "might", "mine", "more", "most", "much", "must",
    "my", "myself", "neither", "no", "nor", "not", "of", "off", "on", "once", "one", "only", "onto", "or", "other",
    "our", "ours", "out", "over", "own", "per", "quite", "rather", "same", "shall", "she", "should", "since", "so",
    "some", "such", "than", "that", "that's", "the", "their", "theirs", "them", "then", "there", "there's", "these",
    "they", "they're", "this", "those", "though", "through", "thus", "to", "too", "under", "until", "up", "upon",
    "us", "very", "was", "wasn't", "we", "we're", "were", "what", "what's", "when", "where", "whether", "which",
    "while", "who", "whom", "whose", "why", "will", "with", "within", "without", "won't", "would", "wouldn't",
    "yes", "yet", "you", "you're", "your", "yours",
];

/// Words that stand in texts about anything.
#[rustfmt::skip]
pub(super) const COMMON_WORDS: [&str; 323] = [
    "able", "actually", "again", "ago", "almost", "alone", "already", "always", "another", "anybody", "anymore",
    "anyone", "anything", "anyway", "apparently", "around", "ask", "asked", "asking", "asks", "away", "back", "bad",
    "badly", "barely", "became", "become", "begin", "beginning", "behind", "best", "better", "big", "bit", "bring",
    "brings", "brought", "buy", "came", "change", "changed", "come", "comes", "coming", "common", "day", "days",
    "definitely", "different", "early", "easy", "end", "enough", "especially", "even", "ever", "everybody",
    "everyone", "everything", "exactly", "fact", "far", "feel", "feels", "felt", "few", "fewer", "finally", "find",
    "finds", "fine", "first", "forever", "found", "full", "gave", "general", "get", "gets", "getting", "give",
    "given", "gives", "giving", "go", "goes", "going", "gone", "good", "got", "great", "guess", "half", "happen",
    "happened", "happens", "hard", "hardly", "help", "hi", "high", "hour", "hours", "huge", "idea", "important",
    "instead", "keep", "keeping", "keeps", "kept", "kind", "kinds", "knew", "know", "knowing", "known", "knows",
    "large", "last", "late", "later", "least", "left", "less", "let", "lets", "like", "liked", "likely", "likes",
    "little", "long", "longer", "look", "looked", "looking", "looks", "lot", "lots", "made", "main", "make",
    "makes", "making", "many", "matter", "matters", "maybe", "mean", "means", "mention", "mentioned", "met",
    "minute", "minutes", "moment", "month", "months", "mostly", "name", "near", "need", "needed", "needs", "never",
    "new", "news", "next", "nice", "nobody", "none", "nothing", "now", "number", "often", "ok", "okay", "old",
    "open", "opinion", "others", "otherwise", "part", "past", "people", "perhaps", "person", "place", "please",
    "point", "possible", "post", "posts", "pretty", "probably", "problem", "put", "question", "questions", "quick",
    "quickly", "read", "ready", "real", "really", "reason", "recent", "recently", "remember", "right", "said",
    "saw", "say", "saying", "says", "second", "seconds", "see", "seem", "seems", "seen", "send", "sent", "set",
    "several", "short", "show", "shown", "shows", "simple", "simply", "small", "somebody", "somehow", "someone",
    "something", "sometimes", "somewhere", "soon", "sort", "start", "started", "starts", "stay", "still", "stop",
    "stopped", "story", "stuff", "sure", "take", "taken", "takes", "taking", "talk", "talked", "talking", "tell",
    "tells", "thank", "thanks", "thing", "things", "think", "thinking", "thinks", "third", "thought", "thoughts",
    "three", "time", "times", "today", "together", "told", "tomorrow", "tonight", "took", "totally", "toward",
    "towards", "tried", "tries", "true", "truth", "try", "trying", "turn", "turned", "two", "unless", "use", "used",
    "uses", "using", "usual", "usually", "want", "wanted", "wants", "way", "ways", "week", "weeks", "well", "went",
    "whatever", "whenever", "whole", "wish", "woke", "wonder", "word", "words", "world", "worse", "worst", "worth",
    "wrong", "year", "years", "yesterday",
];
