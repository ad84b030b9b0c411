// Where the reader is, and how one gets on: step by step, by playing, by an address that holds it all.
const at = {conn: -1, step: 0, tab: "why", story: null, drawn: null, zoom: 1};
const play = {timer: 0, address: 0};

const NARROW = "(max-width: 899px)"; // as in page.css

function say(words) {
  if ($("live").textContent !== words) $("live").textContent = words;
}

// ---- the address: #conn=3&step=12&tab=why ----

function addressOf() {
  if (at.conn < 0) return "";
  return `#conn=${list.all[at.conn].name}&step=${at.step + 1}&tab=${at.tab}${guess.on ? "&guess=1" : ""}${search.words ? `&search=${encodeURIComponent(search.words)}` : ""}`;
}
// Now and then: a key that is held down steps faster than browsers let addresses change.
function writeAddress() {
  if (!play.address) play.address = setTimeout(writeAddressNow, 120);
}
function writeAddressNow() {
  const address = addressOf();
  clearTimeout(play.address);
  play.address = 0;
  if (!address || address === location.hash) return;
  try {
    history.replaceState(null, "", address);
  } catch (e) {
    /* a browser that counts them: the next one will do */
  }
}
function readAddress() {
  const asked = new URLSearchParams(location.hash.slice(1)),
    row = list.all.find(each => each.name === asked.get("conn"));
  if (TABS.includes(asked.get("tab"))) at.tab = asked.get("tab");
  if (asked.get("guess") === "1" && !guess.on) setGuess(true);
  const first = list.shown.length ? list.shown[0].index : -1;
  choose(row ? row.index : at.conn >= 0 ? at.conn : first, (parseInt(asked.get("step"), 10) || 1) - 1);
  if (asked.get("search") && at.story) {
    $("search").value = asked.get("search");
    startSearch(true);
  }
}

// ---- a connection, a step ----

function choose(index, step) {
  if (index < 0) {
    showTab();
    return;
  }
  if (index !== at.conn) {
    stopPlaying();
    at.conn = index;
    at.story = readStory(index);
    at.drawn = null;
    guess.shown = -1;
    const title = RUN.title && list.all.length === 1 ? RUN.title : null;
    $("title").replaceChildren(...(title ? [plain(title[0])] : spans(at.story.title)));
    $("question").replaceChildren(...spans(at.story.question));
    document.title = `${plain(at.story.title)} \u00b7 tcpwhy`;
    const last = at.story.rows.length;
    $("figure-box").hidden = !at.story.first.some(name => name) && !at.story.rows.some(row => row.states.length); // UDP has no states
    $("slider").max = Math.max(1, last);
    endSearch();
    showSelected();
  }
  goTo(step || 0);
}

function draw() {
  const width = Math.max(300, Math.floor($("picture").clientWidth) - 2),
    from = Math.floor(at.step / ROWS_DRAWN) * ROWS_DRAWN;
  if (at.drawn && at.drawn.width === width && at.drawn.from === from) return;
  const drawing = new Draw(new Lay(at.story, width, from));
  at.drawn = {width, from, drawing};
  $("drawing").replaceChildren(...[partWords(from), drawing.svg, partWords(from)].filter(part => part));
  $("legend").replaceChildren(...legend(drawing.lay.signs));
  showZoom();
  showFound();
}

// Of a long connection a part is drawn: which, and the way to its neighbours.
function partWords(from) {
  const rows = at.story.rows.length,
    to = Math.min(rows, from + ROWS_DRAWN);
  if (rows <= ROWS_DRAWN) return null;
  const words = el("p", {class: "none"}, `${tr("steps %s to %s of %s are drawn", grouped(from + 1), grouped(to), grouped(rows))} `);
  if (from > 0) words.append(stepLink(from - 1, tr("those before")), " ");
  if (to < rows) words.append(stepLink(to, tr("those behind")));
  return words;
}

function showZoom() {
  if (!at.drawn) return;
  const {svg, lay} = at.drawn.drawing;
  svg.setAttribute("width", Math.round(at.drawn.width * at.zoom));
  svg.setAttribute("height", Math.round(Math.ceil(lay.height) * at.zoom));
}

function showStep(row) {
  draw();
  const hidden = guess.on && guess.shown < at.step,
    extent = at.drawn.drawing.mark(row.index, guess.on ? Math.max(row.index, guess.shown) : -1);
  $("picture").classList.toggle("asking", hidden);
  hideAnswers(hidden ? row.index : -1, guess.on ? Math.max(row.index, guess.shown) : Infinity);
  lightFigure(at.story, row.index, hidden);
  keepInSight(extent);
  $("where").textContent = `${tr("step %s of %s", row.index + 1, at.story.rows.length)} \u00b7 ${timeWords(row.t)} ms`;
  $("slider").value = row.index + 1;
  $("slider").setAttribute("aria-valuetext", sentenceOf(row, hidden));
  for (const [id, off] of [
    ["first", row.index === 0],
    ["back", row.index === 0],
    ["on", row.index + 1 === at.story.rows.length],
    ["last", row.index + 1 === at.story.rows.length]
  ])
    $(id).disabled = off;
  say(sentenceOf(row, hidden));
}

function keepInSight(extent) {
  const box = $("picture"),
    narrow = matchMedia(NARROW).matches,
    svg = at.drawn.drawing.svg;
  const top = extent[0] * at.zoom,
    bottom = extent[1] * at.zoom;
  if (narrow) {
    if (at.moved) at.drawn.drawing.now.scrollIntoView({block: "nearest"});
    return;
  }
  const offset = svg.getBoundingClientRect().top - box.getBoundingClientRect().top + box.scrollTop;
  let to = box.scrollTop;
  if (offset + bottom > to + box.clientHeight - 60) to = offset + bottom - box.clientHeight + 140;
  if (offset + top < to + 40) to = Math.max(0, offset + top - 80);
  const still = Math.abs(to - box.scrollTop) > 500 || matchMedia("(prefers-reduced-motion: reduce)").matches;
  if (to !== box.scrollTop) box.scrollTo({top: to, behavior: still ? "instant" : "smooth"});
}

function goTo(step) {
  if (!at.story) return;
  const rows = at.story.rows;
  at.step = Math.min(Math.max(0, step), Math.max(0, rows.length - 1));
  if (rows.length) showStep(rows[at.step]);
  else {
    $("drawing").replaceChildren(el("p", {class: "none"}, tr("Nothing is known of this connection that could be drawn.")));
    $("where").textContent = "";
  }
  showTab();
  writeAddress();
}

// ---- playing ----

function stopPlaying() {
  clearInterval(play.timer);
  play.timer = 0;
  $("play").setAttribute("aria-pressed", "false");
  $("play").textContent = tr("play");
}
function startPlaying() {
  if (!at.story || !at.story.rows.length) return;
  clearInterval(play.timer);
  if (at.step + 1 >= at.story.rows.length) goTo(0);
  play.timer = setInterval(
    () => {
      if (at.step + 1 >= at.story.rows.length) stopPlaying();
      else goTo(at.step + 1);
    },
    1200 / parseFloat($("speed").value)
  );
  $("play").setAttribute("aria-pressed", "true");
  $("play").textContent = tr("pause");
}
const togglePlaying = () => (play.timer ? stopPlaying() : startPlaying());

// ---- what one takes along ----

async function copyLink() {
  writeAddressNow();
  const link = location.href;
  try {
    await navigator.clipboard.writeText(link);
    say(tr("the link is copied"));
    $("copy").textContent = tr("copied");
  } catch (e) {
    const field = el("textarea", {"aria-label": "link"}, link);
    document.body.append(field);
    field.select();
    const done = document.execCommand("copy");
    field.remove();
    $("copy").textContent = done ? tr("copied") : tr("see the address");
    say(done ? tr("the link is copied") : tr("the link is in the address bar"));
  }
  setTimeout(() => {
    $("copy").textContent = tr("copy link");
  }, 2000);
}

// The drawing with its style sheet, without the marks of stepping.
function drawingText() {
  const svg = at.drawn.drawing.svg.cloneNode(true);
  for (const mark of svg.querySelectorAll(".w-now, .w-hit, .w-found, .w-cover")) mark.remove();
  svg.setAttribute("width", at.drawn.width);
  svg.setAttribute("height", Math.ceil(at.drawn.drawing.lay.height));
  svg.querySelector("defs").before(pen("style", {}, $("sheet").textContent));
  return new XMLSerializer().serializeToString(svg);
}
function saveDrawing() {
  if (!at.drawn) return;
  const address = URL.createObjectURL(new Blob([drawingText()], {type: "image/svg+xml"}));
  const link = el("a", {href: address, download: `tcpwhy-${list.all[at.conn].name}.svg`});
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 10000);
}
