// The script of the data dictionary is these files in this order: dictionary-data.js,
// -search.js, -rows.js, -variable.js and dictionary.js. Texts of the system become
// text nodes of the page and nothing else.

// What was packed: a line of JSON, then columns of texts, a line each.

const NULL = "\\0";

function startsOf(text, count) {
  const starts = new Uint32Array(count + 1);
  for (let row = 0, at = 0; row < count; row++) {
    starts[row] = at;
    const end = text.indexOf("\n", at);
    at = (end < 0 ? text.length : end) + 1;
  }
  starts[count] = text.length + 1;
  return starts;
}

class Column {
  constructor(text, count) {
    this.text = text;
    this.count = count;
  }

  at(row) {
    this.starts ??= startsOf(this.text, this.count);
    const line = this.text.slice(this.starts[row], this.starts[row + 1] - 1);
    if (line === NULL) return null;
    return line.includes("\\") ? line.replace(/\\(.)/g, (_, c) => (c === " " ? "\n" : c)) : line;
  }

  // The longest text of some rows.
  longest(first = 0, end = this.count) {
    if (first >= end) return "";
    let row = first;
    this.at(row); // makes `starts`
    const { starts } = this;
    for (let at = first; at < end; at++) if (starts[at + 1] - starts[at] > starts[row + 1] - starts[row]) row = at;
    return this.at(row) ?? "";
  }

  numbers() {
    return this.count ? Uint32Array.from(this.text.split("\n"), Number) : new Uint32Array(0);
  }
}

async function unpacked(base64) {
  const packed = atob(base64);
  const bytes = new Uint8Array(packed.length);
  for (let at = 0; at < bytes.length; at++) bytes[at] = packed.charCodeAt(at);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  const all = new Uint8Array(await new Response(stream).arrayBuffer());
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  let at = all.indexOf(10);
  const head = JSON.parse(decoder.decode(all.subarray(0, at++)));
  const columns = {};
  for (const [name, length] of head.columns) {
    const [noun] = name.split(".");
    const count = { code: head.codes, members: head.folders.length }[noun] ?? head.variables;
    columns[name] = new Column(decoder.decode(all.subarray(at, at + length)), count);
    at += length;
  }
  return [head, columns];
}

// The catalogue. Variables and codes are known by their places, tables and folders too.
class System {
  constructor(head, columns) {
    Object.assign(this, { head, columns });
    this.table = columns.table.numbers();
    this.kind = columns.kind.numbers();
    this.members = head.folders.map((_, n) => columns.members.at(n).split(" ").filter(Boolean).map(Number));
    this.folderOf = new Int32Array(head.variables).fill(-1);
    this.members.forEach((rows, n) => rows.forEach((row) => this.folderOf[row] < 0 && (this.folderOf[row] = n)));
    this.sizes = columns.size.numbers();
    this.firstCode = new Uint32Array(head.variables + 1);
    this.variableOf = new Uint32Array(head.codes);
    this.sizes.forEach((size, row) => {
      const start = this.firstCode[row];
      this.firstCode[row + 1] = start + size;
      this.variableOf.fill(row, start, start + size);
    });
    this.unread = new Set(head.unread);
    this.refused = new Set(head.refused);
  }

  of(row, name) {
    return this.columns[`variable.${name}`]?.at(row) ?? null;
  }

  labelOf(row) {
    const description = this.of(row, "description");
    return description.trim() ? description : this.of(row, "name");
  }

  kindOf(row) {
    return this.head.kinds[this.kind[row]];
  }

  parentOf(number) {
    this.places ??= new Map(this.head.tables.map((table, n) => [table.name, n]));
    return this.places.get(this.head.tables[number].parent_name) ?? null;
  }

  // A table and those above it, from the top.
  ancestorsOf(number) {
    const chain = [];
    for (let at = number; at !== null; at = this.parentOf(at)) chain.unshift(at);
    return chain;
  }

  // A folder and those around it, from the top.
  foldersOf(number) {
    const chain = [];
    for (let at = number; at !== null; at = this.head.folders[at].parent) chain.unshift(at);
    return chain;
  }

  foldersWith(row) {
    return this.members.flatMap((rows, n) => (rows.includes(row) ? [n] : []));
  }

  isWithin(folder, around) {
    return this.foldersOf(folder).includes(around);
  }

  // The facts that were given besides, of which there are any: titles and texts.
  given(row) {
    return this.head.facts.map((title, n) => [title, this.columns[`fact.${n}`].at(row)]).filter(([, text]) => text);
  }

  folderNamed(path) {
    const places = this.head.folders.map((_, n) => n);
    return places.find((n) => this.pathOf(n) === path) ?? null;
  }

  pathOf(folder) {
    return this.foldersOf(folder).map((n) => this.head.folders[n].name).join("/");
  }

  // The variable of exactly this name.
  called(name) {
    this.rows ??= new Map(Array.from({ length: this.head.variables }, (_, row) => [this.of(row, "name"), row]));
    return this.rows.get(name);
  }

  // The variables that somebody may mean: by name, by description, at last in either case.
  meant(text) {
    const exact = this.called(text);
    if (exact !== undefined) return [exact];
    const plain = folded(text), found = [[], [], []];
    for (let row = 0; row < this.head.variables; row++) {
      const name = this.of(row, "name"), description = this.of(row, "description");
      if (folded(name) === plain) found[0].push(row);
      else if (description === text) found[1].push(row);
      else if (folded(description) === plain) found[2].push(row);
    }
    return found.find((rows) => rows.length) ?? [];
  }
}

function grouping(parents) {
  const within = new Map();
  parents.forEach((parent, n) => (within.get(parent) ?? within.set(parent, []).get(parent)).push(n));
  return within;
}
