// The page of a variable: what it is, where it stands, its codes, and what else is known.

const VALUES_OF = new Map([["SingleValue", "One"], ["OrArray", "Several (or)"], ["AndArray", "Several (and)"], ["OrBitArray", "Flags (or)"], ["AndBitArray", "Flags (and)"]]);

// What is shown elsewhere on the page; of all other columns, how values are written.
const SHOWN = new Set(["description", "name", "type", "table_name", "folder", "notes"]);
const WRITTEN = new Map(Object.entries({
  selector_type: (text) => VALUES_OF.get(text) ?? text,
  num_codes: grouped,
  code_length: bytes,
  var_code_min_count: records,
  var_code_max_count: records,
  min_date: dated,
  max_date: dated,
  min_value: grouped,
  max_value: grouped,
  is_currency: yesOrNo,
  max_length: bytes,
  reference_length: bytes,
  is_selectable: yesOrNo,
  is_browsable: yesOrNo,
  is_exportable: yesOrNo,
  is_virtual: yesOrNo,
}));

const pairs = (facts) => facts.map(([title, value]) => el("div", {}, el("dt", {}, title), el("dd", {}, ...value)));
const badge = (text) => el("span", { class: "badge" }, text);

// What stands on the page; `choose` is called with what to filter by, `linkTo` with a variable.
function variablePage(system, row, choose, linkTo) {
  const notes = system.of(row, "notes"), kind = system.kindOf(row);
  const facts = [...system.given(row).map(([title, text]) => [title, [said(text)]]), ...factsOf(system, row, linkTo)];
  const hasCodes = system.sizes[row] > 0;
  return [
    el("h2", { tabindex: "-1" }, said(system.labelOf(row))),
    el("p", { class: "under" }, el("code", {}, said(system.of(row, "name"))), " ", badge(KINDS.get(kind) ?? kind), system.of(row, "is_virtual") === "true" ? badge("Virtual") : "", hasCodes ? button("All facts", showFacts, { class: "link facts-link" }) : ""),
    notes ? el("p", { class: "notes" }, said(notes)) : "",
    el("dl", { class: "where" }, ...pairs(placesOf(system, row, choose))),
    el("section", { id: "its-codes" }),
    el("details", { class: "facts", open: hasCodes ? null : "" }, el("summary", {}, "All facts"), el("dl", {}, ...pairs(facts))),
  ];
}

function showFacts() {
  const facts = document.querySelector("#page .facts");
  facts.open = true;
  facts.scrollIntoView({ block: "center" });
  facts.querySelector("summary").focus({ preventScroll: true });
}

function placesOf(system, row, choose) {
  const { tables, folders } = system.head;
  const chain = (what, numbers, nouns) =>
    numbers.flatMap((number, n) => [
      n ? el("span", { class: "quiet" }, " › ") : "",
      el("button", { type: "button", class: "link", click: () => choose(what, number) }, said(nouns[number].name)),
    ]);
  const inside = system.foldersWith(row).map((n) => ["Folder", chain("folder", system.foldersOf(n), folders)]);
  return [["Table", chain("table", system.ancestorsOf(system.table[row]), tables)], ...inside];
}

// What is known of it, but for what the page tells elsewhere.
function factsOf(system, row, linkTo) {
  const told = { api_type: [system.kindOf(row)], folder_name: system.foldersWith(row).map((n) => system.head.folders[n].name) };
  return Object.entries(system.head.titles).flatMap(([column, title]) => {
    const text = SHOWN.has(column) ? null : system.of(row, column), written = WRITTEN.get(column) ?? ((text) => text);
    if (text === null || text === "" || told[column]?.includes(text)) return [];
    if (column === "combined_from") return [[title, [el("a", { href: linkTo(text) }, said(text))]]];
    const value = said(written(text));
    return [[title, [column === "unclassified_code" ? el("code", {}, value) : value]]];
  });
}

function whyNoCodes(system, row) {
  if (system.refused.has(row)) return "The API refused the codes of this variable.";
  if (system.unread.has(row)) return "The codes of this variable were not loaded when this page was made.";
  return system.of(row, "num_codes") === null ? null : "This variable has no codes.";
}

const ORDERS = new Map([[null, "none"], ["most", "descending"], ["fewest", "ascending"]]);

// The codes of a variable, put into a place. `asked` says which are to be found, in which
// order, and which code stands out; `changed` is told what the reader asks then, `everywhere`
// what to search outside of these codes, and `within` finds a query among them: it gives the
// rows, and the words to mark. Gives the list, if there is one.
function drawCodes(system, row, place, asked, changed, everywhere, within) {
  const first = system.firstCode[row], size = system.sizes[row], why = whyNoCodes(system, row);
  if (!size && !why) return null;
  if (!size) {
    place.append(el("h3", {}, "Codes"), el("p", { class: "quiet" }, why));
    return null;
  }
  const { "code.code": code, "code.description": description, "code.count": count } = system.columns;
  const table = system.head.tables[system.table[row]], total = Number(table.total_records);
  const shareAt = (at) => (count.at(at) === null || total <= 0 ? null : Number(count.at(at)) / total);
  let largest = 0;
  for (let at = first; at < first + size; at++) largest = Math.max(largest, Number(count.at(at) ?? 0));
  const all = Uint32Array.from({ length: size }, (_, n) => first + n);
  let turn = 0, words = [], { find = "", sort = null } = asked, marked;
  const list = new List(place, {
    name: "Codes", kind: "category", file: () => `${system.of(row, "name")} codes`,
    columns: [
      { key: "what", title: "Description", value: (at) => description.at(at) },
      { key: "value", title: "Code", value: (at) => code.at(at), widest: () => code.longest(first, first + size), most: 0.25, extra: 1.2 },
      { key: "number", title: "Records", value: (at) => (count.at(at) === null ? null : plainNumber(count.at(at))), widest: () => (count.longest(first, first + size) === NULL ? "not known" : grouped(count.longest(first, first + size))), extra: 1 },
      { key: "share", title: "Share", value: (at) => (shareAt(at) === null ? null : shareOf(shareAt(at))), widest: () => "100.0%", gives: true, extra: 9 },
    ],
    draw: (at) => {
      const number = count.at(at), share = shareAt(at), bar = el("i");
      bar.style.setProperty("--part", largest > 0 ? Math.max(0, Number(number ?? 0) / largest) : 0);
      return el(
        "tr", at === marked ? { class: "wanted" } : {},
        cell("what", said(description.at(at), words)),
        cell("value", said(code.at(at), words)),
        cell("number", number === null ? "not known" : grouped(number)),
        cell("share", el("span", {}, share === null ? "" : shareOf(share)), bar),
      );
    },
  });
  const nothing = el("p", { class: "nothing", hidden: "" }), state = el("p", { class: "unseen", role: "status" });
  const sorter = button("Records", () => {
    sort = { null: "most", most: "fewest", fewest: null }[sort];
    changed({ find, sort });
    draw();
  }, { class: "sort" });
  list.titles[2].replaceChildren(sorter);
  const draw = async () => {
    const mine = ++turn, isAsked = find.trim() !== "";
    let rows = all;
    if (isAsked) {
      const found = await within(find, () => mine !== turn);
      if (mine !== turn || !found) return;
      [rows, words] = [Uint32Array.from(found.rows), found.words];
    } else words = [];
    if (sort) rows = byCount(rows, count, sort === "most" ? -1 : 1);
    list.titles[2].setAttribute("aria-sort", ORDERS.get(sort));
    sorter.title = `${{ null: "In the system's order", most: "Most records first", fewest: "Fewest records first" }[sort]}. Click to change it.`;
    list.show(rows);
    list.title.replaceChildren(isAsked ? `${grouped(rows.length)} of ` : "", `${counted(size, "code")} of `, said(system.labelOf(row)));
    list.all.hidden = false;
    list.table.hidden = list.copy.hidden = list.save.hidden = !rows.length;
    nothing.hidden = rows.length > 0;
    if (!rows.length) nothing.replaceChildren("None of ", size === 1 ? "the 1 code" : `these ${counted(size, "code")}`, " matches ", `“${find.trim()}”. `, button("Search everywhere for it", () => everywhere(find), { class: "link" }));
    if (isAsked) state.textContent = counted(rows.length, "code");
  };
  if (size > 12 || find) {
    const input = el("input", { type: "search", class: "small", placeholder: "Find in these codes", "aria-label": "Find in these codes", autocomplete: "off", spellcheck: "false" });
    input.value = find;
    input.addEventListener("input", () => {
      find = input.value;
      changed({ find, sort });
      draw();
    });
    list.title.after(input);
  }
  list.tools.classList.add("stays");
  place.append(nothing, state, el("p", { class: "quiet after" }, "Shares are of all records of ", said(table.name), "."));
  if (asked.code !== undefined) {
    for (let at = first; at < first + size && marked === undefined; at++) if (code.at(at) === asked.code) marked = at;
  }
  const isDrawn = draw();
  if (marked !== undefined) isDrawn.then(() => list.items.includes(marked) && list.scrollTo(list.items.indexOf(marked)));
  return list;
}

const plainNumber = (text) => (Number.isSafeInteger(Number(text)) ? Number(text) : text);

// Rows by their counts, those of equal counts in their own order; what is not known comes last.
function byCount(rows, count, sign) {
  const counts = Float64Array.from(rows, (at) => (count.at(at) === null ? Infinity : sign * Number(count.at(at))));
  const places = Uint32Array.from(rows, (_, n) => n);
  return places.sort((a, b) => counts[a] - counts[b] || a - b).map((n) => rows[n]);
}
