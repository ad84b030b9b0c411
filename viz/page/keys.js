// Keys. Single ones (letters, digits, signs, Space) can be switched off: WCAG 2.1.4.
const SINGLE = {
  "/": () => $("search").focus(),
  n: () => searchOn(1),
  N: () => searchOn(-1),
  "+": () => zoom(1.2),
  "=": () => zoom(1.2),
  "-": () => zoom(1 / 1.2),
  0: () => zoom(0),
  "?": openHelp,
  g: () => setGuess(!guess.on),
  "[": () => neighbour(-1),
  "]": () => neighbour(1),
  " ": togglePlaying
};
const PLAIN = {
  ArrowLeft: () => go(at.step - 1),
  ArrowRight: goOn,
  Home: () => go(0),
  End: () => go(at.story ? at.story.rows.length - 1 : 0)
};

function zoom(by) {
  at.zoom = by ? Math.min(4, Math.max(0.4, at.zoom * by)) : 1;
  showZoom();
  say(`${Math.round(at.zoom * 100)} percent`);
}
function go(step) {
  stopPlaying();
  at.moved = true; // from now on the page follows
  goTo(step);
  showFound();
}
// While guessing the answer comes first, then the next step.
function goOn() {
  if (guess.on && guess.shown < at.step && at.story && at.story.rows.length) reveal("");
  else go(at.step + 1);
}
function openHelp() {
  if (!$("help").open) $("help").showModal();
}
function escape() {
  if (document.activeElement === $("search") || search.words) endSearch();
  stopPlaying();
  if (document.activeElement && document.activeElement !== document.body) document.activeElement.blur();
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || $("help").open) return;
  const target = event.target,
    typed = target.closest("input:not([type=range]):not([type=checkbox]), textarea, select");
  if (event.key === "Escape") {
    escape();
    return;
  }
  if (typed) {
    if (target === $("search") && event.key === "Enter") searchOn(event.shiftKey ? -1 : 1);
    return;
  }
  const pressable = target.closest("button, summary, a"),
    ranged = target.closest("input[type=range]");
  if (event.key === " " && pressable) return;
  if (event.key === "Enter" && !pressable && guess.on) {
    goOn();
    return;
  }
  if (target.closest('[role="tablist"]') && moveTab(event)) return;
  if (ranged && PLAIN[event.key]) return;
  const act = PLAIN[event.key] || ($("single-keys").checked && Object.hasOwn(SINGLE, event.key) ? SINGLE[event.key] : null);
  if (!act) return;
  event.preventDefault();
  act();
}
function moveTab(event) {
  const place = TABS.indexOf(at.tab),
    to = {ArrowRight: place + 1, ArrowLeft: place - 1, Home: 0, End: TABS.length - 1}[event.key];
  if (to === undefined) return false;
  event.preventDefault();
  chooseTab(TABS[(to + TABS.length) % TABS.length]);
  $(`tab-${at.tab}`).focus();
  return true;
}
