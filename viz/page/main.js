// All is tied together here.
function listen() {
  const clicks = {
    first: () => go(0),
    back: () => go(at.step - 1),
    on: goOn,
    last: () => go(at.story ? at.story.rows.length - 1 : 0),
    play: togglePlaying,
    copy: copyLink,
    save: saveDrawing,
    print: () => print(),
    guess: () => setGuess(!guess.on),
    "help-open": openHelp,
    "search-on": () => searchOn(1),
    "search-back": () => searchOn(-1)
  };
  for (const id in clicks) $(id).addEventListener("click", clicks[id]);
  for (const tab of TABS) $(`tab-${tab}`).addEventListener("click", () => chooseTab(tab));
  $("slider").addEventListener("input", () => go(+$("slider").value - 1));
  $("speed").addEventListener("change", () => play.timer && startPlaying());
  $("search").addEventListener("input", startSearch);
  $("figure").addEventListener("click", clickFigure);
  $("drawing").addEventListener("click", event => {
    const element = event.target.closest("[data-row]");
    if (element && !(guess.on && +element.dataset.row > at.step)) go(+element.dataset.row);
  });
  document.addEventListener("keydown", onKey);
  addEventListener("hashchange", readAddress);
  let waits = 0;
  new ResizeObserver(() => {
    cancelAnimationFrame(waits);
    waits = requestAnimationFrame(() => {
      if (at.story && at.story.rows.length) showStep(at.story.rows[at.step]);
    });
  }).observe($("picture"));
}

// What stands in the page itself.
function translate() {
  const say = text => text.replace(/^(\s*)(.*?)(\s*)$/s, (all, before, words, behind) => before + tr(words) + behind);
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT),
    texts = [];
  while (walker.nextNode()) if (!/^(SCRIPT|STYLE)$/.test(walker.currentNode.parentNode.nodeName)) texts.push(walker.currentNode);
  for (const text of texts) if (text.data.trim()) text.data = say(text.data);
  for (const name of ["title", "placeholder", "aria-label"])
    for (const element of document.querySelectorAll(`[${name}]`)) element.setAttribute(name, say(element.getAttribute(name)));
}

function start() {
  if (RUN.sentences) translate();
  if (matchMedia(NARROW).matches) for (const id of ["list-box", "figure-box"]) $(id).open = false;
  const losses = RUN.lossy ? RUN.facts.filter((fact, i) => i === RUN.facts.length - 1 || /lost|\u4e22\u5931/.test(plain(fact))) : RUN.facts;
  $("losses").replaceChildren(...losses.flatMap((fact, i) => [i ? " \u00b7 " : "", ...spans(fact)]));
  const apart = RUN.apart_more + groups(RUN.apart, 2, pair => pair[1].length / 2).reduce((sum, n) => sum + n, 0);
  if (apart) {
    const link = el("button", {type: "button", class: "link"}, tr(apart === 1 ? "%s call without a packet" : "%s calls without a packet", grouped(apart)));
    link.addEventListener("click", () => chooseTab("connection"));
    $("losses").append(" \u00b7 ", link);
  }
  $("losses").classList.toggle("lossy", RUN.lossy);
  $("help-legend").append(...legend(null));
  try {
    $("single-keys").checked = localStorage.getItem("tcpwhy-single-keys") !== "off";
    $("single-keys").addEventListener("change", () => localStorage.setItem("tcpwhy-single-keys", $("single-keys").checked ? "on" : "off"));
  } catch (e) {
    /* a browser that keeps nothing */
  }
  listen();
  setUpList();
  readAddress();
  if (at.conn < 0) $("question").textContent = tr("no connection was seen");
}
start();
