/**
 * Words and phrases that the repository does not use, each with what to say instead. Matching ignores case unless a
 * pattern says otherwise; `npm run lint` reports each with its file and line.
 *
 * @type {readonly (readonly [pattern: RegExp, better: string])[]}
 */
export const PLAIN_WORDS = [
  // Dialect: correct English that nobody says.
  [/\banew\b/i, "again, or: from scratch"],
  [/\b(would|will|could) else\b/i, "would otherwise"],
  [/\bfor ever\b/i, "forever"],
  [/\bafresh\b/i, "again"],
  [
    /\bof HubSpot's(?=[.,;:)"'`]|$| (?:a|and|are|at|can|does|has|is|may|on|or|than|that|to|until|was|which)\b)/i,
    "HubSpot's …, or: from HubSpot",
  ],
  [
    /(?<!\b(?:ahead|one|each|any|none|some|all|two|many|independent|those) )\bof (?:ours|theirs)\b/i,
    "our …, their …",
  ],
  [
    /\b(?:thereof|therein|whence|lest|ere|nought|hitherto|henceforth|whilst|amongst|unto)\b/i,
    "a plain word: of it, from where, so that not, before, nothing, while",
  ],
  [/\bshall\b/i, "must, or: will"],
  [/\bas (?:many|few|much|large|long) as there (?:may|can) be\b/i, "the maximum"],
  [/\bis let go\b|\bare let go\b|\bwas let go\b/i, "is released, or: is not enrolled"],
  [/\bnothing there to do it to\b/i, "nothing matches"],
  [/\ball the same\b/i, "anyway, or: still"],
  [/(?<![-\w])amid\b(?!-)/i, "during, or: in the middle of"],
  [/\bby and by\b/i, "gradually, or: over time"],
  [/\bforth and back\b/i, "back and forth"],
  [
    /\b(?:tells?|told) of (?:it|both|nothing|uninstalls?|a merge|an? \w+s?)\b/i,
    "reports, shows, or: says something about",
  ],
  [/\blooked at no more\b|\bin all(?=[.,;:]| and\b)/i, "no longer looked at; in total"],
  [/\bso many\b(?! that)/i, "this many, or: that many"],
  [/\bby the word of\b/i, "as … says"],
  [/\bas in life\b/i, "as in production"],
  [/\bone a line\b/i, "one per line"],
  [/\bso many an? \w+\b/i, "up to this many per …"],
  [
    /\bmaximum of (?:rows|contacts|requests|senders|readers|executions|portals)\b/i,
    "the most rows, contacts, …",
  ],
  // American spelling.
  [/\be-mail/i, "email"],
  [
    /\b(?:behaviou?rs?(?<=behaviour|behaviours)|colour\w*|favour\w*|honour\w*|neighbour\w*|rumour\w*)\b/i,
    "-or, not -our",
  ],
  [
    /\b(?:recogni|normali|organi|authori|initiali|seriali|summari|minimi|maximi|optimi|prioriti|synchroni|categori|customi|finali|generali|utili|visuali)s(?:e|ed|es|er|ing|ation|ations)\b/i,
    "-ize, not -ise",
  ],
  [/\banalys(?:e|ed|ing)\b/i, "analyze"],
  [
    /\bany more(?=[.,;:)"'`]|$| (?:and|because|by|for|if|once|since|that|to|until|when|while)\b)/i,
    "anymore, or: no longer",
  ],
  [/\b(?:after|to)wards\b/i, "afterward, toward"],
  [/\bhalf-way\b/i, "halfway"],
  [
    /\b(?:[Cc]ancell(?:ed|ing)|labell(?:ed|ing)(?!by)|modell(?:ed|ing)|travell(?:ed|ing)|signall(?:ed|ing))\b/,
    "one l: canceled, labeled",
  ],
  [/\b(?:learnt|spoilt|spelt|misspelt|burnt|dreamt)\b/i, "learned, damaged, spelled"],
  [/\b(?:centre|metre|litre|theatre|fibre)s?\b/i, "center, meter"],
  [
    /\b(?:licence|defence|offence|catalogue|programme|grey|cheque|artefact)s?\b/i,
    "license, defense, catalog, program, gray, artifact",
  ],
  [/\b(?:look-up|call-back|set-up|time-out)s?\b/i, "one word: lookup, callback, setup, timeout"],
  [/\d %(?= (?:of|are|is|more|less|and|to|in|at|or|each)\b|[.,;:)])/i, "no space before %"],
  // Metaphors that hid what a name holds.
  [/\bstandstill\b/i, "stopped, or: cannot work"],
  [
    /\b(?:waiting-room|doubt-everything|browser-trip|fault-news|trouble-news|asked-contact)\b/i,
    "the file was renamed after what is in it",
  ],
  [/\b(?:sender ?books|portal ?tale|told of again)\b/i, "what it holds"],
];
