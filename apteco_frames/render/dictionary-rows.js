// How texts are written, and lists: real tables, of which long ones draw the rows in view.

const MOST_WHOLE = 2000; // rows that are all in the page, so that Ctrl+F, copy and print see them
const MOST_ROWS = 250000; // browsers lay out about 17 million pixels, no more
const AT_ONCE = 20; // rows drawn before the browser may answer something else
const OVERSCAN = 12;

const byId = (id) => document.getElementById(id);

const grouped = (text) => String(text).replace(/^(-?)(\d+)(?=\.|$)/, (_, sign, digits) => sign + digits.replace(/\B(?=(\d{3})+$)/g, ","));
const counted = (count, one) => `${grouped(count)} ${one}${String(count) === "1" ? "" : "s"}`;
const listed = (names) => (names.length < 2 ? names.join() : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`);
const yesOrNo = (text) => (text === "true" ? "Yes" : "No");
const records = (text) => counted(text, "record");
const bytes = (text) => counted(text, "byte");

const MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];

// A date as English writes it; midnight is left out.
function dated(text) {
  const [, year, month, day, time] = /^0*(\d+)-(\d\d)-(\d\d)(?: (\d\d:\d\d:\d\d))?/.exec(text) ?? [];
  if (!year) return text;
  return `${Number(day)} ${MONTHS[month - 1]} ${year}${time && time !== "00:00:00" ? `, ${time.replace(/:00$/, "")}` : ""}`;
}

function shareOf(part) {
  const percent = 100 * part;
  return percent > 0 && percent < 0.05 ? "<0.1%" : `${percent.toFixed(1)}%`;
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

const button = (label, press, attributes = {}) => el("button", { type: "button", click: press, ...attributes }, label);

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

const cell = (key, ...inside) => el("td", { class: key }, ...inside);

// What a spreadsheet would take for a formula begins with an apostrophe, as in `write_csv`.
const SIGN = "[=+\\-@\uFF1D\uFF0B\uFF0D\uFF20]";
const FORMULA = new RegExp(`^(?=[\\p{Z}\\p{Cc}\\p{Cf}]*${SIGN}|[\\t\\r\\n])`, "u");
const FORMULA_WITHIN = new RegExp(`([;|\\t-\\r\\x85\\u2028\\u2029])(["\\p{Z}\\p{Cc}\\p{Cf};|]*${SIGN})`, "gu");
const unspoiled = (text) => text.replace(FORMULA, "'").replace(FORMULA_WITHIN, "$1'$2");

// Lines of cells, parted by a comma or a tab; numbers are given as numbers, not as texts.
function* delimited(rows, delimiter) {
  for (const row of rows) {
    const cells = row.map((value) => {
      if (value === null || typeof value === "number") return value ?? "";
      const text = unspoiled(value);
      return /[",;\t\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
    });
    yield `${cells.join(delimiter)}\r\n`;
  }
}

async function copy(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = el("textarea", { class: "unseen" }); // over plain HTTP there is no clipboard
  document.body.append(area);
  area.value = text;
  area.select();
  const isDone = document.execCommand("copy");
  area.remove();
  if (!isDone) throw new Error("The browser does not let the page copy");
}

function save(parts, name) {
  const url = URL.createObjectURL(new Blob(parts, { type: "text/csv;charset=utf-8" }));
  el("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60000);
}

let canvas;

// Pixels that a text takes in an element's font.
function widthOf(text, element) {
  const context = (canvas ??= document.createElement("canvas").getContext("2d"));
  context.font = getComputedStyle(element).font;
  return context.measureText(text).width;
}

// A list as a table. Each of its columns is `{ key, title, value, widest, gives, most }`: `value`
// gives what is copied of an item, `widest` the longest text that stands there, or nothing for
// a column that takes the room that is left; with `gives` it may give some of its room, and
// `most` is the part of all room that it may take. What has no `key` is copied, but not shown.
class List {
  constructor(place, { name, file, kind, columns, draw, isItem = () => true }) {
    Object.assign(this, { draw, isItem, file, given: columns });
    this.columns = columns = columns.filter(({ key }) => key);
    this.items = [];
    this.drawn = new Map();
    this.turn = 0;
    this.cols = columns.map(() => el("col"));
    this.titles = columns.map(({ key, title }) => el("th", { scope: "col", class: key }, title));
    this.body = el("tbody");
    this.table = el("table", { class: kind, "aria-label": name }, el("colgroup", {}, ...this.cols), el("thead", {}, el("tr", {}, ...this.titles)), this.body);
    this.frame = el("div", { class: "frame" }, this.table);
    this.title = el("span", { class: "title" }, name);
    this.note = el("p", { class: "quiet note" });
    this.copied = el("span", { class: "quiet", role: "status" });
    this.copy = button("Copy", () => this.toClipboard(), { class: "tool" });
    this.save = button("Save as CSV", () => save(["\ufeff", ...delimited(this.rows(), ",")], `${this.file()}.csv`), { class: "tool" });
    this.tools = el("div", { class: "tools" }, this.title, el("span", { class: "buttons" }, this.copied, this.copy, this.save));
    this.paper = el("p", { class: "paper" });
    this.body.addEventListener("keydown", (event) => this.move(event));
    this.body.addEventListener("click", (event) => {
      // A click anywhere in a row opens it, unless it has selected something to copy.
      if (!event.target.closest("a, button") && getSelection().isCollapsed) event.target.closest("tr")?.querySelector("a")?.click();
    });
    this.all = el("section", { class: "list" }, this.tools, this.note, this.frame, this.paper);
    place.replaceChildren(this.all);
  }

  // Show these items, which are places of whatever is listed, so many of them at once.
  show(items, size = items.length, atOnce = AT_ONCE) {
    this.turn++;
    this.items = items;
    this.size = size; // without the rows that are titles
    this.count = Math.min(items.length, MOST_ROWS);
    this.isLong = items.length > MOST_WHOLE;
    this.all.hidden = !items.length;
    this.table.classList.toggle("long", this.isLong);
    this.drawn.clear();
    this.body.replaceChildren();
    this.frame.style.height = this.table.style.marginTop = "";
    this.copy.textContent = this.isLong ? "Copy all" : "Copy";
    this.save.textContent = this.isLong ? "Save all as CSV" : "Save as CSV";
    const most = items.length > MOST_ROWS ? ` The first ${grouped(MOST_ROWS)} are listed.` : "";
    this.note.textContent = this.isLong ? `${grouped(size)} rows are too many for Ctrl+F and for printing. Copy or save them all.${most}` : "";
    this.paper.textContent = !this.isLong ? "" : `On paper: the first ${grouped(MOST_WHOLE)} of ${grouped(items.length)} rows. The page itself can copy or save them all.`;
    if (this.isLong) this.table.setAttribute("aria-rowcount", this.count + 1);
    else this.table.removeAttribute("aria-rowcount");
    if (this.room) {
      // Nothing is measured while somebody types: the rows at the top are in view.
      if (this.isLong) this.setHeight();
    } else this.layOut();
    this.drawTo(atOnce);
    if (this.isLong) requestAnimationFrame(() => this.update());
    else if (this.count > atOnce) this.drawRest(this.turn);
  }

  drawTo(end) {
    const rows = [];
    for (let row = this.drawn.size; row < Math.min(end, this.count); row++) rows.push(this.drawRow(row));
    this.body.append(...rows);
  }

  // The other rows of a short list, once nobody types any more.
  async drawRest(turn) {
    await new Promise((done) => setTimeout(done, 80));
    while (turn === this.turn && this.drawn.size < this.count) {
      const since = performance.now();
      do this.drawTo(this.drawn.size + AT_ONCE); while (performance.now() - since < 8);
      await new Promise((done) => setTimeout(done));
    }
  }

  drawRow(row) {
    const element = this.draw(this.items[row]);
    element.dataset.row = row;
    if (this.isLong) element.setAttribute("aria-rowindex", row + 2);
    this.drawn.set(row, element);
    return element;
  }

  // Measure what the width of the page gives.
  layOut() {
    const room = this.frame.clientWidth;
    if (!this.items.length || !room) return;
    this.room = room;
    this.height = null;
    this.setWidths(room);
    if (!this.isLong) return;
    this.setHeight();
    this.update();
  }

  // How high a long list is; all its rows are of one height.
  setHeight() {
    if (!this.height) {
      const probe = this.draw(this.items[0]);
      this.body.append(probe);
      this.height = probe.getBoundingClientRect().height;
      this.top = this.table.tHead.offsetHeight;
      probe.remove();
    }
    this.frame.style.height = `${this.top + this.count * this.height}px`;
  }

  // The widest text of each column, a step at a time.
  *growing() {
    this.widest ??= [];
    for (let n = this.widest.length; n < this.columns.length; n++) {
      this.widest.push(this.columns[n].widest?.());
      yield;
    }
  }

  // A column is as wide as the widest in it; the rest goes to those that say nothing.
  setWidths(room) {
    const em = parseFloat(getComputedStyle(this.table).fontSize);
    for (const _ of this.growing());
    const wanted = this.widest.map((text, n) => (text === undefined ? 0 : Math.min((this.columns[n].most ?? 1) * room, Math.max(widthOf(text, this.table), widthOf(this.titles[n].textContent, this.titles[n])) + (this.columns[n].extra ?? 0) * em + 1.1 * em)));
    const given = wanted.filter((_, n) => this.columns[n].gives).reduce((sum, width) => sum + width, 0);
    const fixed = wanted.filter((_, n) => !this.columns[n].gives).reduce((sum, width) => sum + width, 0);
    const part = Math.min(1, Math.max(0.2, (0.62 * room - fixed) / (given || 1)));
    wanted.forEach((width, n) => (this.cols[n].style.width = width ? `${Math.ceil(this.columns[n].gives ? part * width : width)}px` : ""));
  }

  // Of a long list the rows in view are drawn; for paper, the first of them.
  update(isForPaper = false) {
    if (!this.items.length) return;
    if (!this.isLong) return isForPaper ? this.drawTo(this.count) : undefined;
    if (!this.frame.offsetParent) return;
    if (!this.height) return this.layOut(); // it was hidden when it was shown
    const top = this.frame.getBoundingClientRect().top + this.top;
    let first = Math.max(0, Math.floor(-top / this.height) - OVERSCAN);
    let last = Math.min(this.count, Math.ceil((innerHeight - top) / this.height) + OVERSCAN);
    if (isForPaper) [first, last] = [0, MOST_WHOLE];
    for (const [row, element] of this.drawn) {
      if (row < first || row >= last) {
        element.remove();
        this.drawn.delete(row);
      }
    }
    const before = Math.min(...this.drawn.keys());
    const anchor = this.drawn.get(before) ?? null;
    for (let row = first; row < last; row++) {
      if (!this.drawn.has(row)) this.body.insertBefore(this.drawRow(row), row < before ? anchor : null);
    }
    this.table.style.marginTop = `${first * this.height}px`;
  }

  // The row of an item; a long list is scrolled for it.
  rowOf(row) {
    if (row < 0 || row >= this.count) return undefined;
    if (!this.isLong) this.drawTo(row + 1);
    else if (!this.drawn.has(row)) this.scrollTo(row);
    return this.drawn.get(row);
  }

  scrollTo(row) {
    const at = this.isLong ? this.frame.getBoundingClientRect().top + row * this.height : this.rowOf(row).getBoundingClientRect().top;
    scrollTo(0, scrollY + at - innerHeight / 2);
    this.update();
  }

  // Arrow keys go from row to row; up from the first one to the search.
  move(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const here = event.target.closest("tr");
    if (!step || !here) return;
    event.preventDefault();
    // Keys may come faster than frames: what is not drawn yet is drawn now.
    const next = this.rowOf(Number(here.dataset.row) + step);
    if (next) {
      next.querySelector("a")?.focus();
      this.update();
    } else if (step < 0) byId("query").focus();
  }

  // Titles and items as cells, to be copied or saved.
  *rows() {
    yield this.given.map(({ title }) => title);
    for (const item of this.items) if (this.isItem(item)) yield this.given.map(({ value }) => value(item));
  }

  async toClipboard() {
    try {
      await copy([...delimited(this.rows(), "\t")].join(""));
      this.copied.textContent = `${counted(this.size, "row")} copied`;
    } catch {
      this.copied.textContent = "The browser does not allow copying. Save as CSV instead.";
    }
    setTimeout(() => (this.copied.textContent = ""), 4000);
  }
}
