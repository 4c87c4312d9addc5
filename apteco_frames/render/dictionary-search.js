// Search, by the rules of `Catalogue.search` in Python (analysis/words.py, query.py, search.py).
//
// What the other files may use:
//   new Search(system)                once; `system` is a System of dictionary-data.js
//   *growing()                        makes the index; to be run before any search
//   *variables(query, allowed)        rows of variables, the best first; `allowed` has 1 for each
//                                     row that the filters let through
//   *codesOf(query, allowed)          rows of codes, the best first; after `variables`, same query
//   *within(variable, query)          rows of one variable's codes that were found, the best first
//   .tables, .folders                 numbers of tables and folders, the best first; set by
//                                     `variables`, and none where filters leave variables out
//   .asked, .had                      set by `variables` and `within`: how many words were asked
//                                     for, and how many of them the results have. If `had` is
//                                     less, no result has all words, and these have the most:
//                                     say so
//   .nearest                          set by `variables`: a Map from each word that fits nothing
//                                     to the nearest words there are, maybe none
//   .marked                           set by `variables` and `within`: the words to mark in
//                                     results, also those that are synonyms or misspelled
//   wordsOf(query), folded(text)      the words of a query, and texts as they are compared
//   inSteps(steps, isOver), pause()   run a generator, with pauses for the browser
// Each generator takes a step of a few milliseconds at a time: run it with `inSteps`.
// Results are of variables, codes, tables and folders together: where only a folder has all
// words, there are no variables.

const MOST_WORDS = 12, MOST_JOINED = 3, MOST_SMALL = 3, MOST_NEAREST = 3, MOST_MARKED = 50;
const LEAST_LIKENESS = 0.59;
const STEP = 1 << 14; // texts and words looked at before the page may answer something else
const [INSIDE, , , START, OTHERWISE, EXACT] = [1, 2, 3, 4, 5, 6];
const [CODE, AROUND, NOTES, OWN] = [0, 1, 2, 3];
const NOUNS = ["table", "variable", "folder", "code"];

// What the package's rules name, and texts as words.
class Language {
  constructor({ small, letters, dropped, unspaced, spelled, synonyms }) {
    const classOf = (texts) => new RegExp(`[${Object.keys(texts).join("")}]`, "gu");
    this.small = new Set(small);
    [this.letters, this.spellings, this.synonyms] = [letters, spelled, synonyms];
    [this.hasLetters, this.hasSpellings] = [classOf(letters), classOf(spelled)];
    this.dropped = new RegExp(`[${dropped}\\p{Cf}]`, "gu");
    this.unspaced = new RegExp(`[${unspaced}]`, "u");
  }

  isUnspaced(word) {
    return this.unspaced.test(word);
  }

  isSmall(word) {
    return this.small.has(word) || /^\p{So}/u.test(word);
  }

  // A text as it is compared.
  folded(text) {
    const lower = text.normalize("NFKD").toLowerCase();
    if (isAscii(lower)) return lower;
    return lower.replace(this.dropped, "").replace(this.hasLetters, (l) => this.letters[l]).replace(/\p{Nd}/gu, digit);
  }

  words(text) {
    if (isAscii(text)) return text.toLowerCase().match(/[a-z0-9]+/g) ?? [];
    return this.folded(text).match(/[\p{L}\p{M}\p{N}]+|\p{So}/gu) ?? [];
  }

  // The same with two letters for each that some keyboards lack; none if there is no such letter.
  spelled(text) {
    if (isAscii(text)) return [];
    const lower = text.normalize("NFC").toLowerCase();
    const written = lower.replace(this.hasSpellings, (letter) => this.spellings[letter]);
    return written === lower ? [] : this.words(written);
  }

  // What a query asks for: words, and the ways in which a text may have them.
  asked(query) {
    const sequence = this.words(query.replace(/(?<=[0-9])[,.'’\u00a0\u202f](?=[0-9]{3}(?![0-9]))/g, ""));
    const distinct = [...new Set(sequence)];
    let words = distinct.filter((word) => !this.isSmall(word));
    if (!words.length) words = distinct;
    words = words.slice(0, MOST_WORDS);
    const numbers = new Map(words.map((word, n) => [word, n]));
    const covered = (span) => [...new Set(span.filter((w) => numbers.has(w)).map((w) => numbers.get(w)))];
    const ways = [];
    const add = (covers, parts, isOwn = false) => covers.length && ways.push({ covers, parts, isOwn });
    words.forEach((word, n) => add([n], [word], true));
    for (let several = 2; several <= MOST_JOINED; several++) {
      for (let at = 0; at + several <= sequence.length; at++) {
        const span = sequence.slice(at, at + several);
        add(covered(span), [span.join("")]);
      }
    }
    words.forEach((word, n) => {
      if (/^[0-9]+$/.test(word)) {
        const thousands = word.match(/\d{1,3}(?=(?:\d{3})*$)/g);
        if (thousands.length > 1) add([n], thousands);
      } else for (let at = 1; at < word.length; at++) {
        add([n], [word.slice(0, at), word.slice(at)]);
      }
    });
    const spelled = this.spelled(query);
    if (spelled.length === sequence.length) sequence.forEach((word, at) => word !== spelled[at] && add(covered([word]), [spelled[at]]));
    for (const group of this.synonyms) {
      for (const phrase of group) {
        for (let at = 0; at + phrase.length <= sequence.length; at++) {
          const span = sequence.slice(at, at + phrase.length);
          if (span.some((word, n) => word !== phrase[n])) continue;
          for (const other of group) if (other !== phrase) add(covered(span), other);
        }
      }
    }
    const small = distinct.filter((word) => this.isSmall(word) && !numbers.has(word));
    return { words, small, ways, isSmall: words.every((word) => this.isSmall(word)) };
  }
}

const isAscii = (text) => !/[^\0-\x7f]/.test(text);
const isNumber = (word) => /^[0-9]+$/.test(word);

// The digit that a decimal digit of any script is: they come in tens.
function digit(character) {
  let value = 0;
  for (let code = character.codePointAt(0); value < 9 && /\p{Nd}/u.test(String.fromCodePoint(code - 1 - value)); ) value++;
  return String(value);
}

const apart = (name) => name.replace(/([a-z0-9])([A-Z])/g, "$1 $2").replace(/([A-Z])([A-Z][a-z])/g, "$1 $2");

// Symbols of a text; words are one word, whichever: a text has more than its symbols then.
const symbolsOf = (text) => text.replace(/[\p{L}\p{N}\p{M}]+/gu, "a").replace(/[\p{Z}\p{Cc}\p{Cf}]+/gu, " ").match(/\S/gu) ?? [];

function mostErrors(word) {
  if (word.length <= 4 || /[0-9]/.test(word)) return 0;
  return word.length <= 8 ? 1 : 2;
}

// Letters too many, missing or wrong, and neighbours swapped, up to `most` of them.
function errorsIn(one, other, most) {
  if (Math.abs(one.length - other.length) > most) return most + 1;
  let before = [], last = Array.from({ length: other.length + 1 }, (_, n) => n);
  for (let i = 1; i <= one.length; i++) {
    const row = [i];
    let least = i;
    for (let j = 1; j <= other.length; j++) {
      const isSame = one[i - 1] === other[j - 1];
      let cost = Math.min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (isSame ? 0 : 1));
      if (i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1]) cost = Math.min(cost, before[j - 2] + 1);
      row[j] = cost;
      least = Math.min(least, cost);
    }
    if (least > most) return most + 1;
    [before, last] = [last, row];
  }
  return last[other.length];
}

// Which letters a word has, by a bit for each; an error changes two at most.
function lettersOf(word) {
  let letters = 0;
  for (let at = 0; at < word.length; at++) letters |= 1 << word.charCodeAt(at) % 32;
  return letters;
}

function countOf(bits) {
  let count = 0;
  for (; bits; bits &= bits - 1) count++;
  return count;
}

// Numbers of which nobody knows how many will come.
class Numbers {
  constructor() {
    this.values = new Uint32Array(1 << 12);
    this.length = 0;
  }

  push(value) {
    if (this.length === this.values.length) {
      const values = new Uint32Array(2 * this.length);
      values.set(this.values);
      this.values = values;
    }
    this.values[this.length++] = value;
  }
}

// The distinct words of texts, and the texts that each stands in.
class Index {
  constructor() {
    this.numbers = new Map();
    this.words = [];
    [this.rowOf, this.placeOf, this.lengthOf] = [new Numbers(), new Numbers(), new Numbers()];
    [this.pairWords, this.pairTexts] = [new Numbers(), new Numbers()];
  }

  // A text of a row, as words.
  add(row, place, words) {
    const text = this.rowOf.length;
    this.rowOf.push(row);
    this.placeOf.push(place);
    this.lengthOf.push(words.length);
    for (const word of words) {
      let number = this.numbers.get(word);
      if (number === undefined) this.numbers.set(word, (number = this.words.push(word) - 1));
      this.pairWords.push(number);
      this.pairTexts.push(text);
    }
  }

  *finish(isSmall) {
    const { words, pairWords, pairTexts } = this, length = words.length;
    const first = (this.first = new Uint32Array(length + 1));
    for (let at = 0; at < pairWords.length; at++) first[pairWords.values[at] + 1]++;
    for (let word = 0; word < length; word++) first[word + 1] += first[word];
    yield;
    const next = first.slice();
    this.texts = new Uint32Array(pairWords.length);
    for (let at = 0; at < pairWords.length; at++) this.texts[next[pairWords.values[at]]++] = pairTexts.values[at];
    this.pairWords = this.pairTexts = undefined;
    yield;
    this.isSmall = Uint8Array.from(words, (word) => (isSmall(word) ? 1 : 0));
    this.isNumber = Uint8Array.from(words, (word) => (isNumber(word) ? 1 : 0));
    this.letters = Uint32Array.from(words, lettersOf);
    yield;
    // How many words a text has that are not small; of small words alone, all of them.
    const content = (this.contentOf = this.lengthOf.values.slice());
    this.isSmall.forEach((small, word) => small && this.eachText(word, (text) => content[text]--));
    content.forEach((number, text) => number || (content[text] = this.lengthOf.values[text]));
    yield;
    this.all = `\n${words.join("\n")}\n`;
    this.starts = new Uint32Array(length + 1);
    for (let word = 0, at = 1; word <= length; at += (words[word++]?.length ?? 0) + 1) this.starts[word] = at;
  }

  eachText(word, visit) {
    for (let at = this.first[word]; at < this.first[word + 1]; at++) visit(this.texts[at]);
  }

  // Words that hold something, at their start or anywhere.
  eachHolding(text, isAnywhere, visit) {
    const { all, starts } = this, wanted = isAnywhere ? text : `\n${text}`, skip = isAnywhere ? 0 : 1;
    let word = 0;
    for (let at = all.indexOf(wanted); at >= 0; at = all.indexOf(wanted, starts[word + 1] - skip)) {
      while (starts[word + 1] <= at + skip) word++;
      visit(word, at + skip === starts[word]);
    }
  }

  // How words fit one that was asked for, told to `visit`, each maybe several times.
  *fitting(asked, isOwn, isUnspaced, visit) {
    const { words, isSmall, letters } = this, self = this.numbers.get(asked);
    if (self !== undefined) visit(self, EXACT);
    const isAnywhere = isOwn && (asked.length >= 3 || isUnspaced);
    this.eachHolding(asked, isAnywhere, (word, isStart) => {
      if (word === self || isSmall[word]) return;
      if (isStart) visit(word, START);
      else if (!this.isNumber[word]) visit(word, INSIDE);
    });
    const most = isOwn ? mostErrors(asked) : 0;
    if (most) yield* this.alike(asked, most, (word) => most, (word, errors) => visit(word, START - errors));
  }

  // Words with few errors in them, told to `visit` with their number.
  *alike(asked, difference, mostOf, visit) {
    const { words, letters } = this, own = lettersOf(asked);
    for (let word = 0; word < words.length; word++) {
      if (word % STEP === 0) yield;
      if (this.isNumber[word] || this.isSmall[word]) continue;
      const other = words[word];
      if (Math.abs(other.length - asked.length) > difference) continue;
      const most = mostOf(other);
      if (countOf(letters[word] ^ own) > 2 * most) continue;
      const errors = errorsIn(asked, other, most);
      if (errors && errors <= most) visit(word, errors);
    }
  }

  // The words most like one that fits nothing, if they are alike enough.
  *nearest(asked) {
    const found = [];
    const longest = (other) => Math.max(asked.length, other.length);
    const mostOf = (other) => Math.floor((1 - LEAST_LIKENESS) * longest(other) + 1e-9);
    yield* this.alike(asked, 3, mostOf, (word, errors) => found.push([1 - errors / longest(this.words[word]), this.words[word]]));
    // Of words that are equally alike, the shorter come first.
    found.sort((a, b) => b[0] - a[0] || a[1].length - b[1].length);
    return found.slice(0, MOST_NEAREST).map(([, word]) => word);
  }
}

// What was found of a query in an index, row by row.
class Found {
  constructor(index, query, rows) {
    [this.index, this.query] = [index, query];
    const of = (size) => query.words.map(() => new Uint8Array(size));
    const texts = index.rowOf.length;
    [this.byWord, this.byText, this.byRow] = [of(index.words.length), of(texts), of(rows)];
    [this.matched, this.unfit, this.isTogether] = [new Uint16Array(texts), new Uint8Array(texts), new Uint8Array(texts)];
    this.seen = new Uint8Array(texts);
    [this.touched, this.chosen, this.ofParts] = [new Numbers(), new Numbers(), new Set()];
    [this.isChosen, this.has, this.hit] = [new Uint8Array(index.words.length), query.words.map(() => false), new Uint8Array(rows)];
  }

  *run(language) {
    const { index, query, chosen } = this;
    for (const { covers, parts, isOwn } of query.ways) {
      if (parts.length > 1) this.together(covers, parts, language);
      else {
        yield* index.fitting(parts[0], isOwn, language.isUnspaced(parts[0]), (word, fit) => {
          const how = isOwn ? fit : Math.min(fit, OTHERWISE);
          this.choose(word);
          for (const n of covers) {
            this.has[n] = true;
            if (how > this.byWord[n][word]) this.byWord[n][word] = how;
          }
        });
      }
      yield;
    }
    let steps = 0;
    for (let at = 0; at < chosen.length; at++) {
      const word = chosen.values[at];
      this.mark(word);
      if ((steps += index.first[word + 1] - index.first[word] + 8) > STEP) yield (steps = 0);
    }
    yield;
    const { hit, touched } = this, [rowOf, placeOf] = [index.rowOf.values, index.placeOf.values];
    for (let at = 0; at < touched.length; at++) {
      const text = touched.values[at], row = rowOf[text], place = placeOf[text];
      hit[row] = 1;
      for (let n = 0; n < query.words.length; n++) {
        const how = this.byText[n][text], packed = how && how * 4 + place;
        if (packed > this.byRow[n][row]) this.byRow[n][row] = packed;
      }
      if (at % STEP === 0) yield;
    }
  }

  choose(word) {
    if (!this.isChosen[word]) this.chosen.push(word);
    this.isChosen[word] = 1;
  }

  // Texts that have all parts, each to the letter, or inside where nobody writes blanks.
  together(covers, parts, language) {
    const { index } = this, lists = [];
    for (const part of parts) {
      const list = [], self = index.numbers.get(part);
      if (language.isUnspaced(part)) index.eachHolding(part, true, (word) => index.isNumber[word] || index.isSmall[word] || list.push(word));
      else if (self !== undefined) list.push(self);
      if (!list.length) return;
      lists.push(list);
    }
    let texts;
    for (const list of lists) {
      const there = new Set();
      for (const word of list) index.eachText(word, (text) => (!texts || texts.has(text)) && there.add(text));
      texts = there;
    }
    if (!texts.size) return;
    for (const text of texts) {
      this.isTogether[text] = 1;
      for (const n of covers) this.byText[n][text] = Math.max(this.byText[n][text], OTHERWISE);
      this.touch(text);
    }
    for (const n of covers) this.has[n] = true;
    for (const word of lists.flat()) {
      this.ofParts.add(word);
      this.choose(word);
    }
  }

  touch(text) {
    if (!this.seen[text]) this.touched.push(text);
    this.seen[text] = 1;
  }

  // The texts of a word.
  mark(word) {
    const { index, query, byWord, byText } = this, isCounted = query.isSmall || !index.isSmall[word];
    let best = 0;
    for (let n = 0; n < byWord.length; n++) best = Math.max(best, byWord[n][word]);
    const unfit = EXACT - (best || OTHERWISE);
    for (let at = index.first[word]; at < index.first[word + 1]; at++) {
      const text = index.texts[at];
      if (!best && !this.isTogether[text]) continue;
      for (let n = 0; n < byWord.length; n++) if (byWord[n][word] > byText[n][text]) byText[n][text] = byWord[n][word];
      if (isCounted) {
        this.matched[text]++;
        if (unfit > this.unfit[text]) this.unfit[text] = unfit;
      }
      this.touch(text);
    }
  }

  // How a row has a word; a code has those of its variable where it has one of its own.
  packedOf(n, row, variable) {
    const own = this.byRow[n][row];
    return own || variable < 0 ? own : Math.min(this.byRow[n][variable] & ~3, OTHERWISE * 4);
  }

  // The rows that have most of the words, the best first.
  *ranked(rows, variableOf, isIn) {
    const { index, query } = this, words = query.words.length;
    const hadBy = new Uint8Array(rows), { hit, touched } = this;
    let most = 0;
    for (let row = 0; row < rows; row++) {
      if (row % (4 * STEP) === 0) yield;
      if (!hit[row] || !isIn(row)) continue;
      const variable = variableOf(row);
      let had = 0;
      for (let n = 0; n < words; n++) if (this.packedOf(n, row, variable)) had++;
      hadBy[row] = had;
      if (had > most) most = had;
    }
    this.had = most;
    if (!most) return [];
    const whole = new Uint8Array(rows), isAll = new Uint8Array(rows), small = this.smallWords(rows);
    const lengths = query.isSmall ? index.lengthOf.values : index.contentOf;
    for (let at = 0; at < touched.length; at++) {
      const text = touched.values[at], row = index.rowOf.values[text];
      if (at % STEP === 0) yield;
      if (hadBy[row] < most || this.matched[text] !== lengths[text]) continue;
      let had = 0;
      for (let n = 0; n < words; n++) if (this.byText[n][text]) had++;
      if (had < most) continue;
      const packed = (EXACT - this.unfit[text]) * 4 + index.placeOf.values[text];
      if (packed > whole[row]) whole[row] = packed;
      if (this.matched[text] === index.lengthOf.values[text]) isAll[row] = 1;
    }
    const scores = new Uint16Array(rows), sizes = new Uint32Array(1 << 10);
    for (let row = 0; row < rows; row++) {
      if (row % STEP === 0) yield;
      if (hadBy[row] < most) continue;
      const variable = variableOf(row);
      let how = 255, place = 255;
      for (let n = 0; n < words; n++) {
        const packed = this.packedOf(n, row, variable);
        if (!packed) continue;
        how = Math.min(how, packed >> 2);
        place = Math.min(place, packed & 3);
      }
      const packed = how * 4 + place;
      scores[row] = ((packed * 2 + Number(whole[row] >= packed)) * 4 + MOST_SMALL - small(row)) * 2 + isAll[row];
      sizes[scores[row]]++;
    }
    // By score, and rows of one score in their own order.
    let number = 0;
    for (let score = sizes.length - 1; score > 0; score--) [number, sizes[score]] = [number + sizes[score], number];
    const found = new Uint32Array(number);
    for (let row = 0; row < rows; row++) if (scores[row]) found[sizes[scores[row]]++] = row;
    return found;
  }

  // How many small words rows lack, up to some.
  smallWords(rows) {
    const { index, query } = this;
    if (!query.small.length) return () => 0;
    const had = new Uint8Array(rows);
    for (const word of query.small.filter((word) => index.numbers.has(word))) {
      const has = new Uint8Array(rows);
      index.eachText(index.numbers.get(word), (text) => (has[index.rowOf.values[text]] = 1));
      has.forEach((is, row) => (had[row] += is));
    }
    return (row) => Math.min(MOST_SMALL, query.small.length - had[row]);
  }
}

class Search {
  constructor(system) {
    this.system = system;
    this.language = language = new Language(system.head.words);
    const { tables, folders, variables, codes } = system.head;
    const sizes = [tables.length, variables, folders.length, codes];
    this.starts = sizes.reduce((starts, size) => [...starts, starts.at(-1) + size], [0]);
    this.index = new Index();
    this.none();
  }

  none() {
    [this.tables, this.folders, this.codes, this.marked, this.nearest] = [[], [], [], [], new Map()];
    this.asked = this.had = 0;
  }

  // All texts, with the row they are of and where they stand; in the package's order.
  *texts() {
    const { head, columns } = this.system, { tables, folders } = head;
    const [table, variable, folder, code] = this.starts;
    const of = function* (start, count, place, isName, at) {
      for (let row = 0; row < count; row++) {
        const text = at(row);
        if (text !== null && text !== undefined) yield [start + row, place, text, isName];
      }
    };
    for (const column of ["name", "plural", "singular"]) yield* of(table, tables.length, OWN, true, (n) => tables[n][column]);
    for (const [column, place] of [["description", OWN], ["name", OWN], ["notes", NOTES], ["folder_name", AROUND]]) {
      const texts = columns[`variable.${column}`];
      if (texts) yield* of(variable, head.variables, place, column === "name", (row) => texts.at(row));
    }
    yield* of(variable, head.variables, AROUND, false, (row) => tables[this.system.table[row]].name);
    if (head.folders_read) for (const column of ["name", "description"]) yield* of(folder, folders.length, OWN, column === "name", (n) => folders[n][column]);
    for (const column of ["description", "code"]) yield* of(code, head.codes, CODE, false, (row) => columns[`code.${column}`].at(row));
    for (const column of ["singular", "plural"]) {
      yield* of(variable, head.variables, AROUND, null, (row) => {
        const of = tables[this.system.table[row]];
        return of[column] === of.name ? null : of[column];
      });
    }
  }

  *growing() {
    const { language, index } = this;
    let steps = 0;
    for (const [row, place, text, isName] of this.texts()) {
      index.add(row, place, language.words(text));
      if (isName) {
        const parts = apart(text);
        if (parts !== text) index.add(row, place, language.words(parts));
      }
      const spelled = isName === null ? [] : language.spelled(text);
      if (spelled.length) index.add(row, place, spelled);
      if (++steps % 1000 === 0) yield;
    }
    yield* index.finish((word) => language.isSmall(word));
  }

  // What is found of a query: the rows, the best first, and sets what is said of them.
  *find(query, isIn) {
    const { language, starts, system } = this, rows = starts[4];
    let index = this.index, asked = language.asked(query);
    this.none();
    if (!asked.words.length) {
      const symbols = [...new Set(symbolsOf(query))].slice(0, MOST_WORDS);
      if (!symbols.length) return null;
      asked = { words: symbols, small: [], isSmall: true, ways: symbols.map((symbol, n) => ({ covers: [n], parts: [symbol], isOwn: true })) };
      index = yield* this.ofSymbols(symbols);
    }
    const found = new Found(index, asked, rows);
    yield* found.run(language);
    const variableOf = (row) => (row < starts[3] || asked.words.length < 2 ? -1 : starts[1] + system.variableOf[row - starts[3]]);
    const ranked = yield* found.ranked(rows, variableOf, isIn);
    [this.asked, this.had] = [asked.words.length, found.had];
    for (const word of asked.words.filter((_, n) => !found.has[n])) this.nearest.set(word, yield* index.nearest(word));
    const marked = new Set([...asked.words, ...[...found.ofParts].slice(0, MOST_MARKED).map((word) => index.words[word])]);
    for (let at = 0; at < found.chosen.length && marked.size < MOST_MARKED; at++) {
      const word = found.chosen.values[at];
      if (found.byWord.some((by) => by[word] && ![EXACT, START, INSIDE].includes(by[word]))) marked.add(index.words[word]);
    }
    this.marked = [...marked];
    return ranked;
  }

  // An index of the texts that have one of some symbols.
  *ofSymbols(symbols) {
    const index = new Index();
    let steps = 0;
    for (const [row, place, text, isName] of this.texts()) {
      if (isName !== null && symbols.some((symbol) => text.includes(symbol))) index.add(row, place, symbolsOf(text));
      if (++steps % STEP === 0) yield;
    }
    yield* index.finish(() => false);
    return index;
  }

  // Rows of variables that have the words, the best first; those of the filters alone.
  *variables(query, allowed) {
    const { starts, system } = this, isFiltered = allowed.includes(0);
    const isIn = (row) => {
      if (row >= starts[3]) return allowed[system.variableOf[row - starts[3]]];
      return row >= starts[1] && row < starts[2] ? allowed[row - starts[1]] : !isFiltered;
    };
    const rows = yield* this.find(query, isIn);
    if (!rows) return Uint32Array.from(allowed.keys()).filter((row) => allowed[row]);
    const found = NOUNS.map(() => new Numbers());
    for (const row of rows) {
      const noun = row < starts[2] ? Number(row >= starts[1]) : 2 + Number(row >= starts[3]);
      found[noun].push(row - starts[noun]);
    }
    const [tables, variables, folders, codes] = found.map(({ values, length }) => values.subarray(0, length));
    Object.assign(this, { tables, folders, codes });
    return variables;
  }

  // The same of codes.
  *codesOf() {
    return this.codes;
  }

  *within(variable, query) {
    const { starts, system } = this, first = system.firstCode[variable];
    const isIn = (row) => row >= starts[3] + first && row < starts[3] + first + system.sizes[variable];
    const rows = yield* this.find(query, isIn);
    if (!rows) return Array.from({ length: system.sizes[variable] }, (_, n) => first + n);
    return Array.from(rows, (row) => row - starts[3]);
  }
}

let language; // of the page, as its data says
const wordsOf = (query) => (language ? language.words(query).slice(0, MOST_WORDS) : []);
const folded = (text) => (language ? language.folded(text) : text.toLowerCase());

function isInside(code) {
  return (code > 47 && code < 58) || (code > 96 && code < 123) || code > 127;
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
