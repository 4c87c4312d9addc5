// The page: its list, its filters, the way to the page of a variable, and the address that says
// which of these is shown.

const WRITE_EVERY = 350; // milliseconds: browsers refuse addresses that change more often
const FILTERS = ["table", "kind", "folder"];

class Dictionary {
  constructor(system) {
    this.system = system;
    this.search = new Search(system);
    this.everything = new Uint8Array(system.head.variables).fill(1);
    this.asked = { q: "", table: null, kind: null, folder: null };
    this.of = {}; // on the page of a variable: `name`, `find`, `sort`, `code`
    this.turn = 0; // a search ends where another has begun
    this.shown = { variables: [], codes: [] };
    this.words = [];
    this.lists = [];
    this.scrolls = new Map(); // by address, where its list was left
    this.written = 0;
  }

  open() {
    const { system, tables, variables, codes, unread } = this.system.head;
    byId("system").replaceChildren(said(system.name));
    byId("about").replaceChildren(said(system.description ?? ""));
    const noCodes = unread.length && !codes;
    byId("figures").textContent = [
      counted(tables.length, "table"),
      counted(variables, "variable"),
      noCodes ? "codes not loaded" : counted(codes, "code") + (unread.length ? ` (those of ${counted(unread.length, "variable")} not loaded)` : ""),
      system.build_date ? `built ${dated(system.build_date)}` : "build date unknown",
    ].join(" · ");
    this.makeLists();
    byId("opening").remove();
    if (!this.system.head.folders_read) byId("folders").append(el("p", { class: "quiet" }, "The folders were not loaded. These are the names that variables give."));
    this.listen();
    this.grown = this.grow();
    this.route();
  }

  makeLists() {
    const { system } = this, { tables, folders, kinds } = system.head;
    const longest = (texts) => texts.reduce((most, text) => (text.length > most.length ? text : most), "");
    const column = (name) => system.columns[name];
    const labelOfTable = (row) => tables[system.table[row]].name;
    const folderOf = (row) => (system.folderOf[row] < 0 ? null : folders[system.folderOf[row]].name);
    this.variables = new List(byId("variables"), {
      name: "Variables", kind: "variable", file: () => `${system.head.system.name} variables`,
      columns: [
        { key: "what", title: "Variable", value: (row) => system.labelOf(row) },
        { key: "name", title: "Name", value: (row) => system.of(row, "name"), widest: () => column("variable.name")?.longest() ?? "", most: 0.25 },
        { key: "kind", title: "Kind", value: (row) => KINDS.get(system.kindOf(row)) ?? system.kindOf(row), widest: () => longest(kinds.map((kind) => KINDS.get(kind) ?? kind)), extra: 0.6 },
        { key: "table", title: "Table", value: labelOfTable, widest: () => longest(tables.map(({ name }) => name)), gives: true },
        { key: "folder", title: "Folder", value: folderOf, widest: () => longest(folders.map(({ name }) => name)), gives: true },
        { key: "number", title: "Codes", value: (row) => (system.of(row, "num_codes") === null ? null : plainNumber(system.of(row, "num_codes"))), widest: () => grouped(column("variable.num_codes")?.longest() ?? "") },
      ],
      draw: (row) => this.variableRow(row),
    });
    this.codes = new List(byId("codes"), {
      name: "Codes", kind: "code", file: () => `${system.head.system.name} codes found`,
      columns: [
        { key: "what", title: "Description", value: (code) => column("code.description").at(code) },
        { key: "value", title: "Code", value: (code) => column("code.code").at(code), widest: () => column("code.code").longest(), most: 0.25, extra: 1.2 },
        { key: "of", title: "Variable", value: (code) => system.labelOf(system.variableOf[code]), widest: () => column("variable.description").longest(), gives: true },
        { title: "Name", value: (code) => system.of(system.variableOf[code], "name") },
        { key: "number", title: "Records", value: (code) => (column("code.count").at(code) === null ? null : plainNumber(column("code.count").at(code))), widest: () => grouped(column("code.count").longest()) },
      ],
      draw: (item) => (item < 0 ? this.groupRow(-1 - item) : this.codeRow(item)),
      isItem: (item) => item >= 0,
    });
  }

  // The index is made after the first rows are drawn, in steps.
  async grow() {
    await pause();
    await inSteps(this.search.growing());
    await inSteps(this.codes.growing());
    this.isReady = true;
    if (this.asked.q.trim()) this.find();
  }

  listen() {
    const query = byId("query");
    query.addEventListener("input", () => this.ask({ q: query.value }, "typed"));
    query.addEventListener("change", () => this.write());
    query.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.ask({ q: (query.value = "") }, "typed");
      else if (event.key === "ArrowDown") {
        event.preventDefault();
        document.querySelector("main section:not([hidden]) tbody a")?.focus();
      } else if (event.key === "Enter") document.querySelector("#list:not([hidden]) tbody tr:not(.group) a")?.click();
    });
    addEventListener("keydown", (event) => {
      const isTyping = event.target.closest?.("input");
      if (event.key === "/" && !isTyping && !event.ctrlKey && !event.metaKey && !event.altKey) {
        event.preventDefault();
        query.focus();
        query.select();
      } else if (event.key === "Escape" && !isTyping && this.read().name !== null) {
        // The address is asked, since it changes a moment before the variable's page is drawn.
        location.hash = this.address({});
      }
    });
    let waits = false;
    addEventListener("scroll", () => {
      if (!waits) requestAnimationFrame(() => ((waits = false), this.lists.forEach((list) => list.update())));
      waits = true;
    }, { passive: true });
    addEventListener("resize", () => this.lists.forEach((list) => list.layOut()));
    for (const moved of ["hashchange", "popstate"]) addEventListener(moved, () => location.hash === this.routed || this.route());
    // Links may be followed before what was typed is in the address.
    addEventListener("click", () => this.write(), { capture: true });
    addEventListener("beforeprint", () => {
      this.folded = [...document.querySelectorAll("#page details:not([open])")];
      this.folded.forEach((details) => (details.open = true));
      this.lists.forEach((list) => list.update(true));
    });
    addEventListener("afterprint", () => {
      this.folded.forEach((details) => (details.open = false));
      this.lists.forEach((list) => list.update());
    });
    this.isWide = matchMedia("(min-width: 60rem)");
    const fold = () => (byId("filters").open = this.isWide.matches);
    this.isWide.addEventListener("change", fold);
    fold();
  }

  // The address. Behind a variable's name, as in `#boDest`, stands what the list was asked for.
  address(of, asked = this.asked) {
    const parts = new URLSearchParams();
    const { tables, kinds } = this.system.head;
    if (asked.q.trim()) parts.set("q", asked.q.trim());
    if (asked.table !== null) parts.set("table", tables[asked.table].name);
    if (asked.kind !== null) parts.set("kind", kinds[asked.kind]);
    if (asked.folder !== null) parts.set("folder", this.system.pathOf(asked.folder));
    for (const key of ["find", "sort", "code"]) if (of[key]) parts.set(key, of[key]);
    return `#${of.name === undefined ? "" : encodeURIComponent(of.name)}${parts.size ? `?${parts}` : ""}`;
  }

  linkTo(name, more = {}) {
    return this.address({ name, ...more });
  }

  read() {
    const raw = location.hash.slice(1);
    const plain = (text) => {
      try {
        return decodeURIComponent(text);
      } catch {
        return text; // a lone %
      }
    };
    // A name may be written as our links do, or as a person would, with a "?" in it.
    const whole = [plain(raw), raw].find((name) => this.system.called(name) !== undefined);
    if (whole !== undefined && raw) return { name: whole, parts: new URLSearchParams() };
    const at = raw.indexOf("?"), before = at < 0 ? raw : raw.slice(0, at);
    const name = this.system.called(before) !== undefined ? before : plain(before);
    return { name: before ? name : null, parts: new URLSearchParams(at < 0 ? "" : raw.slice(at + 1)) };
  }

  // Have the address say what is shown. What is typed makes one step of the history, not many.
  write(how = "now") {
    clearTimeout(this.writing);
    const address = this.address(this.of);
    if (address === (location.hash || "#")) return;
    if (how === "typed" && performance.now() - this.written < WRITE_EVERY) {
      this.writing = setTimeout(() => this.write("typed"), WRITE_EVERY);
      return;
    }
    const isMore = this.isTyped && how !== "pushed";
    history[isMore || how === "in place" ? "replaceState" : "pushState"](null, "", address);
    this.isTyped = how === "typed" || (this.isTyped && how === "now");
    this.written = performance.now();
    this.routed = location.hash;
  }

  // Search or filter by something else.
  ask(change, how = "pushed") {
    if (how === "pushed") this.write(); // what was typed before is a step of its own
    this.leaveList();
    Object.assign(this.asked, change);
    this.of = {};
    this.write(how);
    this.showList();
    scrollTo(0, Math.min(scrollY, byId("list").offsetTop));
    if (how === "pushed" && !this.isWide.matches) byId("filters").open = false;
    this.find();
  }

  allowed() {
    const { table, kind, folder } = this.asked, { system } = this;
    const allowed = FILTERS.map((what) => (this.asked[what] === null ? null : new Uint8Array(system.head.variables)));
    if (table !== null) system.table.forEach((of, row) => (allowed[0][row] = of === table));
    if (kind !== null) system.kind.forEach((of, row) => (allowed[1][row] = of === kind));
    if (folder !== null) system.members.forEach((rows, n) => system.isWithin(n, folder) && rows.forEach((row) => (allowed[2][row] = 1)));
    return allowed;
  }

  async find() {
    const turn = ++this.turn, query = this.asked.q;
    if (query.trim() && !this.isReady) return; // `grow` asks again
    const isOver = () => turn !== this.turn;
    if (this.found?.query !== query) {
      const variables = await inSteps(this.search.variables(query, this.everything), isOver);
      if (isOver()) return;
      const codes = await inSteps(this.search.codesOf(query, this.everything), isOver);
      if (isOver()) return;
      const { tables = [], folders = [], asked = 0, had = 0, nearest, marked = wordsOf(query) } = this.search;
      this.found = { query, variables, codes, tables, folders, asked, had, nearest, words: query.trim() ? marked : [] };
    }
    this.show();
  }

  show() {
    const { variables, codes, words } = this.found, { variableOf } = this.system;
    this.words = words;
    const filters = this.allowed(), inUse = filters.filter(Boolean);
    const isAllowed = (row) => inUse.every((allowed) => allowed[row]);
    this.shown = inUse.length ? { variables: variables.filter(isAllowed), codes: codes.filter((code) => isAllowed(variableOf[code])) } : { variables, codes };
    this.drawFilters(filters);
    if (byId("list").hidden) return;
    this.variables.show(this.shown.variables);
    // Codes that stand below the window can wait.
    this.codes.show(this.byVariable(this.shown.codes), this.shown.codes.length, this.shown.variables.length > AT_ONCE ? 0 : AT_ONCE);
    this.drawStatus();
  }

  // Codes with those of a variable together, each behind a row for the variable (its place
  // below zero). The best hit says which variable comes first.
  byVariable(codes) {
    const { variableOf, head } = this.system;
    const sizes = new Uint32Array(head.variables), order = [];
    for (let n = 0; n < codes.length; n++) if (!sizes[variableOf[codes[n]]]++) order.push(variableOf[codes[n]]);
    const items = new Int32Array(codes.length + order.length), next = new Uint32Array(head.variables);
    let at = 0;
    for (const row of order) {
      items[at] = -1 - row;
      next[row] = at + 1;
      at += 1 + sizes[row];
    }
    for (let n = 0; n < codes.length; n++) items[next[variableOf[codes[n]]]++] = codes[n];
    this.hits = sizes;
    return items;
  }

  drawStatus() {
    const { variables, codes } = this.shown, { head } = this.system, { found } = this;
    const isAsked = this.asked.q.trim() !== "", isEmpty = !variables.length && !codes.length;
    const counts = [counted(variables.length, "variable")];
    if (isAsked && head.codes) counts.push(counted(codes.length, "code"));
    const others = isAsked ? [...this.leadingTo("table", found.tables), ...this.leadingTo("folder", found.folders)] : [];
    const status = !head.variables ? "The system has no variables." : isEmpty && !others.length ? "Nothing found" : counts.join(", ");
    byId("status").textContent = status;
    const why = [];
    if (isAsked && found.had < found.asked && !(isEmpty && !others.length)) why.push(`No result has all ${found.asked} words; these have ${found.had || "none"} of them. `);
    if (isEmpty && head.variables && !others.length) why.push(...this.whyNothing());
    why.push(...others);
    if (isAsked && !head.codes) why.push("No codes are in this dictionary: only variables were searched. ");
    else if (isAsked && head.unread.length) why.push(`The codes of ${counted(head.unread.length, "variable")} are not in this dictionary, so they were not searched. `);
    byId("why").replaceChildren(...why);
    if (!isAsked || found.variables.length || found.codes.length) return;
    const nearest = [...new Set([...found.nearest.values()].flat())];
    if (!nearest.length) return;
    byId("why").append("Did you mean ", ...nearest.flatMap((word, n) => [n ? (n + 1 < nearest.length ? ", " : " or ") : "", this.asking(word, { q: word })]), "?");
  }

  // Tables or folders that were found, to filter by.
  leadingTo(what, numbers) {
    const most = 8, left = numbers.length - most;
    if (!numbers.length) return [];
    const each = Array.from(numbers.slice(0, most)).flatMap((n, at) => [at ? ", " : "", this.asking(this.nameOf(what, n), { q: "", [what]: n })]);
    return [`Found ${counted(numbers.length, what)}: `, ...each, left > 0 ? ` and ${left} more. ` : ". "];
  }

  asking(label, change) {
    return button(said(label), () => {
      this.ask(change);
      byId("query").value = this.asked.q;
    }, { class: "link" });
  }

  whyNothing() {
    const { variables, codes } = this.found, inUse = FILTERS.filter((what) => this.asked[what] !== null);
    const query = this.asked.q.trim();
    const free = Object.fromEntries(FILTERS.map((what) => [what, null]));
    if (!variables.length && !codes.length) return [`No variable${this.system.head.codes ? " or code" : ""} matches “${query}”. `];
    const others = [variables.length && counted(variables.length, "variable"), codes.length && counted(codes.length, "code")].filter(Boolean);
    return ["Nothing", ...(query ? [` matches “${query}”`] : []), " in ", ...inUse.flatMap((what, n) => [n ? " and " : "", `${what} `, said(this.nameOf(what, this.asked[what]))]), `. Elsewhere: ${listed(others)}. `, this.asking("Search everywhere", free), " "];
  }

  nameOf(what, value) {
    const { tables, kinds, folders } = this.system.head;
    return { table: () => tables[value].name, kind: () => KINDS.get(kinds[value]) ?? kinds[value], folder: () => folders[value].name }[what]();
  }

  variableRow(row) {
    const folder = this.system.folderOf[row], words = this.words;
    const kind = this.system.kindOf(row);
    const size = this.system.of(row, "num_codes");
    return el(
      "tr", {},
      cell("what", el("a", { href: this.linkTo(this.system.of(row, "name")) }, said(this.system.labelOf(row), words))),
      cell("name", said(this.system.of(row, "name"), words)),
      cell("kind", el("span", { class: "badge" }, KINDS.get(kind) ?? kind)),
      cell("table", said(this.system.head.tables[this.system.table[row]].name, words)),
      cell("folder", folder < 0 ? "" : said(this.system.head.folders[folder].name, words)),
      cell("number", size === null ? "" : grouped(size)),
    );
  }

  groupRow(row) {
    const { system } = this, name = system.of(row, "name");
    return el("tr", { class: "group" }, el("th", { scope: "rowgroup", colspan: this.codes.columns.length }, el("a", { href: this.linkTo(name) }, said(system.labelOf(row))), " ", el("span", { class: "name" }, said(name)), el("span", { class: "quiet" }, " · ", said(system.head.tables[system.table[row]].name), ` · ${counted(this.hits[row], "code")}`)));
  }

  codeRow(code) {
    const row = this.system.variableOf[code], words = this.words;
    const count = this.system.columns["code.count"].at(code), value = this.system.columns["code.code"].at(code);
    return el(
      "tr", {},
      cell("what", el("a", { href: this.linkTo(this.system.of(row, "name"), { code: value }) }, said(this.system.columns["code.description"].at(code), words))),
      cell("value", said(value, words)),
      cell("of", said(this.system.labelOf(row), words)),
      cell("number", count === null ? "" : grouped(count)),
    );
  }

  // How many of the variables that were found, by themselves or by a code, each filter leaves:
  // the others that are chosen narrow them down, too.
  numbers(filters) {
    const { system, found } = this, { head } = system;
    const isFound = new Uint8Array(head.variables), { variables, codes } = found;
    for (let n = 0; n < variables.length; n++) isFound[variables[n]] = 1;
    for (let n = 0; n < codes.length; n++) isFound[system.variableOf[codes[n]]] = 1;
    const passing = (own) => filters.reduce((left, allowed, n) => (n === own || !allowed ? left : left.map((is, row) => is & allowed[row])), isFound);
    const [table, kind] = [system.table, system.kind].map((of, own) => {
      const numbers = new Uint32Array(own ? head.kinds.length : head.tables.length), passes = passing(own);
      for (let row = 0; row < passes.length; row++) numbers[of[row]] += passes[row];
      return numbers;
    });
    const passes = passing(2);
    const within = grouping(head.folders.map(({ parent }) => parent));
    // A variable may be in two folders of one: it counts once there.
    const folder = new Uint32Array(head.folders.length), last = new Int32Array(head.variables).fill(-1);
    const isNested = head.folders.some(({ parent }) => parent !== null);
    const members = (n) => [...system.members[n], ...(within.get(n) ?? []).flatMap(members)];
    head.folders.forEach((_, n) => {
      for (const row of isNested ? members(n) : system.members[n]) {
        if (last[row] === n || !passes[row]) continue;
        last[row] = n;
        folder[n]++;
      }
    });
    return { table, kind, folder };
  }

  // The filters are drawn anew where one is chosen; a search changes their numbers alone.
  drawFilters(filters) {
    const chosen = FILTERS.map((what) => this.asked[what]).join();
    if (chosen !== this.drawnFor) this.drawChoices();
    this.drawnFor = chosen;
    const numbers = this.numbers(filters);
    for (const { what, value, choice, number } of this.choices) {
      const count = numbers[what][value], text = grouped(count);
      if (number.textContent !== text) number.textContent = text;
      choice.classList.toggle("none", !count);
    }
  }

  drawChoices() {
    const { tables, kinds, folders } = this.system.head, { asked } = this;
    const focused = this.choices?.find(({ choice }) => choice === document.activeElement);
    this.choices = [];
    const choose = (what, value) => {
      const number = el("span", { class: "number" });
      const choice = button(said(this.nameOf(what, value)), () => this.ask({ [what]: this.asked[what] === value ? null : value }), { "aria-pressed": String(asked[what] === value) });
      choice.append(number);
      this.choices.push({ what, value, choice, number });
      return choice;
    };
    const tree = (what, within, at, isOpen = () => true) => {
      const inside = within.get(at) ?? [];
      return inside.length ? el("ul", {}, ...inside.map((n) => el("li", {}, choose(what, n), isOpen(n) ? tree(what, within, n, isOpen) : null))) : null;
    };
    const put = (id, inside) => {
      byId(id).querySelector("ul")?.remove();
      byId(id).hidden = !inside;
      if (inside) byId(id).append(inside);
    };
    put("tables", tree("table", grouping(tables.map((_, n) => this.system.parentOf(n))), null));
    put("kinds", kinds.length ? el("ul", {}, ...kinds.map((_, n) => el("li", {}, choose("kind", n)))) : null);
    // Folders open as they are chosen, so that a thousand of them are no longer a list than ten.
    const chain = asked.folder === null ? [] : this.system.foldersOf(asked.folder);
    put("folders", tree("folder", grouping(folders.map((f) => f.parent)), null, (n) => chain.includes(n)));
    if (focused) this.choices.find(({ what, value }) => what === focused.what && value === focused.value)?.choice.focus();
    const chips = FILTERS.filter((what) => asked[what] !== null).map((what) =>
      el("button", { type: "button", click: () => this.ask({ [what]: null }) }, el("span", { class: "quiet" }, `${what} `), said(this.nameOf(what, asked[what])), el("span", { class: "unseen" }, ", remove this filter"), el("span", { "aria-hidden": "true", class: "cross" }, "×")));
    byId("chips").replaceChildren(...chips);
    byId("table").replaceChildren(...(asked.table === null ? [] : [this.tableCard(asked.table)]));
  }

  tableCard(number) {
    const table = this.system.head.tables[number];
    const parent = this.system.head.tables[this.system.parentOf(number)];
    const facts = [counted(table.total_records, "record"), counted(table.variable_count, "variable")];
    if (table.is_people) facts.push("people table");
    if (table.is_default) facts.push("default table");
    const about = [el("h2", {}, said(table.name)), el("p", {}, facts.join(" · ")), el("p", { class: "quiet" }, "One record is a ", said(table.singular), ", several are ", said(table.plural), ".")];
    if (parent) about.push(el("p", { class: "quiet" }, said(parent.name), " ", said(table.child_relationship), " ", said(table.name), "; ", said(table.name), " ", said(table.parent_relationship), " ", said(parent.name), "."));
    return el("div", { class: "card" }, ...about);
  }

  // What the address says is shown.
  route() {
    const { name, parts } = this.read(), { tables, kinds } = this.system.head;
    clearTimeout(this.writing);
    this.leaveList();
    this.isTyped = false;
    this.routed = location.hash;
    const place = (of) => (of < 0 ? null : of);
    this.asked = {
      q: parts.get("q") ?? "",
      table: place(tables.findIndex((table) => table.name === parts.get("table"))),
      kind: place(kinds.indexOf(parts.get("kind"))),
      folder: parts.has("folder") ? this.system.folderNamed(parts.get("folder")) : null,
    };
    byId("query").value = this.asked.q;
    if (name === null) {
      this.of = {};
      this.write("in place"); // without filters that the system does not have
      this.returnToList();
      return;
    }
    const of = Object.fromEntries(["find", "sort", "code"].map((key) => [key, parts.get(key) ?? undefined]));
    const rows = this.system.meant(name);
    this.of = { name: rows.length === 1 ? this.system.of(rows[0], "name") : name, ...of };
    if (rows.length === 1) this.write("in place"); // its own name, however it was written
    byId("list").hidden = true;
    byId("page").hidden = false;
    scrollTo(0, 0);
    this.found = this.found?.query === this.asked.q ? this.found : undefined;
    if (rows.length === 1) this.showVariable(rows[0]);
    else this.showSeveral(name, rows);
    this.find(); // for the numbers beside the filters
    if (this.of.code === undefined) byId("page").querySelector("h2").focus({ preventScroll: true });
  }

  leaveList() {
    if (byId("list").hidden || this.routed === undefined) return;
    this.scrolls.set(this.routed, { top: scrollY, row: document.activeElement?.closest("#list tr")?.dataset.row, section: document.activeElement?.closest("#variables, #codes")?.id });
  }

  async returnToList() {
    this.showList();
    const turn = this.turn + 1;
    await this.find();
    if (turn !== this.turn) return;
    const { top, row, section } = this.scrolls.get(this.routed) ?? {};
    if (top === undefined) return;
    if (top) this.lists.forEach((list) => list.isLong || list.drawTo(list.count));
    scrollTo(0, top);
    this.lists.forEach((list) => list.update());
    if (row !== undefined) document.querySelector(`#${section} [data-row="${row}"] a`)?.focus({ preventScroll: true });
  }

  back() {
    const isAsked = this.asked.q || FILTERS.some((what) => this.asked[what] !== null);
    return el("p", { class: "back" }, el("a", { href: this.address({}) }, isAsked ? "← Back to what was found" : "← All variables"));
  }

  showVariable(row) {
    const { system } = this, page = byId("page");
    page.replaceChildren(); // nothing of another variable stays, whatever happens
    document.title = `${system.labelOf(row)}: ${system.head.system.name}`;
    page.replaceChildren(this.back(), ...variablePage(system, row, (what, value) => this.ask({ q: "", table: null, kind: null, folder: null, [what]: value }), (name) => this.address({ name })));
    const asked = this.of;
    const changed = (change) => {
      this.of = { ...this.of, ...change, code: undefined };
      this.write("typed");
    };
    const everywhere = (q) => {
      byId("query").value = q;
      this.ask({ q, table: null, kind: null, folder: null });
    };
    this.lists = []; // the codes may scroll to one of them
    const within = async (query, isOver) => {
      await this.grown;
      const rows = isOver() ? undefined : await inSteps(this.search.within(row, query), isOver);
      return rows && { rows, words: this.search.marked ?? wordsOf(query) };
    };
    const list = drawCodes(system, row, byId("its-codes"), asked, changed, everywhere, within);
    this.lists = list ? [list] : [];
  }

  // No variable, or several, are meant by what stands in the address.
  showSeveral(name, rows) {
    this.lists = [];
    const links = rows.map((row) => el("li", {}, el("a", { href: this.linkTo(this.system.of(row, "name")) }, said(this.system.labelOf(row))), " ", el("code", {}, said(this.system.of(row, "name"))), " ", said(this.system.head.tables[this.system.table[row]].name)));
    const search = button("Search for it", () => {
      byId("query").value = name;
      this.ask({ q: name, table: null, kind: null, folder: null });
    }, { class: "link" });
    const page = rows.length ? [el("h2", { tabindex: "-1" }, `${counted(rows.length, "variable")} of that name`), el("ul", {}, ...links)] : [el("h2", { tabindex: "-1" }, "No such variable"), el("p", {}, "No variable is called ", said(name), ". ", search)];
    byId("page").replaceChildren(this.back(), ...page);
  }

  showList() {
    byId("page").hidden = true;
    byId("page").replaceChildren();
    byId("list").hidden = false;
    document.title = `${this.system.head.system.name}: data dictionary`;
    this.lists = [this.variables, this.codes];
  }
}

try {
  const data = byId("data");
  const parts = await unpacked(data.textContent);
  data.remove();
  new Dictionary(new System(...parts)).open();
  document.documentElement.dataset.opened = Math.round(performance.now());
} catch (error) {
  byId("opening").textContent = `This page could not be opened (${error}). It needs a browser of 2023 or later.`;
  throw error;
}
