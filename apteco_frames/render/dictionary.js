// The page: its list, its filters, and the way to the page of a variable.

class Dictionary {
  constructor(system) {
    this.system = system;
    this.search = new Search(system);
    this.filters = { table: null, kind: null, folder: null };
    this.query = "";
    this.turn = 0; // a search ends where another has begun
    this.shown = { variables: [], codes: [] };
    this.lists = [];
  }

  open() {
    const { system, tables, variables, codes, unread } = this.system.head;
    byId("system").replaceChildren(said(system.name));
    byId("about").replaceChildren(said(system.description ?? ""));
    const noCodes = unread.length && !codes;
    byId("figures").textContent = [
      counted(tables.length, "table"),
      counted(variables, "variable"),
      noCodes ? "codes were not read" : counted(codes, "code") + (unread.length ? `; those of ${counted(unread.length, "variable")} were not read` : ""),
      system.build_date ? `built ${system.build_date}` : "build date not known",
    ].join(" · ");
    this.variables = new Rows(byId("variables"), "Variables", "variable", [["what", "Variable"], ["name", "Name"], ["kind", "Kind"], ["table", "Table"], ["folder", "Folder"], ["number", "Codes"]], (n) => this.variableRow(this.shown.variables[n]));
    this.codes = new Rows(byId("codes"), "Codes", "code", [["what", "Description"], ["value", "Code"], ["of", "Variable"], ["table", "Table"], ["number", "Records"]], (n) => this.codeRow(this.shown.codes[n]));
    this.lists = [this.variables, this.codes];
    byId("opening").remove();
    if (!this.system.head.folders_read) byId("folders").append(el("p", { class: "quiet" }, "Those that variables name; the folders themselves were not read."));
    this.drawFilters();
    this.listen();
    this.route();
    this.grow();
  }

  // The index is made after the first rows are drawn, in steps.
  async grow() {
    await pause();
    await inSteps(this.search.growing());
    this.isReady = true;
    if (this.query) this.find();
  }

  listen() {
    const query = byId("query");
    query.addEventListener("input", () => this.ask(query.value));
    query.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.ask((query.value = ""));
      else if (event.key === "ArrowDown") {
        event.preventDefault();
        document.querySelector(".rows a")?.focus();
      } else if (event.key === "Enter") document.querySelector("#list:not([hidden]) .rows a")?.click();
    });
    addEventListener("keydown", (event) => {
      const isTyping = event.target.closest?.("input");
      if (event.key === "/" && !isTyping && !event.ctrlKey && !event.metaKey && !event.altKey) {
        event.preventDefault();
        query.focus();
        query.select();
      } else if (event.key === "Escape" && !isTyping && location.hash.length > 1) {
        // The address is asked, since it changes a moment before the variable's page is drawn.
        location.hash = "";
      }
    });
    let waits = false;
    addEventListener("scroll", () => {
      if (!waits) requestAnimationFrame(() => ((waits = false), this.lists.forEach((list) => list.update())));
      waits = true;
    }, { passive: true });
    addEventListener("resize", () => this.lists.forEach((list) => list.layOut()));
    addEventListener("hashchange", () => this.route());
    addEventListener("beforeprint", () => this.lists.forEach((list) => list.update(true)));
    addEventListener("afterprint", () => this.lists.forEach((list) => list.update()));
    const isWide = matchMedia("(min-width: 60rem)");
    const fold = () => (byId("filters").open = isWide.matches);
    isWide.addEventListener("change", fold);
    fold();
  }

  ask(text) {
    this.query = text;
    if (location.hash.length > 1) history.pushState(null, "", "#");
    this.showList();
    scrollTo(0, Math.min(scrollY, byId("list").offsetTop));
    this.find();
  }

  setFilter(what, value) {
    this.filters[what] = value;
    if (location.hash.length > 1) history.pushState(null, "", "#");
    this.showList();
    this.drawFilters();
    this.find();
  }

  allowed() {
    const { table, kind, folder } = this.filters;
    const allowed = new Uint8Array(this.system.head.variables).fill(1);
    for (let row = 0; row < allowed.length; row++) {
      if ((table !== null && this.system.table[row] !== table) || (kind !== null && this.system.kind[row] !== kind)) allowed[row] = 0;
    }
    if (folder !== null) {
      const inside = new Uint8Array(allowed.length);
      this.system.members.forEach((rows, n) => this.system.isWithin(n, folder) && rows.forEach((row) => (inside[row] = 1)));
      inside.forEach((is, row) => is || (allowed[row] = 0));
    }
    return allowed;
  }

  async find() {
    const turn = ++this.turn;
    if (this.query && !this.isReady) return; // `grow` asks again
    this.words = wordsOf(this.query);
    const allowed = this.allowed();
    const isOver = () => turn !== this.turn;
    const variables = await inSteps(this.search.variables(this.query, allowed), isOver);
    if (isOver()) return;
    byId("variables").hidden = !variables.length;
    this.shown = { variables, codes: [] };
    this.variables.show(variables.length);
    const codes = await inSteps(this.search.codesOf(this.query, allowed), isOver);
    if (isOver()) return;
    this.shown.codes = codes;
    this.codes.show(codes.length);
    this.drawStatus();
  }

  drawStatus() {
    const { variables, codes } = this.shown;
    const found = [counted(variables.length, "variable")];
    if (this.words.length && this.system.head.codes) found.push(counted(codes.length, "code"));
    const isNarrowed = this.words.length || Object.values(this.filters).some((value) => value !== null);
    byId("status").textContent = variables.length || codes.length ? found.join(", ") : isNarrowed ? "Nothing found. Try fewer or shorter words, or fewer filters." : "The system has no variables.";
  }

  variableRow(row) {
    const folder = this.system.folderOf[row], words = this.words;
    const kind = this.system.kindOf(row);
    const size = this.system.of(row, "num_codes");
    return el(
      "div", { class: "variable" },
      cell("what", el("a", { href: linkTo(this.system.of(row, "name")) }, said(this.system.labelOf(row), words))),
      cell("name", said(this.system.of(row, "name"), words)),
      cell("kind", el("span", { class: "badge" }, KINDS.get(kind) ?? kind)),
      cell("table", said(this.system.head.tables[this.system.table[row]].name, words)),
      cell("folder", folder < 0 ? "" : said(this.system.head.folders[folder].name, words)),
      cell("number", size === null ? "" : grouped(size)),
    );
  }

  codeRow(code) {
    const row = this.system.variableOf[code], words = this.words;
    const count = this.system.columns["code.count"].at(code);
    return el(
      "div", { class: "code" },
      cell("what", el("a", { href: linkTo(this.system.of(row, "name")), click: () => (this.wanted = code) }, said(this.system.columns["code.description"].at(code), words))),
      cell("value", said(this.system.columns["code.code"].at(code), words)),
      cell("of", said(this.system.labelOf(row), words)),
      cell("table", said(this.system.head.tables[this.system.table[row]].name, words)),
      cell("number", count === null ? "" : grouped(count)),
    );
  }

  drawFilters() {
    const { tables, kinds, folders } = this.system.head;
    const { filters } = this;
    const choice = (what, value, label, number) =>
      el("button", { type: "button", "aria-pressed": String(filters[what] === value), click: () => this.setFilter(what, filters[what] === value ? null : value) }, said(label), el("span", { class: "number" }, number));
    const tree = (what, within, at, note, isOpen = () => true) => {
      const inside = within.get(at) ?? [];
      return inside.length ? el("ul", {}, ...inside.map((n) => el("li", {}, choice(what, n, (what === "table" ? tables : folders)[n].name, note(n)), isOpen(n) ? tree(what, within, n, note, isOpen) : null))) : null;
    };
    const put = (id, inside) => {
      byId(id).querySelector("ul")?.remove();
      byId(id).hidden = !inside;
      if (inside) byId(id).append(inside);
    };
    const below = grouping(tables.map((_, n) => this.system.parentOf(n)));
    put("tables", tree("table", below, null, (n) => grouped(tables[n].total_records)));
    const sizes = new Array(kinds.length).fill(0);
    this.system.kind.forEach((kind) => sizes[kind]++);
    put("kinds", el("ul", {}, ...kinds.map((kind, n) => el("li", {}, choice("kind", n, KINDS.get(kind) ?? kind, grouped(String(sizes[n])))))));
    // Folders open as they are chosen, so that a thousand of them are no longer a list than ten.
    const chain = filters.folder === null ? [] : this.system.foldersOf(filters.folder);
    put("folders", tree("folder", grouping(folders.map((f) => f.parent)), null, (n) => grouped(String(folders[n].total)), (n) => chain.includes(n)));
    const names = { table: (n) => tables[n].name, kind: (n) => KINDS.get(kinds[n]) ?? kinds[n], folder: (n) => folders[n].name };
    const chips = Object.entries(filters).filter(([, value]) => value !== null).map(([what, value]) =>
      el("button", { type: "button", click: () => this.setFilter(what, null) }, el("span", { class: "quiet" }, `${what} `), said(names[what](value)), el("span", { class: "unseen" }, ", take the filter away"), el("span", { "aria-hidden": "true", class: "cross" }, "×")));
    byId("chips").replaceChildren(...chips);
    byId("table").replaceChildren(...(filters.table === null ? [] : [this.tableCard(filters.table)]));
  }

  tableCard(number) {
    const table = this.system.head.tables[number];
    const parent = this.system.head.tables[this.system.parentOf(number)];
    const facts = [`${grouped(table.total_records)} records`, counted(table.variable_count, "variable")];
    if (table.is_people) facts.push("records are people");
    if (table.is_default) facts.push("blank queries start here");
    const about = [el("h2", {}, said(table.name)), el("p", {}, facts.join(" · ")), el("p", { class: "quiet" }, "One record is a ", said(table.singular), ", several are ", said(table.plural), ".")];
    if (parent) about.push(el("p", { class: "quiet" }, said(parent.name), " ", said(table.child_relationship), " ", said(table.name), "; ", said(table.name), " ", said(table.parent_relationship), " ", said(parent.name), "."));
    return el("div", { class: "card" }, ...about);
  }

  // What the address says is shown.
  route() {
    if (location.hash.length < 2) {
      this.showList();
      if (this.isFound) this.lists.forEach((list) => list.layOut());
      else this.find();
      this.isFound = true;
      if (this.scroll !== undefined) scrollTo(0, this.scroll);
      this.lists.forEach((list) => list.update());
      if (this.lastRow) document.querySelector(`#list [data-row="${this.lastRow}"] a`)?.focus({ preventScroll: true });
      return;
    }
    if (byId("page").hidden && !byId("list").hidden) {
      this.scroll = scrollY;
      this.lastRow = document.activeElement?.closest("#list .row")?.dataset.row;
    }
    const [name, row] = this.system.named(location.hash.slice(1));
    byId("list").hidden = true;
    byId("page").hidden = false;
    scrollTo(0, 0);
    if (row === undefined) this.showNothing(name);
    else this.showVariable(row);
    byId("page").querySelector("h2").focus({ preventScroll: true });
  }

  showVariable(row) {
    const { system } = this, code = this.wanted, page = byId("page");
    this.wanted = undefined;
    page.replaceChildren(); // nothing of another variable stays, whatever happens
    document.title = `${system.labelOf(row)}: ${system.head.system.name}`;
    page.replaceChildren(...variablePage(system, row, (what, value) => this.setFilter(what, value)));
    const list = drawCodes(system, row, page, code);
    this.lists = list ? [list] : [];
    if (code !== undefined && system.variableOf[code] === row) list.scrollTo(code - system.firstCode[row]);
  }

  showNothing(name) {
    this.lists = [];
    byId("page").replaceChildren(back(), el("h2", { tabindex: "-1" }, "No such variable"), el("p", {}, "No variable is called ", said(name), "."));
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
