// The connections: findings first, to be sorted, searched, filtered. Rows are elements only while they are seen.
const ROW = 76;
const list = {all: [], shown: [], made: new Map()};

function options(select, first, values) {
  select.replaceChildren(el("option", {value: ""}, first), ...values.map(([value, count]) => el("option", {value}, `${value} (${count})`)));
  select.hidden = values.length < 2;
}
function counts(values) {
  const map = new Map();
  for (const value of values) if (value) map.set(value, (map.get(value) || 0) + 1);
  return [...map].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, 200);
}
// Without the number behind it: "curl[812]" is curl.
const programOf = process => process.replace(/\[\d+\]$/, "");

function setUpList() {
  list.all = readList();
  options($("filter-finding"), tr("every finding"), counts(list.all.flatMap(row => row.findings)));
  $("filter-finding").hidden = !list.all.some(row => row.findings.length);
  options($("filter-outcome"), tr("every outcome"), counts(list.all.map(row => row.outcome)));
  options($("filter-process"), tr("every process"), counts(list.all.flatMap(row => [...new Set(row.processes.map(programOf))])));
  for (const id of ["filter-finding", "filter-outcome", "filter-process", "sort"]) $(id).addEventListener("change", showList);
  $("filter").addEventListener("input", showList);
  $("list").addEventListener("scroll", drawRows, {passive: true});
  $("list").addEventListener("click", event => {
    const row = event.target.closest(".row");
    if (row) choose(+row.dataset.index);
  });
  $("list").addEventListener("keydown", event => {
    const by = {ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8}[event.key];
    if (!by) return;
    event.preventDefault();
    event.stopPropagation();
    neighbour(by);
  });
  new ResizeObserver(drawRows).observe($("list"));
  $("main").classList.toggle("is-single", list.all.length < 2);
  showList();
}

const ORDERS = {
  findings: (a, b) => b.severity - a.severity || (b.findings.length > 0) - (a.findings.length > 0) || a.index - b.index,
  number: (a, b) => a.index - b.index,
  took: (a, b) => b.took - a.took || a.index - b.index,
  bytes: (a, b) => b.bytes - a.bytes || a.index - b.index
};

function isWanted(row) {
  const finding = $("filter-finding").value,
    outcome = $("filter-outcome").value,
    program = $("filter-process").value;
  if (finding && !row.findings.includes(finding)) return false;
  if (outcome && row.outcome !== outcome) return false;
  if (program && !row.processes.some(process => programOf(process) === program)) return false;
  const wanted = $("filter").value.trim().toLowerCase();
  if (!wanted) return true;
  if (!row.words) row.words = [row.name, row.outcome, ...row.findings, ...row.ends, ...row.processes].join(" ").toLowerCase();
  return wanted.split(/\s+/).every(word => row.words.includes(word));
}

function showList() {
  list.shown = list.all.filter(isWanted).sort(ORDERS[$("sort").value]);
  const all = list.all.length,
    some = list.shown.length;
  $("list-count").textContent =
    some === all ? tr(all === 1 ? "%s connection" : "%s connections", grouped(all)) : tr("%s of %s connections", grouped(some), grouped(all));
  $("list-all").style.height = `${Math.max(1, some) * ROW}px`;
  list.made.clear();
  $("list-all").replaceChildren();
  if (!some)
    $("list-all").append(el("p", {class: "none", role: "presentation"}, all ? tr("no connection like that") : tr("no connection was seen")));
  drawRows();
}

const nameOf = (row, side) => programOf(row.processes[side]) || row.ends[side];
const portOf = end => end.slice(end.lastIndexOf(":"));

function rowElement(place) {
  const row = list.shown[place],
    worst = ["", "note", "", "error"][row.severity];
  const ports = [0, 1].some(side => programOf(row.processes[side])) ? ` ${portOf(row.ends[0])} \u2192 ${portOf(row.ends[1])}` : "";
  const many = `${tr("%s packets", grouped(row.packets))} \u00b7 ${tr("%s bytes", grouped(row.bytes))}`;
  const element = el(
    "div",
    {
      class: "row",
      role: "option",
      id: `row-${row.index}`,
      "data-index": row.index,
      "aria-selected": row.index === at.conn,
      "aria-setsize": list.shown.length,
      "aria-posinset": place + 1
    },
    el("div", {class: "b"}, `${nameOf(row, 0)} \u2192 ${nameOf(row, 1)}`),
    el(
      "div",
      {class: row.findings.length ? `found ${worst}` : "small"},
      row.findings.length ? `${row.severity > 1 ? "! " : ""}${row.findings.join(", ")}` : many
    ),
    el(
      "div",
      {class: "small"},
      `#${row.name}${ports} \u00b7 ${row.outcome}${row.soFar ? tr(" so far") : ""} \u00b7 ${durationWords(row.took)}${row.findings.length ? ` \u00b7 ${tr("%s bytes", grouped(row.bytes))}` : ""}`
    )
  );
  element.title = `${row.ends[0]} ${row.processes[0]} \u2192 ${row.ends[1]} ${row.processes[1]}`;
  element.style.top = `${place * ROW}px`;
  return element;
}

function drawRows() {
  const box = $("list"),
    from = Math.max(0, Math.floor(box.scrollTop / ROW) - 4),
    to = Math.min(list.shown.length, Math.ceil((box.scrollTop + box.clientHeight) / ROW) + 4);
  for (const [place, element] of list.made)
    if (place < from || place >= to) {
      element.remove();
      list.made.delete(place);
    }
  for (let place = from; place < to; place++)
    if (!list.made.has(place)) {
      const element = rowElement(place);
      list.made.set(place, element);
      $("list-all").append(element);
    }
  for (const element of list.made.values()) element.setAttribute("aria-selected", +element.dataset.index === at.conn);
  if (document.getElementById(`row-${at.conn}`)) box.setAttribute("aria-activedescendant", `row-${at.conn}`);
  else box.removeAttribute("aria-activedescendant");
}

function showSelected() {
  const place = list.shown.findIndex(row => row.index === at.conn),
    box = $("list");
  if (place >= 0 && (place * ROW < box.scrollTop || (place + 1) * ROW > box.scrollTop + box.clientHeight))
    box.scrollTop = Math.max(0, place * ROW - box.clientHeight / 2);
  drawRows();
}
// The connection before or behind in the list as it is shown.
function neighbour(by) {
  if (!list.shown.length) return;
  const place = list.shown.findIndex(row => row.index === at.conn);
  choose(list.shown[Math.min(list.shown.length - 1, Math.max(0, place + by))].index);
}
