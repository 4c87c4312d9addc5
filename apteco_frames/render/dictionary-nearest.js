// The words that are nearest to what was not found, of those that the dictionary holds; for a
// search that tells none itself.

const LIKE_ENOUGH = 0.5; // of a likeness from 0 to 1: less is no help
const WORD = /[\p{L}\p{N}]{3,}/gu;

function pairsOf(word) {
  const padded = ` ${word} `, pairs = [];
  for (let at = 0; at + 1 < padded.length; at++) pairs.push(padded.slice(at, at + 2));
  return pairs;
}

// How many pairs of letters two words share, of all that they have (Dice's coefficient).
function likeness(pairs, other) {
  const left = pairsOf(other), all = pairs.length + left.length;
  let shared = 0;
  for (const pair of pairs) {
    const at = left.indexOf(pair);
    if (at < 0) continue;
    left.splice(at, 1);
    shared++;
  }
  return (2 * shared) / all;
}

// The words nearest to those of a query, best first; it takes a step at a time.
function* nearestWords(system, words) {
  const wanted = words.filter((word) => word.length > 2).map((word) => [word, pairsOf(word)]);
  const best = new Map(), seen = new Set();
  for (const name of ["variable.description", "variable.name", "code.description"]) {
    const { text = "" } = system.columns[name] ?? {};
    let steps = 0;
    for (const [raw] of text.matchAll(WORD)) {
      if (++steps % 2000 === 0) yield;
      if (seen.has(raw)) continue;
      seen.add(raw);
      const word = folded(raw);
      for (const [query, pairs] of wanted) {
        if (Math.abs(word.length - query.length) > 3) continue;
        const like = likeness(pairs, word);
        if (like >= LIKE_ENOUGH && like > (best.get(word)?.like ?? 0)) best.set(word, { raw, like });
      }
    }
  }
  return [...best.values()].sort((a, b) => b.like - a.like).slice(0, 3).map(({ raw }) => raw);
}
