// Search in the steps of a connection: what they say, why, and what calls were given.
const search = {rows: [], words: ""};

function wordsOf(row) {
  const parts = [
    plain(row.label),
    ...row.notes.map(note => `${plain(note.words)} ${note.evidence}`),
    ...row.states.map(state => state.name)
  ];
  if (row.packet) parts.push(plain(row.packet.detail), row.packet.what, row.packet.options);
  if (row.call) parts.push(callWords(row.call), row.call.process, row.call.result, row.call.wake);
  return parts.join(" ").toLowerCase();
}
function findRows(words) {
  const found = new Set(at.story.rows.filter(row => wordsOf(row).includes(words)).map(row => row.index));
  for (const finding of at.story.findings)
    if (`${finding.id} ${finding.words}`.toLowerCase().includes(words)) for (const row of finding.rows) found.add(row);
  return [...found].sort((a, b) => a - b);
}

function showFound() {
  if (at.drawn) at.drawn.drawing.markFound(search.rows);
  const place = search.rows.indexOf(at.step);
  $("matched").textContent = !search.words
    ? ""
    : !search.rows.length
      ? tr("no match")
      : place >= 0
        ? tr("%s of %s", place + 1, search.rows.length)
        : tr(search.rows.length === 1 ? "%s match" : "%s matches", search.rows.length);
  for (const id of ["search-back", "search-on"]) $(id).hidden = !search.rows.length;
}
// Goes to a match, unless a link says where.
function startSearch(byLink) {
  search.words = $("search").value.trim().toLowerCase();
  search.rows = search.words && at.story ? findRows(search.words) : [];
  if (byLink !== true && search.rows.length && !search.rows.includes(at.step)) goTo(search.rows.find(row => row >= at.step) ?? search.rows[0]);
  showFound();
  writeAddress();
}
function searchOn(by) {
  if (!search.rows.length) return;
  const next =
    by > 0
      ? (search.rows.find(row => row > at.step) ?? search.rows[0])
      : (search.rows.findLast(row => row < at.step) ?? search.rows[search.rows.length - 1]);
  goTo(next);
  showFound();
}
function endSearch() {
  $("search").value = "";
  search.words = "";
  search.rows = [];
  showFound();
  writeAddress();
}
