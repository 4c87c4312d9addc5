// How texts are written, and lists of which only the rows in view are drawn.

const MOST_ROWS = 120000; // browsers lay out about 17 million pixels, no more
const MOST_PRINTED = 5000;
const OVERSCAN = 12;

const byId = (id) => document.getElementById(id);

const grouped = (text) => text.replace(/^(-?)(\d+)(?=\.|$)/, (_, sign, digits) => sign + digits.replace(/\B(?=(\d{3})+$)/g, ","));
const counted = (count, one) => `${grouped(String(count))} ${one}${String(count) === "1" ? "" : "s"}`;
const dated = (text) => text.replace(/\.0+$/, "").replace(/ 00:00:00$/, "");
const yesOrNo = (text) => (text === "true" ? "Yes" : "No");
const records = (text) => counted(text, "record");
const bytes = (text) => counted(text, "byte");

function shareOf(part) {
  const percent = 100 * part;
  return percent > 0 && percent < 0.05 ? "< 0.1 %" : `${percent.toFixed(1)} %`;
}

// What a system calls something is asked of a map: an object has "constructor", too.
const KINDS = new Map([["FlagArray", "Flag array"], ["DateTime", "Date and time"]]);

function el(tag, attributes, ...inside) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value);
  }
  element.append(...inside.filter((part) => part !== null && part !== undefined));
  return element;
}

// A text of the system: its direction ends where it ends, and what was searched is marked.
function said(text, words = []) {
  const element = el("bdi");
  let at = 0;
  for (const [start, end] of words.length ? marksIn(text, words) : []) {
    element.append(text.slice(at, start), el("mark", {}, text.slice(start, end)));
    at = end;
  }
  element.append(text.slice(at));
  return element;
}

function marksIn(text, words) {
  let plain = "";
  const from = [];
  let at = 0;
  for (const letter of text.slice(0, 400)) {
    const fold = folded(letter);
    for (let n = 0; n < fold.length; n++) from.push(at);
    plain += fold;
    at += letter.length;
  }
  from.push(at);
  const marks = [];
  for (const word of words) {
    let start = plain.indexOf(word);
    while (start > 0 && isInside(plain.charCodeAt(start - 1))) start = plain.indexOf(word, start + 1);
    if (start < 0 && word.length > 1) start = plain.indexOf(word);
    if (start >= 0) marks.push([from[start], from[start + word.length]]);
  }
  marks.sort((a, b) => a[0] - b[0]);
  return marks.filter(([start], n) => !marks.slice(0, n).some((other) => other[1] > start));
}

// A list of which only the rows in view are drawn; it scrolls with the page.
class Rows {
  constructor(place, name, kind, titles, draw) {
    this.draw = draw;
    this.drawn = new Map();
    this.count = 0;
    this.body = el("div", { role: "rowgroup", class: "rows" });
    const cells = titles.map(([key, title]) => el("span", { role: "columnheader", class: key }, title));
    const top = el("div", { role: "row", class: `titles ${kind}` }, ...cells);
    this.table = el("div", { role: "table", "aria-label": name, class: "rows-table" }, el("div", { role: "rowgroup", class: "stick" }, top), this.body);
    this.note = el("p", { class: "quiet" });
    this.body.addEventListener("keydown", (event) => this.move(event));
    place.replaceChildren(this.table, this.note);
  }

  show(count) {
    this.count = Math.min(count, MOST_ROWS);
    this.cut = count > MOST_ROWS ? `The first ${grouped(String(MOST_ROWS))} are listed.` : "";
    this.table.setAttribute("aria-rowcount", this.count + 1);
    this.table.hidden = !count;
    this.drawn.clear();
    this.body.replaceChildren();
    this.layOut();
  }

  layOut() {
    if (!this.count || !this.body.offsetParent) return;
    const probe = el("div", { class: "row" });
    this.body.append(probe);
    this.height = probe.getBoundingClientRect().height;
    probe.remove();
    this.body.style.height = `${this.count * this.height}px`;
    for (const [row, element] of this.drawn) element.style.top = `${row * this.height}px`;
    this.update();
  }

  update(everything = false) {
    if (!this.count || !this.body.offsetParent) return;
    const top = this.body.getBoundingClientRect().top;
    let first = Math.max(0, Math.floor(-top / this.height) - OVERSCAN);
    let last = Math.min(this.count, Math.ceil((innerHeight - top) / this.height) + OVERSCAN);
    if (everything) [first, last] = [0, Math.min(this.count, MOST_PRINTED)];
    const isCut = everything && this.count > MOST_PRINTED;
    this.note.textContent = isCut ? `The first ${grouped(String(MOST_PRINTED))} of ${grouped(String(this.count))} are printed.` : this.cut;
    for (const [row, element] of this.drawn) {
      if (row < first || row >= last) {
        element.remove();
        this.drawn.delete(row);
      }
    }
    const before = Math.min(...this.drawn.keys());
    const anchor = this.drawn.get(before) ?? null;
    for (let row = first; row < last; row++) {
      if (this.drawn.has(row)) continue;
      const element = this.draw(row);
      element.setAttribute("role", "row");
      element.setAttribute("aria-rowindex", row + 2);
      element.classList.add("row");
      element.dataset.row = row;
      element.style.top = `${row * this.height}px`;
      this.body.insertBefore(element, row < before ? anchor : null);
      this.drawn.set(row, element);
    }
  }

  // Arrow keys go from row to row; up from the first one to the search.
  move(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const here = event.target.closest(".row");
    if (!step || !here) return;
    event.preventDefault();
    const row = Number(here.dataset.row) + step;
    // Keys may come faster than frames: what is not drawn yet is drawn now.
    const next = this.drawn.get(row) ?? (row >= 0 && row < this.count ? this.scrollTo(row) : null);
    if (next) {
      next.querySelector("a")?.focus();
      this.update();
    } else if (step < 0) byId("query").focus();
  }

  scrollTo(row) {
    scrollTo(0, scrollY + this.body.getBoundingClientRect().top + row * this.height - innerHeight / 3);
    this.update();
    return this.drawn.get(row);
  }
}

const cell = (key, ...inside) => el("span", { role: "cell", class: key }, ...inside);
const linkTo = (name) => `#${encodeURIComponent(name)}`;
