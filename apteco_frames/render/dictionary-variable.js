// The page of a variable: all that is known of it, and its codes.

const VALUES_OF = new Map([["SingleValue", "One"], ["OrArray", "Several (or)"], ["AndArray", "Several (and)"], ["OrBitArray", "Flags (or)"], ["AndBitArray", "Flags (and)"]]);

// What each column is called, and how its values are written.
const FACTS = [
  ["selector_type", "Values of a record", (text) => VALUES_OF.get(text) ?? text],
  ["sub_type", "Values are"],
  ["num_codes", "Number of codes", grouped],
  ["code_length", "Length of a code", bytes],
  ["var_code_min_count", "Smallest code", records],
  ["var_code_max_count", "Largest code", records],
  ["var_code_order", "Order of codes"],
  ["min_date", "Earliest", dated],
  ["max_date", "Latest", dated],
  ["combined_from", "Summarises"],
  ["unclassified_code", "Code for no value"],
  ["unclassified_description", "Described as"],
  ["min_value", "Smallest value", grouped],
  ["max_value", "Largest value", grouped],
  ["is_currency", "Is money", yesOrNo],
  ["currency_symbol", "Currency symbol"],
  ["currency_locale", "Currency locale"],
  ["decimal_places", "Decimal places"],
  ["max_length", "Longest text", bytes],
  ["reference_type", "Reference to"],
  ["reference_length", "Longest value", bytes],
  ["is_selectable", "Selections may use it", yesOrNo],
  ["is_browsable", "May be browsed", yesOrNo],
  ["is_exportable", "May be exported", yesOrNo],
  ["is_virtual", "Made after the build", yesOrNo],
  ["api_type", "Type in the API"],
  ["folder_name", "Folder, as the variable names it"],
  ["path", "Path in the API"],
];

const back = () => el("p", { class: "back" }, el("a", { href: "#" }, "← All variables"));

// What stands on the page; `choose` is called with what to filter by.
function variablePage(system, row, choose) {
  const name = system.of(row, "name"), notes = system.of(row, "notes");
  const kind = system.kindOf(row);
  const facts = [...placesOf(system, row, choose), ...factsOf(system, row)];
  return [
    back(),
    el("h2", { tabindex: "-1" }, said(system.labelOf(row))),
    el("p", { class: "under" }, el("code", {}, said(name)), " ", el("span", { class: "badge" }, KINDS.get(kind) ?? kind)),
    notes ? el("p", { class: "notes" }, said(notes)) : "",
    el("dl", {}, ...facts.map(([title, value]) => el("div", {}, el("dt", {}, title), el("dd", {}, ...value)))),
  ];
}

function placesOf(system, row, choose) {
  const { tables, folders } = system.head;
  const chain = (what, numbers, nouns) =>
    numbers.flatMap((number, n) => [
      n ? el("span", { class: "quiet", "aria-hidden": "true" }, " › ") : "",
      el("button", { type: "button", class: "link", click: () => choose(what, number) }, said(nouns[number].name)),
    ]);
  const inside = system.foldersWith(row).map((n) => ["Folder", chain("folder", system.foldersOf(n), folders)]);
  return [["Table", chain("table", system.ancestorsOf(system.table[row]), tables)], ...inside];
}

// What is known of it, but for what the page tells elsewhere.
function factsOf(system, row) {
  const told = { api_type: [system.kindOf(row)], folder_name: system.foldersWith(row).map((n) => system.head.folders[n].name) };
  return FACTS.flatMap(([column, title, written = (text) => text]) => {
    const text = system.of(row, column);
    if (text === null || text === "" || told[column]?.includes(text)) return [];
    if (column === "combined_from") return [[title, [el("a", { href: linkTo(text) }, said(text))]]];
    const value = said(written(text));
    return [[title, [column === "unclassified_code" ? el("code", {}, value) : value]]];
  });
}

function whyNoCodes(system, row) {
  if (system.refused.has(row)) return "The API refused the codes of this variable.";
  if (system.unread.has(row)) return "The codes of this variable were not read when this page was made.";
  return system.of(row, "num_codes") === null ? null : "The variable lists no codes.";
}

// The codes of a variable, put into a place; gives their list, if there is one. The code that
// is `marked` stands out.
function drawCodes(system, row, place, marked) {
  const first = system.firstCode[row], size = system.sizes[row], why = whyNoCodes(system, row);
  if (!size && !why) return null;
  const title = el("h3", {}, "Codes ", el("span", { class: "quiet" }, size ? grouped(String(size)) : ""));
  place.append(title);
  if (!size) {
    place.append(el("p", { class: "quiet" }, why));
    return null;
  }
  const { "code.code": code, "code.description": description, "code.count": count } = system.columns;
  const table = system.head.tables[system.table[row]], total = Number(table.total_records);
  const all = Array.from({ length: size }, (_, n) => first + n);
  const largest = all.reduce((most, at) => Math.max(most, Number(count.at(at) ?? 0)), 0);
  let rows = all, words = [];
  const body = el("div");
  const list = new Rows(body, "Codes", "category", [["what", "Description"], ["value", "Code"], ["number", "Records"], ["share", "Share"]], (n) => {
    const at = rows[n], number = count.at(at), value = Number(number ?? 0);
    const bar = el("i");
    bar.style.width = `${largest > 0 ? Math.max(0, (100 * value) / largest) : 0}%`;
    return el(
      "div", { class: at === marked ? "category wanted" : "category" },
      cell("what", said(description.at(at), words)),
      cell("value", said(code.at(at), words)),
      cell("number", number === null ? "not known" : grouped(number)),
      cell("share", el("span", {}, number === null || total <= 0 ? "" : shareOf(value / total)), bar),
    );
  });
  if (size > 12) {
    const found = el("p", { class: "unseen", role: "status" });
    const find = (event) => {
      words = wordsOf(event.target.value);
      const holds = (at) => {
        const text = folded(`${code.at(at)} ${description.at(at)}`);
        return words.every((word) => text.includes(word));
      };
      rows = words.length ? all.filter(holds) : all;
      list.show(rows.length);
      found.textContent = counted(rows.length, "code");
    };
    title.append(el("input", { type: "search", class: "small", placeholder: "Find in these codes", "aria-label": "Find in these codes", autocomplete: "off", spellcheck: "false", input: find }));
    place.append(found);
  }
  place.append(body, el("p", { class: "quiet" }, "The order is the system's own. Shares are of all records of ", said(table.name), "."));
  list.show(size);
  return list;
}
