// Search, by the rules of `Catalogue.search` in Python (analysis/search.py).
//
// What the other files may use:
//   new Search(system)                once; `system` is a System of dictionary-data.js
//   *growing()                        makes the index; to be run before any search
//   *variables(query, allowed)        rows of variables, the best first; `allowed` has 1 for each
//                                     row that the filters let through
//   *codesOf(query, allowed)          rows of codes, the best first; after `variables`, same query
//   *within(variable, query)          rows of one variable's codes that were found, the best first
//   .tables, .folders                 numbers of tables and folders, the best first; set by
//                                     `variables`, and not narrowed by the filters
//   .asked, .had                      set by `variables` and `within`: how many words were asked
//                                     for, and how many of them the results have. If `had` is
//                                     less, no result has all words, and these have the most:
//                                     say so
//   .nearest                          set by `variables`: a Map from each word that fits nothing
//                                     to the nearest words there are, maybe none
//   wordsOf(query), folded(text)      the words to mark, and texts as they are compared
//   inSteps(steps, isOver), pause()   run a generator, with pauses for the browser
// Each generator takes a step of a few milliseconds at a time: run it with `inSteps`.

const MOST_WORDS = 12;
const PIECE = 1 << 19; // characters searched before the page may answer something else
// What is known of a line beside the bits of words.
const [AT_START, BEGINS, IS] = [1 << 28, 1 << 29, 1 << 30];

// As texts are compared: without case and accents.
function folded(text) {
  const lower = text.toLowerCase();
  if (!/[^\0-\x7f]/.test(lower)) return lower;
  return lower.normalize("NFKD").replace(/\p{M}+/gu, "").replace(/ß/g, "ss");
}

const wordsOf = (text) => folded(text).split(/\s+/).filter(Boolean).slice(0, MOST_WORDS);
const escaped = (text) => text.replaceAll("\\", "\\\\");

function isInside(code) {
  return (code > 47 && code < 58) || (code > 96 && code < 123) || code > 127;
}

// A column to search in, cut into pieces that each take a few milliseconds.
class Index {
  constructor(column) {
    this.column = column;
    this.pieces = [];
    this.end = 0; // characters taken in
    this.row = 0;
  }

  // One more piece; whether there was one.
  grow() {
    const { text, count } = this.column;
    if (this.row >= count) return false;
    const end = text.indexOf("\n", this.end + PIECE);
    const part = withoutNulls(folded(text.slice(this.end, end < 0 ? text.length : end)));
    const lines = end < 0 ? count - this.row : countOf(part, "\n") + 1;
    this.pieces.push({ text: part, first: this.row, starts: startsOf(part, lines), letters: lettersOf(part, lines) });
    this.end = end + 1;
    this.row += lines;
    return true;
  }
}

const withoutNulls = (text) => (text.includes(NULL) ? text.replace(/^\\0$/gm, "") : text);

// Nearly every line holds each letter: a search for one would stop at all of them. So it is kept
// by bits which letters and figures a line holds, and which of them words begin with.
function lettersOf(text, lines) {
  const [letter, figure, firstLetter, firstFigure] = Array.from({ length: 4 }, () => new Uint32Array(lines));
  for (let at = 0, row = 0, before = 10; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code > 96 && code < 123) {
      letter[row] |= 1 << (code - 97);
      if (!isInside(before)) firstLetter[row] |= 1 << (code - 97);
    } else if (code > 47 && code < 58) {
      figure[row] |= 1 << (code - 48);
      if (!isInside(before)) firstFigure[row] |= 1 << (code - 48);
    } else if (code === 10) row++;
    before = code;
  }
  return { held: [letter, figure], begun: [firstLetter, firstFigure] };
}

function countOf(text, letter) {
  let count = 0;
  for (let at = text.indexOf(letter); at >= 0; at = text.indexOf(letter, at + 1)) count++;
  return count;
}

// Set the bit of a word for each line that holds it, another where a word begins with it, and
// one where the line does.
function mark(piece, word, bit, masks) {
  if (/^[a-z0-9]$/.test(word)) return markLetter(piece, word, bit, masks);
  const { text, first, starts } = piece;
  const both = bit | (bit << MOST_WORDS), top = both | AT_START;
  for (let at = text.indexOf(word), row = 0; at >= 0; ) {
    while (starts[row + 1] <= at) row++;
    const isAtStart = at === starts[row];
    if (isAtStart || !isInside(text.charCodeAt(at - 1))) {
      masks[first + row] |= isAtStart ? top : both;
      at = text.indexOf(word, starts[row + 1]);
    } else {
      masks[first + row] |= bit;
      at = text.indexOf(word, at + 1);
    }
  }
}

// The same for a single letter or figure.
function markLetter({ text, first, starts, letters }, word, bit, masks) {
  const code = word.charCodeAt(0), isFigure = code < 58;
  const wanted = 1 << (code - (isFigure ? 48 : 97));
  const held = letters.held[Number(isFigure)], begun = letters.begun[Number(isFigure)];
  for (let row = 0; row < held.length; row++) {
    if (!(held[row] & wanted)) continue;
    masks[first + row] |= bit;
    if (!(begun[row] & wanted)) continue;
    masks[first + row] |= bit << MOST_WORDS;
    if (text.charCodeAt(starts[row]) === code) masks[first + row] |= AT_START;
  }
}

// Lines that begin with the whole query, and those that are it.
function markWhole({ text, first, starts }, query, masks) {
  const lines = starts.length - 1;
  for (let row = 0; row < lines; row++) {
    if (masks[first + row] & AT_START && text.startsWith(query, starts[row])) {
      masks[first + row] |= starts[row + 1] - starts[row] - 1 === query.length ? BEGINS | IS : BEGINS;
    }
  }
}

// From 0, the whole text, to 4, found elsewhere; -1 where a word is missing.
function scoreOf(mask, elsewhere, all) {
  if (((mask | elsewhere) & all) !== all) return -1;
  if (mask & IS) return 0;
  if (mask & BEGINS) return 1;
  if ((mask >> MOST_WORDS & all) === all) return 2;
  return (mask & all) === all ? 3 : 4;
}

// Rows by their score, in their own order within each.
function ranked(count, score) {
  const scores = new Int8Array(count);
  const next = new Uint32Array(6);
  for (let row = 0; row < count; row++) {
    scores[row] = score(row);
    if (scores[row] >= 0) next[scores[row] + 1]++;
  }
  for (let at = 1; at < 6; at++) next[at] += next[at - 1];
  const rows = new Uint32Array(next[5]);
  for (let row = 0; row < count; row++) if (scores[row] >= 0) rows[next[scores[row]]++] = row;
  return rows;
}

class Search {
  constructor(system) {
    this.system = system;
    const of = (...names) => names.filter((n) => system.columns[n]).map((n) => new Index(system.columns[n]));
    this.main = of("variable.name", "variable.description");
    this.notes = of("variable.notes");
    this.codes = of("code.code", "code.description");
    this.found = new Uint32Array(system.head.variables);
    this.elsewhere = new Uint32Array(system.head.variables);
    this.foundCodes = new Uint32Array(system.head.codes);
    [this.tables, this.folders, this.nearest] = [[], [], new Map()];
    this.asked = this.had = 0;
  }

  *growing() {
    for (const index of [...this.main, ...this.notes, ...this.codes]) while (index.grow()) yield;
  }

  *marking(indexes, query, masks) {
    const whole = escaped(folded(query.trim()));
    masks.fill(0);
    for (const { pieces } of indexes) {
      for (const piece of pieces) {
        wordsOf(query).forEach((word, number) => mark(piece, escaped(word), 1 << number, masks));
        markWhole(piece, whole, masks);
        yield;
      }
    }
  }

  // Places of variables that hold all words; those of the filters alone. It takes a step at
  // a time, as do all searches.
  *variables(query, allowed) {
    const { system, found, elsewhere } = this;
    const words = wordsOf(query), all = (1 << words.length) - 1;
    if (!words.length) return ranked(found.length, (row) => (allowed[row] ? 0 : -1));
    yield* this.marking(this.main, query, found);
    yield* this.marking(this.notes, query, elsewhere);
    const maskOf = (text) => words.reduce((m, word, n) => (folded(text).includes(word) ? m | (1 << n) : m), 0);
    const ofTable = system.head.tables.map((t) => maskOf(`${t.name} ${t.singular} ${t.plural}`));
    const ofKind = system.head.kinds.map(maskOf);
    for (let row = 0; row < found.length; row++) {
      elsewhere[row] |= ofTable[system.table[row]] | ofKind[system.kind[row]];
    }
    const ofFolder = [];
    system.head.folders.forEach(({ name, parent }, number) => {
      ofFolder[number] = maskOf(name) | (parent === null ? 0 : ofFolder[parent]);
      if (ofFolder[number]) for (const row of system.members[number]) elsewhere[row] |= ofFolder[number];
    });
    return ranked(found.length, (row) => (allowed[row] ? scoreOf(found[row], elsewhere[row], all) : -1));
  }

  // The same of codes; a word may stand in what the variable is found by. To be run after
  // `variables`, step by step.
  *codesOf(query, allowed) {
    const { system, found, elsewhere, foundCodes: masks } = this;
    const words = wordsOf(query), all = (1 << words.length) - 1;
    if (!words.length) return [];
    yield* this.marking(this.codes, query, masks);
    return ranked(masks.length, (row) => {
      const variable = system.variableOf[row];
      if (!masks[row] || !allowed[variable]) return -1;
      return scoreOf(masks[row], found[variable] | elsewhere[variable], all);
    });
  }

  *within(variable, query) {
    const { firstCode, columns } = this.system, words = wordsOf(query), rows = [];
    for (let row = firstCode[variable]; row < firstCode[variable + 1]; row++) {
      const text = folded(`${columns["code.code"].at(row)} ${columns["code.description"].at(row)}`);
      if (words.every((word) => text.includes(word))) rows.push(row);
      if (row % 1000 === 0) yield;
    }
    return rows;
  }
}

const pause = () => globalThis.scheduler?.yield?.() ?? new Promise((done) => setTimeout(done));

// What a generator returns; after some milliseconds the browser may do something else.
async function inSteps(steps, isOver = () => false) {
  let since = performance.now(), step = steps.next();
  for (; !step.done; step = steps.next()) {
    if (performance.now() - since < 10) continue;
    await pause();
    if (isOver()) return;
    since = performance.now();
  }
  return step.value;
}
